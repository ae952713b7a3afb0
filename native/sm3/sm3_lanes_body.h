/* sm3_lanes_body.h: SM3 (GB/T 32905 5.3) across lanes, written once. Include a lanes_<isa>.h first.
 *
 * v[i][s] is word i of LANES digests in stream s, w[j][s] word j of their message block: w[0..15] in, w[16..67] scratch. */
static inline vec sm3_p0(vec x)
{
    vec x9 = v_rotl(x, 9);
    return v_xor(x, v_xor(x9, v_rotl8(x9)));
}

static inline vec sm3_p1(vec x)
{
    vec x15 = v_rotl(x, 15);
    return v_xor(x, v_xor(x15, v_rotl8(x15)));
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

enum { SM3_STREAMS = 2 }; /* two message blocks a lane in flight hide the latency of a round */

/* One round; the registers are renamed by the caller (four rounds make a turn), not moved. */
#define SM3_ROUND(A, B, C, D, E, F, G, H, FF, GG, j)                                                               \
    _Pragma("GCC unroll 2") for (int s = 0; s < SM3_STREAMS; s++)                                                  \
    {                                                                                                              \
        vec a12 = v_rotl(A[s], 12);                                                                                \
        vec ss1 = v_rotl(v_add(v_add(a12, E[s]), v_set(SM3_CONSTANTS[j])), 7);                                     \
        vec tt1 = v_add(v_add(FF(A[s], B[s], C[s]), D[s]), v_add(v_xor(ss1, a12), v_xor(w[j][s], w[(j) + 4][s]))); \
        vec tt2 = v_add(v_add(GG(E[s], F[s], G[s]), H[s]), v_add(ss1, w[j][s]));                                   \
        B[s] = v_rotl(B[s], 9);                                                                                    \
        D[s] = tt1;                                                                                                \
        F[s] = v_rotl(F[s], 19);                                                                                   \
        H[s] = sm3_p0(tt2);                                                                                        \
    }

#define SM3_PARITY(x, y, z) v_xor(x, v_xor(y, z))

#define SM3_FOUR_ROUNDS(FF, GG, j)                      \
    SM3_ROUND(a, b, c, d, e, f, g, h, FF, GG, j);       \
    SM3_ROUND(d, a, b, c, h, e, f, g, FF, GG, (j) + 1); \
    SM3_ROUND(c, d, a, b, g, h, e, f, FF, GG, (j) + 2); \
    SM3_ROUND(b, c, d, a, f, g, h, e, FF, GG, (j) + 3);

/* w[j..j+3] of the message expansion, just before they are needed. */
static inline void sm3_expand_four(vec w[68][SM3_STREAMS], int j)
{
    for (int k = j; k < j + 4; k++)
        for (int s = 0; s < SM3_STREAMS; s++) {
            vec mixed = v_xor(v_xor(w[k - 16][s], w[k - 9][s]), v_rotl(w[k - 3][s], 15));
            w[k][s] = v_xor(v_xor(sm3_p1(mixed), v_rotl(w[k - 13][s], 7)), w[k - 6][s]);
        }
}

static void sm3_compress_lanes(vec v[8][SM3_STREAMS], vec w[68][SM3_STREAMS])
{
    vec state[8][SM3_STREAMS];
    memcpy(state, v, sizeof state);
    vec *a = state[0], *b = state[1], *c = state[2], *d = state[3];
    vec *e = state[4], *f = state[5], *g = state[6], *h = state[7];
    for (int j = 0; j < 16; j += 4) {
        sm3_expand_four(w, j + 16);
        SM3_FOUR_ROUNDS(SM3_PARITY, SM3_PARITY, j)
    }
    for (int j = 16; j < 64; j += 4) {
        if (j + 16 < 68)
            sm3_expand_four(w, j + 16);
        SM3_FOUR_ROUNDS(v_majority, v_choose, j)
    }
    for (int i = 0; i < 8; i++)
        for (int s = 0; s < SM3_STREAMS; s++)
            v[i][s] = v_xor(v[i][s], state[i][s]);
}
