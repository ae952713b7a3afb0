/* sm4_lanes_body.h: SM4 across lanes, written once. Include a lanes_<isa>.h first; define STREAMS, the number of
 * vectors in flight that hide the latency of a round.
 *
 * x[w][s] is word w of the blocks in stream s, one block a lane. All words are inside the field that the tier computes
 * in (sm4_enter, sm4_leave). Round keys are uniform (one key, many blocks) or per lane (many keys: every row its own). */
#define SM4_ROUNDS(x, KEY)                                                                                          \
    for (int i = 0; i < 32; i += 4) {                                                                               \
        _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++)                                                         \
        {                                                                                                           \
            _Pragma("GCC unroll 8") for (int s = 0; s < STREAMS; s++) x[j][s] = v_xor(                              \
                x[j][s], sm4_t(v_xor(v_xor(x[(j + 1) % 4][s], x[(j + 2) % 4][s]), v_xor(x[(j + 3) % 4][s], KEY)))); \
        }                                                                                                           \
    }

static inline void sm4_rounds_one_key(const vec round_keys[32], vec x[4][STREAMS])
{
    SM4_ROUNDS(x, round_keys[i + j])
}

static inline void sm4_rounds_many_keys(const vec (*round_keys)[STREAMS], vec x[4][STREAMS])
{
    SM4_ROUNDS(x, round_keys[i + j][s])
}

/* Uniform round keys for sm4_rounds_one_key, and the schedule's constants for sm4_expand_lanes. */
static inline void sm4_broadcast_keys(const uint32_t round_keys[32], vec out[32])
{
    for (int i = 0; i < 32; i++)
        out[i] = sm4_enter_key(v_set(round_keys[i]));
}

static inline void sm4_broadcast_constants(vec out[32])
{
    for (int i = 0; i < 32; i++)
        out[i] = sm4_enter(v_set(SM4_CK[i]));
}

/* The key schedule of LANES·STREAMS keys at once. k[w][s] is word w of the keys, entered without PRE's constant;
 * destroyed. */
static inline void sm4_expand_lanes(const vec constants[32], vec k[4][STREAMS], vec (*round_keys)[STREAMS])
{
    for (int w = 0; w < 4; w++)
        for (int s = 0; s < STREAMS; s++)
            k[w][s] = v_xor(k[w][s], sm4_enter_key(v_set(SM4_FK[w])));
    for (int i = 0; i < 32; i += 4) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            vec constant = constants[i + j];
#pragma GCC unroll 8
            for (int s = 0; s < STREAMS; s++) {
                k[j][s] = v_xor(k[j][s], sm4_t_key(v_xor(v_xor(k[(j + 1) % 4][s], k[(j + 2) % 4][s]),
                                                         v_xor(k[(j + 3) % 4][s], constant))));
                round_keys[i + j][s] = k[j][s];
            }
        }
    }
}

/* For decryption: the last round's key first. */
static inline void sm4_reverse_keys(vec (*round_keys)[STREAMS])
{
    for (int i = 0; i < 16; i++)
        for (int s = 0; s < STREAMS; s++) {
            vec key = round_keys[i][s];
            round_keys[i][s] = round_keys[31 - i][s];
            round_keys[31 - i][s] = key;
        }
}
