/* sm3_bmi2.c: SM3 of one message on AVX2 and BMI2. The rounds run in scalar registers; the message is expanded beside
 * them in vectors, three words at a time, since w[j] needs w[j-3]. Constant time.
 *
 * A_g is w[3g..3g+2], and X_g is w[16+3g..18+3g], computed in step g beside rounds 3g to 3g + 2. In these terms 5.3.2 of
 * GB/T 32905 reads X_g = P_1(A_g + X_g-3 + X_g-1<<<15) + A_g+1<<<7 + X_g-2, and what a round adds besides w[j] is
 * w[j] + w[j+4], A_g + X_g-4. Nothing is shifted between vectors. Their fourth word does not count. */
#if defined(__x86_64__)
#if defined(EHC_SIMDE) /* the intrinsics in plain C: tests/native/test_simde.py */
#include EHC_SIMDE
#else
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC target("avx2,bmi,bmi2")
#pragma GCC optimize("no-tree-vectorize,no-schedule-insns2") /* the rounds stand in the order that is fast */
#endif
#include <immintrin.h>
#endif

#include "base.h"
#include "kernels.h"

typedef __m128i three;

typedef struct {
    uint32_t w[16 + 3 * 18 + 1];   /* w[j], and behind it the fourth word of the last vector */
    uint32_t both[3 * 21 + 3 + 1]; /* w[j] + w[j+4], likewise */
} expansion;

typedef struct {
    three a, x1, x2, x3; /* A_g, X_g-1, X_g-2, X_g-3 */
} window;

static inline three load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

static inline void store(uint32_t *p, three x)
{
    _mm_storeu_si128((__m128i *)(void *)p, x);
}

static inline three load_message(const uint8_t *p)
{
    return _mm_shuffle_epi8(load(p), _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

static inline three rotl(three x, int n)
{
    return _mm_or_si128(_mm_slli_epi32(x, n), _mm_srli_epi32(x, 32 - n));
}

static inline three p1(three x)
{
    three x15 = rotl(x, 15);
    three x23 = _mm_shuffle_epi8(x15, _mm_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
    return _mm_xor_si128(_mm_xor_si128(x, x15), x23);
}

static inline window expand_start(expansion *e, const uint8_t block[64])
{
    three m[4];
    for (int i = 0; i < 4; i++) {
        m[i] = load_message(block + 16 * i);
        store(e->w + 4 * i, m[i]);
    }
    for (int i = 0; i < 3; i++)
        store(e->both + 4 * i, _mm_xor_si128(m[i], m[i + 1]));
    return (window){.a = m[0],
                    .x3 = load_message(block + 4 * 7),
                    .x2 = load_message(block + 4 * 10),
                    .x1 = _mm_srli_si128(m[3], 4)}; /* from word 13 on; a load there would read past the block */
}

/* Step g. Its A_g+1 is of the message while that lasts; later it lies across two vectors stored twelve rounds ago, long
 * enough to have left the store queue, which gives no load that lies across two stores. */
static inline void expand_step(expansion *e, window *at, const uint8_t block[64], int g)
{
    three next = g < 4 ? load_message(block + 12 * (g + 1)) : load(e->w + 3 * (g + 1)), x = at->x1;
    if (g < 18) {
        x = p1(_mm_xor_si128(_mm_xor_si128(at->a, at->x3), rotl(at->x1, 15)));
        x = _mm_xor_si128(_mm_xor_si128(x, rotl(next, 7)), at->x2);
        store(e->w + 16 + 3 * g, x);
    }
    if (g >= 3)
        store(e->both + 3 * (g + 1), _mm_xor_si128(next, at->x3));
    *at = (window){next, x, at->x1, at->x2};
}

/* The order of a round decides its time: 7 cycles from E to the E of the next round are the least, and what is on that
 * way has to stand first. DONE keeps the compiler from moving x. ADD keeps it from taking words of the expansion out of
 * the vectors, which costs more than loading what was stored. */
#define DONE(x) __asm__ volatile("" : "+r"(x))
#define ADD(sum, word) __asm__("addl %1, %0" : "+r"(sum) : "m"(word))

/* FF_j and GG_j, 4.3. After the first 16 rounds they are sums of two terms that have no bit in common; the second of GG_j
 * is made early and added late. */
#define PARITY(sum, late, x, y, z)         \
    do {                                   \
        uint32_t parity = (x) ^ (y) ^ (z); \
        DONE(parity);                      \
        (sum) += parity;                   \
        DONE(sum);                         \
    } while (0)
#define CHOICE(sum, late, x, y, z) \
    do {                           \
        (late) = ~(x) & (z);       \
        DONE(late);                \
        (sum) += (x) & (y);        \
        DONE(sum);                 \
    } while (0)
#define MAJORITY(sum, late, x, y, z) \
    do {                             \
        (sum) += (x) & (y);          \
        (sum) += (z) & ((x) ^ (y));  \
        DONE(sum);                   \
    } while (0)

/* T_j <<< j, 4.2 and 5.3.3. */
#define T(j) ((j) < 16 ? 0x79CC4519u : 0x7A879D8Au)
#define T_ROTATED(j) ((j) % 32 == 0 ? T(j) : T(j) << (j) % 32 | T(j) >> (32 - (j) % 32) % 32)

/* 5.3.3; the registers are renamed by the caller, four rounds a turn. */
#define ROUND(A, B, C, D, E, F, G, H, FF, GG, j)              \
    do {                                                      \
        uint32_t a12 = rotl32(A, 12), late = 0, ss1, h9, h17; \
        DONE(a12);                                            \
        ss1 = a12 + T_ROTATED(j);                             \
        DONE(ss1);                                            \
        ADD(H, e->w[j]);                                      \
        ADD(D, e->both[j]);                                   \
        ss1 += (E);                                           \
        DONE(ss1);                                            \
        GG(H, late, E, F, G);                                 \
        ss1 = rotl32(ss1, 7);                                 \
        DONE(ss1);                                            \
        FF(D, late, A, B, C);                                 \
        (H) += late;                                          \
        DONE(H);                                              \
        (H) += ss1;                                           \
        DONE(H);                                              \
        ss1 ^= a12;                                           \
        DONE(ss1);                                            \
        h9 = rotl32(H, 9), h17 = rotl32(H, 17);               \
        DONE(h9);                                             \
        DONE(h17);                                            \
        (D) += ss1;                                           \
        DONE(D);                                              \
        h9 ^= h17;                                            \
        DONE(h9);                                             \
        (B) = rotl32(B, 9), (F) = rotl32(F, 19);              \
        DONE(B);                                              \
        DONE(F);                                              \
        (H) ^= h9;                                            \
        DONE(H);                                              \
    } while (0)

#define ROUND_0(FF, GG, j) ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], FF, GG, j)
#define ROUND_1(FF, GG, j) ROUND(s[3], s[0], s[1], s[2], s[7], s[4], s[5], s[6], FF, GG, j)
#define ROUND_2(FF, GG, j) ROUND(s[2], s[3], s[0], s[1], s[6], s[7], s[4], s[5], FF, GG, j)
#define ROUND_3(FF, GG, j) ROUND(s[1], s[2], s[3], s[0], s[5], s[6], s[7], s[4], FF, GG, j)

#define STEP(g, FIRST, SECOND, THIRD, FF, GG) \
    expand_step(e, &at, block, g);            \
    FIRST(FF, GG, 3 * (g));                   \
    SECOND(FF, GG, 3 * (g) + 1);              \
    THIRD(FF, GG, 3 * (g) + 2);

#define FOUR_STEPS(g, FF, GG)                        \
    STEP(g, ROUND_0, ROUND_1, ROUND_2, FF, GG)       \
    STEP((g) + 1, ROUND_3, ROUND_0, ROUND_1, FF, GG) \
    STEP((g) + 2, ROUND_2, ROUND_3, ROUND_0, FF, GG) \
    STEP((g) + 3, ROUND_1, ROUND_2, ROUND_3, FF, GG)

/* One block. Inlined, so that the expansion has its place on the stack and its address no register: the rounds need all
 * that there are. */
static inline __attribute__((always_inline)) void compress(uint32_t v[8], const uint8_t block[64], expansion *e)
{
    window at = expand_start(e, block);
    uint32_t s[8];
    for (int i = 0; i < 8; i++)
        s[i] = v[i];
    FOUR_STEPS(0, PARITY, PARITY)
    STEP(4, ROUND_0, ROUND_1, ROUND_2, PARITY, PARITY)
    expand_step(e, &at, block, 5);
    ROUND_3(PARITY, PARITY, 15);
    ROUND_0(MAJORITY, CHOICE, 16);
    ROUND_1(MAJORITY, CHOICE, 17);
    STEP(6, ROUND_2, ROUND_3, ROUND_0, MAJORITY, CHOICE)
    STEP(7, ROUND_1, ROUND_2, ROUND_3, MAJORITY, CHOICE)
    FOUR_STEPS(8, MAJORITY, CHOICE)
    FOUR_STEPS(12, MAJORITY, CHOICE)
    FOUR_STEPS(16, MAJORITY, CHOICE)
    STEP(20, ROUND_0, ROUND_1, ROUND_2, MAJORITY, CHOICE)
    ROUND_3(MAJORITY, CHOICE, 63);
    for (int i = 0; i < 8; i++)
        v[i] ^= s[i];
}

void ehc_sm3_compress_bmi2(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    expansion e;
    for (; count > 0; count--, blocks += 64)
        compress(state, blocks, &e);
    ehc_wipe(&e, sizeof e);
}

#include "lanes_end.h"
#endif
