/* sm3_sm_ni_body.h: sm3_lanes_body.h for x86-64 processors with the SM3 instructions. They work on a message, not on lanes:
 * the lanes of a stream are turned into messages, of which four go through the rounds side by side and hide each other's
 * latency, and are turned back. Needs lanes_sm_ni.h.
 *
 * v[i][s] is word i of LANES digests in stream s, w[j][s] word j of their message block, as in sm3_lanes_body.h. */
enum { SM3_STREAMS = 2 };

/* One message: elements 3..0 of abef hold a, b, e and f; those of cdgh hold c, d, g and h two rounds ago, that is as a, b,
 * e and f before they were rotated (c and d by 9 bits, g and h by 19). w: four words of the expansion each. */
typedef struct {
    __m128i abef, cdgh, w[4];
} sm3_message;

/* Words j + 16 .. j + 19 of the expansion, 5.3.2, from words j .. j + 15. */
static inline __m128i sm3_expand(const __m128i w[4])
{
    __m128i w3 = _mm_alignr_epi8(w[1], w[0], 12), w7 = _mm_alignr_epi8(w[2], w[1], 12);
    __m128i w10 = _mm_alignr_epi8(w[3], w[2], 8), w13 = _mm_srli_si128(w[3], 4);
    return _mm_sm3msg2_epi32(_mm_sm3msg1_epi32(w7, w13, w[0]), w3, w10);
}

/* On to the next four words: the first place has the newest. */
static inline void sm3_shift(__m128i w[4])
{
    __m128i newest = w[0];
    w[0] = w[1], w[1] = w[2], w[2] = w[3], w[3] = newest;
}

/* Rounds j .. j + 3 of `count` messages, 5.3.3. An instruction does two, with words j, j + 1, j + 4 and j + 5, and leaves the
 * new a, b, e, f where c, d, g, h were. Word 67 is the last. */
#define SM3_FOUR_ROUNDS(j)                                                   \
    _Pragma("GCC unroll 4") for (int b = 0; b < count; b++)                  \
    {                                                                        \
        __m128i first = _mm_unpacklo_epi64(m[b].w[0], m[b].w[1]);            \
        __m128i last = _mm_unpackhi_epi64(m[b].w[0], m[b].w[1]);             \
        m[b].cdgh = _mm_sm3rnds2_epi32(m[b].cdgh, m[b].abef, first, j);      \
        m[b].abef = _mm_sm3rnds2_epi32(m[b].abef, m[b].cdgh, last, (j) + 2); \
        m[b].w[0] = (j) <= 48 ? sm3_expand(m[b].w) : m[b].w[0];              \
        sm3_shift(m[b].w);                                                   \
    }

#define SM3_SIXTEEN_ROUNDS(j) \
    SM3_FOUR_ROUNDS(j)        \
    SM3_FOUR_ROUNDS((j) + 4)  \
    SM3_FOUR_ROUNDS((j) + 8)  \
    SM3_FOUR_ROUNDS((j) + 12)

/* `count` is a constant of the caller, so that messages are registers. */
static inline void sm3_rounds(sm3_message *m, int count)
{
    SM3_SIXTEEN_ROUNDS(0)
    SM3_SIXTEEN_ROUNDS(16)
    SM3_SIXTEEN_ROUNDS(32)
    SM3_SIXTEEN_ROUNDS(48)
}

/* The lanes of words a, b, e and f (or c, d, g and h) as elements 3..0 of a vector a message, two messages a vector. */
static inline void sm3_turn(vec v[8][SM3_STREAMS], int first, int s, vec out[4])
{
    for (int i = 0; i < 2; i++) {
        out[3 - i] = v[first + i][s];
        out[1 - i] = v[first + 4 + i][s];
    }
    transpose(out);
}

static inline __m128i half(vec x, int which)
{
    return which ? _mm256_extracti128_si256(x, 1) : _mm256_castsi256_si128(x);
}

static inline vec halves(__m128i low, __m128i high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Four of the eight messages, of their vectors' low halves (which = 0) or high ones. */
static inline void sm3_four_messages(vec abef[4], vec cdgh[4], const vec words[4][4], int which, sm3_message out[4])
{
    sm3_message m[4];
    for (int b = 0; b < 4; b++) {
        m[b].abef = half(abef[b], which), m[b].cdgh = half(cdgh[b], which);
        for (int k = 0; k < 4; k++)
            m[b].w[k] = half(words[k][b], which);
    }
    sm3_rounds(m, 4);
    for (int b = 0; b < 4; b++)
        out[b].abef = m[b].abef, out[b].cdgh = m[b].cdgh;
}

static inline void sm3_compress_stream(vec v[8][SM3_STREAMS], vec w[68][SM3_STREAMS], int s)
{
    vec abef[4], cdgh[4], words[4][4];
    sm3_message low[4], high[4];
    for (int i = 0; i < 2; i++) { /* as they were before the rotations */
        v[2 + i][s] = v_rotl(v[2 + i][s], 32 - 9);
        v[6 + i][s] = v_rotl(v[6 + i][s], 32 - 19);
    }
    sm3_turn(v, 0, s, abef);
    sm3_turn(v, 2, s, cdgh);
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 4; i++)
            words[k][i] = w[4 * k + i][s];
        transpose(words[k]);
    }
    sm3_four_messages(abef, cdgh, words, 0, low);
    sm3_four_messages(abef, cdgh, words, 1, high);
    for (int b = 0; b < 4; b++) {
        abef[b] = v_xor(abef[b], halves(low[b].abef, high[b].abef));
        cdgh[b] = v_xor(cdgh[b], halves(low[b].cdgh, high[b].cdgh));
    }
    transpose(abef);
    transpose(cdgh);
    for (int i = 0; i < 2; i++) {
        v[i][s] = abef[3 - i], v[4 + i][s] = abef[1 - i];
        v[2 + i][s] = v_rotl(cdgh[3 - i], 9), v[6 + i][s] = v_rotl(cdgh[1 - i], 19);
    }
}

static inline void sm3_compress_lanes(vec v[8][SM3_STREAMS], vec w[68][SM3_STREAMS])
{
    for (int s = 0; s < SM3_STREAMS; s++)
        sm3_compress_stream(v, w, s);
}
