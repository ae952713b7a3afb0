/* sm3_lanes_body.h: SM3 (GB/T 32905 5.3) across lanes, written once. Include a lanes_<isa>.h first.
 *
 * state[i] is word i of LANES digests, w[j] word j of the LANES message blocks (w[0..15] in, w[16..67] scratch). */
static inline vec sm3_p0(vec x)
{
    return v_xor(x, v_xor(v_rotl(x, 9), v_rotl(x, 17)));
}

static inline vec sm3_p1(vec x)
{
    return v_xor(x, v_xor(v_rotl(x, 15), v_rotl(x, 23)));
}

/* T_j <<< j (4.2 and 5.3.3). */
static const uint32_t SM3_CONSTANTS[64] = {
    0x79CC4519, 0xF3988A32, 0xE7311465, 0xCE6228CB, 0x9CC45197, 0x3988A32F, 0x7311465E, 0xE6228CBC,
    0xCC451979, 0x988A32F3, 0x311465E7, 0x6228CBCE, 0xC451979C, 0x88A32F39, 0x11465E73, 0x228CBCE6,
    0x9D8A7A87, 0x3B14F50F, 0x7629EA1E, 0xEC53D43C, 0xD8A7A879, 0xB14F50F3, 0x629EA1E7, 0xC53D43CE,
    0x8A7A879D, 0x14F50F3B, 0x29EA1E76, 0x53D43CEC, 0xA7A879D8, 0x4F50F3B1, 0x9EA1E762, 0x3D43CEC5,
    0x7A879D8A, 0xF50F3B14, 0xEA1E7629, 0xD43CEC53, 0xA879D8A7, 0x50F3B14F, 0xA1E7629E, 0x43CEC53D,
    0x879D8A7A, 0x0F3B14F5, 0x1E7629EA, 0x3CEC53D4, 0x79D8A7A8, 0xF3B14F50, 0xE7629EA1, 0xCEC53D43,
    0x9D8A7A87, 0x3B14F50F, 0x7629EA1E, 0xEC53D43C, 0xD8A7A879, 0xB14F50F3, 0x629EA1E7, 0xC53D43CE,
    0x8A7A879D, 0x14F50F3B, 0x29EA1E76, 0x53D43CEC, 0xA7A879D8, 0x4F50F3B1, 0x9EA1E762, 0x3D43CEC5,
};

static inline void sm3_expand_lanes(vec w[68])
{
    for (int j = 16; j < 68; j++) {
        vec mixed = v_xor(v_xor(w[j - 16], w[j - 9]), v_rotl(w[j - 3], 15));
        w[j] = v_xor(v_xor(sm3_p1(mixed), v_rotl(w[j - 13], 7)), w[j - 6]);
    }
}

/* One round on s[0..7] = A..H; the registers are renamed by the caller (four rounds make a turn), not moved. */
#define SM3_ROUND(A, B, C, D, E, F, G, H, FF, GG, j)                    \
    do {                                                                \
        vec a12 = v_rotl(A, 12);                                        \
        vec ss1 = v_rotl(v_add(v_add(a12, E), v_set(SM3_CONSTANTS[j])), 7); \
        vec tt1 = v_add(v_add(FF(A, B, C), D), v_add(v_xor(ss1, a12), v_xor(w[j], w[(j) + 4]))); \
        vec tt2 = v_add(v_add(GG(E, F, G), H), v_add(ss1, w[j]));       \
        B = v_rotl(B, 9);                                               \
        D = tt1;                                                        \
        F = v_rotl(F, 19);                                              \
        H = sm3_p0(tt2);                                                \
    } while (0)

#define SM3_PARITY(x, y, z) v_xor(x, v_xor(y, z))

#define SM3_FOUR_ROUNDS(FF, GG, j)                            \
    do {                                                      \
        SM3_ROUND(a, b, c, d, e, f, g, h, FF, GG, j);         \
        SM3_ROUND(d, a, b, c, h, e, f, g, FF, GG, (j) + 1);   \
        SM3_ROUND(c, d, a, b, g, h, e, f, FF, GG, (j) + 2);   \
        SM3_ROUND(b, c, d, a, f, g, h, e, FF, GG, (j) + 3);   \
    } while (0)

static void sm3_compress_lanes(vec v[8], vec w[68])
{
    vec a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
    sm3_expand_lanes(w);
    for (int j = 0; j < 16; j += 4)
        SM3_FOUR_ROUNDS(SM3_PARITY, SM3_PARITY, j);
    for (int j = 16; j < 64; j += 4)
        SM3_FOUR_ROUNDS(v_majority, v_choose, j);
    v[0] = v_xor(v[0], a), v[1] = v_xor(v[1], b), v[2] = v_xor(v[2], c), v[3] = v_xor(v[3], d);
    v[4] = v_xor(v[4], e), v[5] = v_xor(v[5], f), v[6] = v_xor(v[6], g), v[7] = v_xor(v[7], h);
}
