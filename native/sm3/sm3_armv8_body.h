/* sm3_armv8_body.h: sm3_lanes_body.h for processors with the SM3 instructions. They work on a message, not on lanes: the
 * four lanes of a stream are turned into four messages, which go through the rounds side by side and hide each other's
 * latency, and are turned back. Needs lanes_neon.h with LANES_ARMV8.
 *
 * v[i][s] is word i of LANES digests in stream s, w[j][s] word j of their message block, as in sm3_lanes_body.h. */
enum { SM3_STREAMS = 2 };

/* One message: abcd holds d, c, b, a in its elements 0..3, efgh likewise h, g, f, e; w four words of the expansion each. */
typedef struct {
    vec abcd, efgh, w[4];
} sm3_message;

/* Words j + 16 .. j + 19 of the expansion, 5.3.2, from words j .. j + 15. */
static inline vec sm3_expand(const vec w[4])
{
    vec w3 = vextq_u32(w[0], w[1], 3), w7 = vextq_u32(w[1], w[2], 3), w10 = vextq_u32(w[2], w[3], 2);
    return vsm3partw2q_u32(vsm3partw1q_u32(w7, w[0], w[3]), w10, w3);
}

/* Four rounds of four messages, 5.3.3; T is T_j <<< j in all elements. TT1 and TT2 are the forms A (rounds 0..15) or B. */
#define SM3_STEP(TT1, TT2, j)                                            \
    _Pragma("GCC unroll 4") for (int b = 0; b < 4; b++)                  \
    {                                                                    \
        vec ss1 = vsm3ss1q_u32(m[b].abcd, m[b].efgh, t);                 \
        m[b].abcd = TT1(m[b].abcd, ss1, v_xor(m[b].w[0], m[b].w[1]), j); \
        m[b].efgh = TT2(m[b].efgh, ss1, m[b].w[0], j);                   \
    }                                                                    \
    t = v_rotl(t, 1);

#define SM3_FOUR_STEPS(TT1, TT2) \
    SM3_STEP(TT1, TT2, 0)        \
    SM3_STEP(TT1, TT2, 1)        \
    SM3_STEP(TT1, TT2, 2)        \
    SM3_STEP(TT1, TT2, 3)        \
    sm3_shift(m);

/* On to the next four words. */
static inline void sm3_shift(sm3_message m[4])
{
    for (int b = 0; b < 4; b++) {
        vec next = sm3_expand(m[b].w);
        m[b].w[0] = m[b].w[1], m[b].w[1] = m[b].w[2], m[b].w[2] = m[b].w[3], m[b].w[3] = next;
    }
}

/* The lanes of words `first`, first + step, … as the elements of four vectors. */
static inline void sm3_turn(vec x[][SM3_STREAMS], int first, int step, int s, vec out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = x[first + step * i][s];
    transpose(out);
}

static inline void sm3_compress_stream(vec v[8][SM3_STREAMS], vec w[68][SM3_STREAMS], int s)
{
    sm3_message m[4];
    vec abcd[4], efgh[4], words[4], t = v_set(0x79CC4519);
    sm3_turn(v, 3, -1, s, abcd);
    sm3_turn(v, 7, -1, s, efgh);
    for (int b = 0; b < 4; b++)
        m[b].abcd = abcd[b], m[b].efgh = efgh[b];
    for (int k = 0; k < 4; k++) {
        sm3_turn(w, 4 * k, 1, s, words);
        for (int b = 0; b < 4; b++)
            m[b].w[k] = words[b];
    }
    for (int j = 0; j < 16; j += 4) {
        SM3_FOUR_STEPS(vsm3tt1aq_u32, vsm3tt2aq_u32)
    }
    t = v_set(0x9D8A7A87); /* 0x7A879D8A <<< 16 */
    for (int j = 16; j < 64; j += 4) {
        SM3_FOUR_STEPS(vsm3tt1bq_u32, vsm3tt2bq_u32)
    }
    for (int b = 0; b < 4; b++)
        abcd[b] = v_xor(abcd[b], m[b].abcd), efgh[b] = v_xor(efgh[b], m[b].efgh);
    transpose(abcd);
    transpose(efgh);
    for (int i = 0; i < 4; i++)
        v[3 - i][s] = abcd[i], v[7 - i][s] = efgh[i];
}

static void sm3_compress_lanes(vec v[8][SM3_STREAMS], vec w[68][SM3_STREAMS])
{
    for (int s = 0; s < SM3_STREAMS; s++)
        sm3_compress_stream(v, w, s);
}
