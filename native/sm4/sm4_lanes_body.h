/* sm4_lanes_body.h: SM4 across lanes, written once. Include a lanes_<isa>.h first; define STREAMS, the number of
 * vectors in flight that hide the latency of a round.
 *
 * x[w][s] is word w of the blocks in stream s, one block a lane. Round keys are uniform (one key, many blocks) or per
 * lane (many keys: every row its own). */
static inline void sm4_rounds_one_key(const uint32_t round_keys[32], vec x[4][STREAMS])
{
    for (int i = 0; i < 32; i += 4) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            vec key = v_set(round_keys[i + j]);
#pragma GCC unroll 8
            for (int s = 0; s < STREAMS; s++)
                x[j][s] = v_xor(x[j][s], sm4_t(v_xor(v_xor(x[(j + 1) % 4][s], x[(j + 2) % 4][s]),
                                                     v_xor(x[(j + 3) % 4][s], key))));
        }
    }
}

static inline void sm4_rounds_many_keys(const vec (*round_keys)[STREAMS], vec x[4][STREAMS])
{
    for (int i = 0; i < 32; i += 4) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
#pragma GCC unroll 8
            for (int s = 0; s < STREAMS; s++)
                x[j][s] = v_xor(x[j][s], sm4_t(v_xor(v_xor(x[(j + 1) % 4][s], x[(j + 2) % 4][s]),
                                                     v_xor(x[(j + 3) % 4][s], round_keys[i + j][s]))));
        }
    }
}

/* The key schedule of LANES·STREAMS keys at once. k[w][s] is word w of the keys; destroyed. */
static inline void sm4_expand_lanes(vec k[4][STREAMS], vec (*round_keys)[STREAMS])
{
    for (int w = 0; w < 4; w++)
        for (int s = 0; s < STREAMS; s++)
            k[w][s] = v_xor(k[w][s], v_set(SM4_FK[w]));
    for (int i = 0; i < 32; i += 4) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            vec constant = v_set(SM4_CK[i + j]);
#pragma GCC unroll 8
            for (int s = 0; s < STREAMS; s++) {
                k[j][s] = v_xor(k[j][s], sm4_t_key(v_xor(v_xor(k[(j + 1) % 4][s], k[(j + 2) % 4][s]),
                                                         v_xor(k[(j + 3) % 4][s], constant))));
                round_keys[i + j][s] = k[j][s];
            }
        }
    }
}

/* The last four words in reverse order are the result (GB/T 32907 6.1, R). */
static inline void sm4_reverse(const vec x[4][STREAMS], int s, vec out[4])
{
    for (int w = 0; w < 4; w++)
        out[w] = x[3 - w][s];
}
