/* sm3_lanes_body.h: SM3 (GB/T 32905 5.3) across lanes, written once. Include a lanes_<isa>.h first.
 *
 * v[i][s] is word i of LANES digests in stream s, w[j][s] word j of their message block: w[0..15] in, w[16..67] scratch. */
/* T_j <<< j (4.2 and 5.3.3). */
#define SM3_CONSTANTS(V)                                                                                         \
    V(0x79CC4519), V(0xF3988A32), V(0xE7311465), V(0xCE6228CB), V(0x9CC45197), V(0x3988A32F), V(0x7311465E),     \
        V(0xE6228CBC), V(0xCC451979), V(0x988A32F3), V(0x311465E7), V(0x6228CBCE), V(0xC451979C), V(0x88A32F39), \
        V(0x11465E73), V(0x228CBCE6), V(0x9D8A7A87), V(0x3B14F50F), V(0x7629EA1E), V(0xEC53D43C), V(0xD8A7A879), \
        V(0xB14F50F3), V(0x629EA1E7), V(0xC53D43CE), V(0x8A7A879D), V(0x14F50F3B), V(0x29EA1E76), V(0x53D43CEC), \
        V(0xA7A879D8), V(0x4F50F3B1), V(0x9EA1E762), V(0x3D43CEC5), V(0x7A879D8A), V(0xF50F3B14), V(0xEA1E7629), \
        V(0xD43CEC53), V(0xA879D8A7), V(0x50F3B14F), V(0xA1E7629E), V(0x43CEC53D), V(0x879D8A7A), V(0x0F3B14F5), \
        V(0x1E7629EA), V(0x3CEC53D4), V(0x79D8A7A8), V(0xF3B14F50), V(0xE7629EA1), V(0xCEC53D43), V(0x9D8A7A87), \
        V(0x3B14F50F), V(0x7629EA1E), V(0xEC53D43C), V(0xD8A7A879), V(0xB14F50F3), V(0x629EA1E7), V(0xC53D43CE), \
        V(0x8A7A879D), V(0x14F50F3B), V(0x29EA1E76), V(0x53D43CEC), V(0xA7A879D8), V(0x4F50F3B1), V(0x9EA1E762), \
        V(0x3D43CEC5)

#if defined(SM3_SHIFTS)
#define SM3_CONSTANT(x) {x, x, x, x, x, x, x, x}
static const uint32_t SM3_T[64][LANES] __attribute__((aligned(32))) = {SM3_CONSTANTS(SM3_CONSTANT)};
#define SM3_T_OF(j) (*(const vec *)(const void *)SM3_T[j])
/* A word's <<< 15 is needed first, as <<< 8 of its <<< 7, which is kept until that is needed. */
#define SM3_ROTL15(k, s) v_rotl8(seven[k][s] = v_rotl(w[k][s], 7))
#define SM3_ROTL7(k, s) seven[k][s]
#else
#define SM3_CONSTANT(x) x
static const uint32_t SM3_T[64] = {SM3_CONSTANTS(SM3_CONSTANT)};
#define SM3_T_OF(j) v_set(SM3_T[j])
#define SM3_ROTL15(k, s) v_rotl(w[k][s], 15)
#define SM3_ROTL7(k, s) v_rotl(w[k][s], 7)
#endif

#if !defined(SM3_VECTORS) /* a lanes header may know better */
#define SM3_VECTORS 2
#endif
enum { SM3_STREAMS = SM3_VECTORS }; /* message blocks a lane in flight, where they hide the latency of a round */

#if !defined(IN_ORDER)
#define IN_ORDER(v) (void)(v)
#endif

/* One round, and w[j+16] of the expansion spread over it, which fills what the round waits. IN_ORDER keeps the order of
 * the source where that is faster than the compiler's. The registers are renamed by the caller (four rounds make a
 * turn), not moved. */
#define SM3_ROUND(A, B, C, D, E, F, G, H, FF, GG, j, EXPAND)                             \
    _Pragma("GCC unroll 2") for (int s = 0; s < SM3_STREAMS; s++)                        \
    {                                                                                    \
        vec a12 = v_rotl(A[s], 12), mixed = a12;                                         \
        IN_ORDER(a12);                                                                   \
        if (EXPAND) {                                                                    \
            mixed = v_xor(v_xor(w[j][s], w[(j) + 7][s]), SM3_ROTL15((j) + 13, s));       \
            IN_ORDER(mixed);                                                             \
        }                                                                                \
        vec ss1 = v_add(a12, SM3_T_OF(j)); /* E is late: added last */                   \
        IN_ORDER(ss1);                                                                   \
        ss1 = v_add(ss1, E[s]);                                                          \
        IN_ORDER(ss1);                                                                   \
        vec tt2 = v_add(H[s], w[j][s]);                                                  \
        IN_ORDER(tt2);                                                                   \
        ss1 = v_rotl(ss1, 7);                                                            \
        IN_ORDER(ss1);                                                                   \
        tt2 = v_add(tt2, GG(E[s], F[s], G[s]));                                          \
        IN_ORDER(tt2);                                                                   \
        vec mixed15 = v_rotl(mixed, 15);                                                 \
        if (EXPAND)                                                                      \
            IN_ORDER(mixed15);                                                           \
        tt2 = v_add(tt2, ss1);                                                           \
        IN_ORDER(tt2);                                                                   \
        vec tt1 = v_add(v_xor(w[j][s], w[(j) + 4][s]), D[s]);                            \
        IN_ORDER(tt1);                                                                   \
        vec tt2_9 = v_rotl(tt2, 9);                                                      \
        IN_ORDER(tt2_9);                                                                 \
        tt1 = v_add(tt1, FF(A[s], B[s], C[s]));                                          \
        IN_ORDER(tt1);                                                                   \
        if (EXPAND) {                                                                    \
            mixed = v_xor(v_xor(mixed, mixed15), v_rotl8(mixed15));                      \
            IN_ORDER(mixed);                                                             \
        }                                                                                \
        D[s] = v_add(tt1, v_xor(a12, ss1));                                              \
        IN_ORDER(D[s]);                                                                  \
        tt2_9 = v_xor(tt2_9, v_rotl8(tt2_9));                                            \
        IN_ORDER(tt2_9);                                                                 \
        if (EXPAND)                                                                      \
            w[(j) + 16][s] = v_xor(mixed, v_xor(SM3_ROTL7((j) + 3, s), w[(j) + 10][s])); \
        H[s] = v_xor(tt2, tt2_9);                                                        \
        IN_ORDER(H[s]);                                                                  \
        B[s] = v_rotl(B[s], 9);                                                          \
        IN_ORDER(B[s]);                                                                  \
        F[s] = v_rotl(F[s], 19);                                                         \
        IN_ORDER(F[s]);                                                                  \
    }

#define SM3_PARITY(x, y, z) v_xor(x, v_xor(y, z))

#define SM3_FOUR_ROUNDS(FF, GG, j, EXPAND)                      \
    SM3_ROUND(a, b, c, d, e, f, g, h, FF, GG, j, EXPAND);       \
    SM3_ROUND(d, a, b, c, h, e, f, g, FF, GG, (j) + 1, EXPAND); \
    SM3_ROUND(c, d, a, b, g, h, e, f, FF, GG, (j) + 2, EXPAND); \
    SM3_ROUND(b, c, d, a, f, g, h, e, FF, GG, (j) + 3, EXPAND);

static void sm3_compress_lanes(vec v[8][SM3_STREAMS], vec w[68][SM3_STREAMS])
{
    vec a[SM3_STREAMS], b[SM3_STREAMS], c[SM3_STREAMS], d[SM3_STREAMS]; /* not one array: gcc would keep it in memory */
    vec e[SM3_STREAMS], f[SM3_STREAMS], g[SM3_STREAMS], h[SM3_STREAMS];
    for (int s = 0; s < SM3_STREAMS; s++) {
        a[s] = v[0][s], b[s] = v[1][s], c[s] = v[2][s], d[s] = v[3][s];
        e[s] = v[4][s], f[s] = v[5][s], g[s] = v[6][s], h[s] = v[7][s];
    }
#if defined(SM3_SHIFTS)
    vec seven[68][SM3_STREAMS]; /* words 3 to 12 have no <<< 15 */
    for (int j = 3; j < 13; j++)
        for (int s = 0; s < SM3_STREAMS; s++)
            seven[j][s] = v_rotl(w[j][s], 7);
#endif
    for (int j = 0; j < 16; j += 4) {
        SM3_FOUR_ROUNDS(SM3_PARITY, SM3_PARITY, j, 1)
    }
    for (int j = 16; j < 52; j += 4) {
        SM3_FOUR_ROUNDS(v_majority, v_choose, j, 1)
    }
    for (int j = 52; j < 64; j += 4) {
        SM3_FOUR_ROUNDS(v_majority, v_choose, j, 0)
    }
    for (int s = 0; s < SM3_STREAMS; s++) {
        v[0][s] = v_xor(v[0][s], a[s]), v[1][s] = v_xor(v[1][s], b[s]);
        v[2][s] = v_xor(v[2][s], c[s]), v[3][s] = v_xor(v[3][s], d[s]);
        v[4][s] = v_xor(v[4][s], e[s]), v[5][s] = v_xor(v[5][s], f[s]);
        v[6][s] = v_xor(v[6][s], g[s]), v[7][s] = v_xor(v[7][s], h[s]);
    }
}
