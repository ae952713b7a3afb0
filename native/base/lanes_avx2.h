/* lanes_avx2.h: eight 32-bit lanes on AVX2, the SM4 S-box on AES-NI; with LANES_VAES defined, on VAES. Included by the
 * x8_avx2 and x8_vaes kernels only.
 *
 * A vector holds one 32-bit word of eight independent rows. The S-box of SM4 is affine-equivalent to that of AES:
 * S(x) = POST(AES_S(PRE(x))) (the field isomorphism is derived, and all 256 inputs tested, in
 * tests/native/test_affine.py), so AESENCLAST with a zero key does the inversion; an affine map is two look-ups in
 * registers, by low and by high nibble. No memory is indexed by a secret. */
#ifndef EHC_LANES_AVX2_H
#define EHC_LANES_AVX2_H

#if defined(EHC_SIMDE) /* the intrinsics in plain C: tests/native/test_simde.py */
#elif defined(__clang__) && defined(LANES_VAES)
#pragma clang attribute push(__attribute__((target("avx2,aes,vaes"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,aes"))), apply_to = function)
#elif defined(LANES_VAES)
#pragma GCC target("avx2,aes,vaes")
#else
#pragma GCC target("avx2,aes")
#endif

#if defined(EHC_SIMDE)
#include EHC_SIMDE
#else
#include <immintrin.h>
#endif

#include "base.h"

enum { LANES = 8 };
typedef __m256i vec;

#define SM3_VECTORS 1 /* sixteen registers hold the state of one */
#define SM3_SHIFTS    /* a rotation takes three operations, a constant of all lanes a load: SM3 spares both */

/* Keeps the order of the source: gcc's own schedule of a round holds more values than there are registers. */
#if defined(EHC_SIMDE)
#define IN_ORDER(v) (void)(v)
#else
#define IN_ORDER(v) __asm__ volatile("" : "+x"(v))
#endif

#define REPEAT16(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

static inline vec v_xor(vec a, vec b)
{
    return _mm256_xor_si256(a, b);
}

static inline vec v_add(vec a, vec b)
{
    return _mm256_add_epi32(a, b);
}

static inline vec v_sub(vec a, vec b)
{
    return _mm256_sub_epi32(a, b);
}

static inline vec v_set(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

static inline uint32_t v_first(vec a)
{
    return (uint32_t)_mm256_cvtsi256_si32(a);
}

static inline vec v_not(vec a)
{
    return _mm256_xor_si256(a, _mm256_set1_epi32(-1));
}

/* (x & y) | (x & z) | (y & z), and (x & y) | (~x & z), in three operations each. */
static inline vec v_majority(vec x, vec y, vec z)
{
    return _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)));
}

static inline vec v_choose(vec x, vec y, vec z)
{
    return v_xor(_mm256_and_si256(v_xor(y, z), x), z);
}

static inline vec v_rotl(vec x, int n)
{
    return _mm256_or_si256(_mm256_slli_epi32(x, n), _mm256_srli_epi32(x, 32 - n));
}

static inline vec v_rotl8(vec x)
{
    return _mm256_shuffle_epi8(x, REPEAT16(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
}

/* Byte b of every 32-bit word, taken from byte SHIFTED(b), is where AESENCLAST's ShiftRows put the wanted byte:
 * these four undo it and rotate the word left by 0, 8, 16 and 24 bits. */
#define ROTATE_0 REPEAT16(0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3)
#define ROTATE_8 REPEAT16(7, 0, 13, 10, 11, 4, 1, 14, 15, 8, 5, 2, 3, 12, 9, 6)
#define ROTATE_16 REPEAT16(10, 7, 0, 13, 14, 11, 4, 1, 2, 15, 8, 5, 6, 3, 12, 9)
#define ROTATE_24 REPEAT16(13, 10, 7, 0, 1, 14, 11, 4, 5, 2, 15, 8, 9, 6, 3, 12)

#define ENTER_LOW \
    REPEAT16(0x00, -0x74, 0x30, -0x44, -0x7B, 0x09, -0x4B, 0x39, -0x61, 0x13, -0x51, 0x23, 0x1A, -0x6A, 0x2A, -0x5A)
#define ENTER_HIGH \
    REPEAT16(0x00, -0x24, 0x2E, -0x0E, -0x3B, 0x19, -0x15, 0x37, 0x08, -0x2C, 0x26, -0x06, -0x33, 0x11, -0x1D, 0x3F)
#define LEAVE_LOW \
    REPEAT16(0x00, -0x7B, -0x27, 0x5C, 0x2E, -0x55, -0x09, 0x72, -0x80, 0x05, 0x59, -0x24, -0x52, 0x2B, 0x77, -0x0E)
#define LEAVE_HIGH \
    REPEAT16(0x00, 0x55, 0x57, 0x02, 0x44, 0x11, 0x13, 0x46, -0x51, -0x06, -0x08, -0x53, -0x15, -0x42, -0x44, -0x17)
#define POST_LOW \
    REPEAT16(0x6C, -0x2C, -0x5A, 0x1E, 0x52, -0x16, -0x68, 0x20, 0x0B, -0x4D, -0x3F, 0x79, 0x35, -0x73, -0x01, 0x47)
#define POST_HIGH \
    REPEAT16(0x00, -0x20, 0x50, -0x50, -0x63, 0x7D, -0x33, 0x2D, -0x40, 0x20, -0x70, 0x70, 0x5D, -0x43, 0x0D, -0x13)
#define POST_P_LOW \
    REPEAT16(0x0B, -0x73, -0x28, 0x5E, 0x73, -0x0B, -0x60, 0x26, 0x17, -0x6F, -0x3C, 0x42, 0x6F, -0x17, -0x44, 0x3A)
#define POST_P_HIGH \
    REPEAT16(0x00, -0x15, -0x24, 0x37, -0x10, 0x1B, 0x2C, -0x39, -0x33, 0x26, 0x11, -0x06, 0x3D, -0x2A, -0x1F, 0x0A)
#define POST_Q_LOW \
    REPEAT16(0x76, -0x5B, 0x7B, -0x58, -0x2A, 0x05, -0x25, 0x08, 0x34, -0x19, 0x39, -0x16, -0x6C, 0x47, -0x67, 0x4A)
#define POST_Q_HIGH \
    REPEAT16(0x00, -0x4C, 0x49, -0x03, -0x7E, 0x36, -0x35, 0x7F, -0x44, 0x08, -0x0B, 0x41, 0x3E, -0x76, 0x77, -0x3D)

/* For slices (sm4_slices_body.h): P + Q; and of the key schedule M_0, M_2 and M_3, each with M_1, and M_1 alone without
 * the constant of POST. */
#define POST_R_LOW \
    REPEAT16(0x7D, 0x28, -0x5D, -0x0A, -0x5B, -0x10, 0x7B, 0x2E, 0x23, 0x76, -0x03, -0x58, -0x05, -0x52, 0x25, 0x70)
#define POST_R_HIGH \
    REPEAT16(0x00, 0x5F, -0x6B, -0x36, 0x72, 0x2D, -0x19, -0x48, 0x71, 0x2E, -0x1C, -0x45, 0x03, 0x5C, -0x6A, -0x37)
#define KEY_0_LOW \
    REPEAT16(-0x07, -0x64, 0x5E, 0x3B, -0x14, -0x77, 0x4B, 0x2E, -0x38, -0x53, 0x6F, 0x0A, -0x23, -0x48, 0x7A, 0x1F)
#define KEY_0_HIGH \
    REPEAT16(0x00, -0x1D, 0x19, -0x06, 0x64, -0x79, 0x7D, -0x62, -0x33, 0x2E, -0x2C, 0x37, -0x57, 0x4A, -0x50, 0x53)
#define KEY_2_LOW \
    REPEAT16(-0x62, 0x7B, -0x6C, 0x71, 0x6A, -0x71, 0x60, -0x7B, 0x6F, -0x76, 0x65, -0x80, -0x65, 0x7E, -0x6F, 0x74)
#define KEY_2_HIGH \
    REPEAT16(0x00, -0x3A, -0x51, 0x69, 0x4E, -0x78, -0x1F, 0x27, 0x43, -0x7B, -0x14, 0x2A, 0x0D, -0x35, -0x5E, 0x64)
#define KEY_3_LOW \
    REPEAT16(0x4F, 0x4C, 0x68, 0x6B, -0x08, -0x05, -0x21, -0x24, -0x1E, -0x1F, -0x3B, -0x3A, 0x55, 0x56, 0x72, 0x71)
#define KEY_3_HIGH \
    REPEAT16(0x00, 0x37, -0x4F, -0x7A, -0x37, -0x02, 0x78, 0x4F, -0x15, -0x24, 0x5A, 0x6D, 0x22, 0x15, -0x6D, -0x5C)
#define KEY_SUM_LOW \
    REPEAT16(0x00, 0x00, -0x3B, -0x3B, -0x33, -0x33, 0x08, 0x08, -0x1D, -0x1D, 0x26, 0x26, 0x2E, 0x2E, -0x15, -0x15)
#define KEY_SUM_HIGH \
    REPEAT16(0x00, 0x00, 0x00, 0x00, 0x26, 0x26, 0x26, 0x26, 0x00, 0x00, 0x00, 0x00, 0x26, 0x26, 0x26, 0x26)

typedef struct {
    vec low, high;
} nibbles;

static inline nibbles split(vec x)
{
    vec mask = _mm256_set1_epi8(15);
    return (nibbles){_mm256_and_si256(x, mask), _mm256_and_si256(_mm256_srli_epi32(x, 4), mask)};
}

/* An affine map of every byte: the image of its low nibble plus that of its high one. */
static inline vec look_up(nibbles x, vec low, vec high)
{
    return v_xor(_mm256_shuffle_epi8(low, x.low), _mm256_shuffle_epi8(high, x.high));
}

static inline vec aes_last_round_key(vec x, vec key)
{
#if defined(LANES_VAES)
    return _mm256_aesenclast_epi128(x, key);
#else
    __m128i k = _mm256_castsi256_si128(key);
    __m128i low = _mm_aesenclast_si128(_mm256_castsi256_si128(x), k);
    __m128i high = _mm_aesenclast_si128(_mm256_extracti128_si256(x, 1), k);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
#endif
}

static inline vec aes_last_round(vec x)
{
    return aes_last_round_key(x, _mm256_setzero_si256());
}

/* Words in the AES field: a block enters once, stays there through all rounds, and leaves once. */
static inline vec sm4_enter(vec x)
{
    return look_up(split(x), ENTER_LOW, ENTER_HIGH);
}

static inline vec sm4_leave(vec x)
{
    return look_up(split(x), LEAVE_LOW, LEAVE_HIGH);
}

/* Keys carry the constant of PRE, so that three state words plus a round key are PRE of their sum. */
static inline vec sm4_enter_key(vec x)
{
    return v_xor(sm4_enter(x), _mm256_set1_epi8(0x3E));
}

static inline vec sm4_leave_key(vec x)
{
    return sm4_leave(v_xor(x, _mm256_set1_epi8(0x3E)));
}

/* T of GB/T 32907 6.2 inside the AES field. Byte k of L(B) is (B_k ^ B_k<<2) ^ r(B_k+1) ^ r(B_k+2) ^ (B_k+3 ^ B_k+3>>6),
 * r rotating a byte by two; P and Q are the first map and r behind POST, and P + Q is the last. */
static inline vec sm4_t(vec x)
{
    nibbles z = split(aes_last_round(x));
    vec p = look_up(z, POST_P_LOW, POST_P_HIGH), q = look_up(z, POST_Q_LOW, POST_Q_HIGH);
    vec near = v_xor(_mm256_shuffle_epi8(p, ROTATE_0), _mm256_shuffle_epi8(q, ROTATE_8));
    return v_xor(near, v_xor(_mm256_shuffle_epi8(q, ROTATE_16), _mm256_shuffle_epi8(v_xor(p, q), ROTATE_24)));
}

/* ready + T where the words of a half are all alike (sm4_one), so that ShiftRows changes nothing. A chain of 32 rounds is
 * all that counts there, and its order: what the shuffles of the rotations wait for goes first. The upper half means
 * nothing. */
#define SM4_ALIKE
static inline vec sm4_t_alike(vec ready, vec x)
{
    __m128i half = _mm_aesenclast_si128(_mm256_castsi256_si128(x), _mm_setzero_si128());
    nibbles z = split(_mm256_castsi128_si256(half));
    vec q = _mm256_shuffle_epi8(POST_Q_LOW, z.low), r = _mm256_shuffle_epi8(POST_R_LOW, z.low);
    IN_ORDER(q);
    IN_ORDER(r);
    vec r_high = _mm256_shuffle_epi8(POST_R_HIGH, z.high);
    IN_ORDER(r_high);
    vec q_high = _mm256_shuffle_epi8(POST_Q_HIGH, z.high);
    IN_ORDER(q_high);
    vec p = v_xor(ready, _mm256_shuffle_epi8(POST_P_LOW, z.low));
    IN_ORDER(p);
    p = v_xor(p, _mm256_shuffle_epi8(POST_P_HIGH, z.high));
    IN_ORDER(p);
    r = _mm256_shuffle_epi8(v_xor(r, r_high), ROTATE_24);
    IN_ORDER(r);
    q = v_xor(q, q_high);
    vec q_8 = _mm256_shuffle_epi8(q, ROTATE_8);
    IN_ORDER(q_8);
    p = v_xor(p, r);
    IN_ORDER(p);
    return v_xor(p, v_xor(q_8, _mm256_shuffle_epi8(q, ROTATE_16)));
}

/* T' of 7.3: L'(B) = B ^ B<<<13 ^ B<<<23. */
static inline vec sm4_t_key(vec x)
{
    vec b = _mm256_shuffle_epi8(look_up(split(aes_last_round(x)), POST_LOW, POST_HIGH), ROTATE_0);
    return sm4_enter(v_xor(b, v_xor(v_rotl(b, 13), v_rotl(b, 23))));
}

/* T' where the words of a half are all alike: byte k of L' is M_0(B_k) + M_1(B_k+1) + M_2(B_k+2) + M_3(B_k+3), and of the
 * tables for slices KEY_SUM is M_1, the others M_0, M_2 and M_3 with it. */
static inline vec sm4_t_key_alike(vec x)
{
    __m128i half = _mm_aesenclast_si128(_mm256_castsi256_si128(x), _mm_setzero_si128());
    nibbles z = split(_mm256_castsi128_si256(half));
    vec m1 = look_up(z, KEY_SUM_LOW, KEY_SUM_HIGH);
    vec m0 = look_up(z, v_xor(KEY_0_LOW, KEY_SUM_LOW), v_xor(KEY_0_HIGH, KEY_SUM_HIGH));
    vec m2 = look_up(z, v_xor(KEY_2_LOW, KEY_SUM_LOW), v_xor(KEY_2_HIGH, KEY_SUM_HIGH));
    vec m3 = look_up(z, v_xor(KEY_3_LOW, KEY_SUM_LOW), v_xor(KEY_3_HIGH, KEY_SUM_HIGH));
    return v_xor(v_xor(m0, _mm256_shuffle_epi8(m1, ROTATE_8)),
                 v_xor(_mm256_shuffle_epi8(m2, ROTATE_16), _mm256_shuffle_epi8(m3, ROTATE_24)));
}

static inline vec swap_bytes(vec x)
{
    return _mm256_shuffle_epi8(x, REPEAT16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

/* 8×8 transpose of 32-bit words, in place. */
static inline void transpose(vec r[8])
{
    vec t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
    }
}

/* Words 0..7 (big-endian, 32 bytes) of LANES rows that lie `stride` bytes apart, into w[word], lane = row. */
static inline void v_load_rows(const uint8_t *rows, size_t stride, vec w[8])
{
    for (size_t i = 0; i < 8; i++)
        w[i] = swap_bytes(_mm256_loadu_si256((const __m256i *)(const void *)(rows + i * stride)));
    transpose(w);
}

/* The same of rows that lie anywhere, from their byte `at` on. */
static inline void v_load_scattered(const uint8_t *const rows[8], size_t at, vec w[8])
{
    for (size_t i = 0; i < 8; i++)
        w[i] = swap_bytes(_mm256_loadu_si256((const __m256i *)(const void *)(rows[i] + at)));
    transpose(w);
}

/* Rows padded in lanes, not before they are loaded. left: how many bits of its row a word and what follows it hold; less
 * than none behind the row. v_keep: what of the word belongs to the row; v_one_bit: SM3's bit behind it, in its word. */
#define V_PADS
static inline vec v_keep(vec word, vec left)
{
    vec behind = _mm256_srlv_epi32(_mm256_set1_epi32(-1), _mm256_max_epi32(left, _mm256_setzero_si256()));
    return _mm256_andnot_si256(behind, word);
}

static inline vec v_one_bit(vec left)
{
    return _mm256_srlv_epi32(_mm256_set1_epi32(INT32_MIN), left);
}

static inline int v_any_above(vec a, vec b)
{
    return _mm256_movemask_epi8(_mm256_cmpgt_epi32(a, b)) != 0;
}

/* The way back, row by row to its own place. */
static inline void v_store_rows(const vec w[8], uint8_t *const rows[8])
{
    vec r[8];
    memcpy(r, w, sizeof r);
    transpose(r);
    for (size_t i = 0; i < 8; i++)
        _mm256_storeu_si256((__m256i *)(void *)rows[i], swap_bytes(r[i]));
}

/* Bit k: byte k at `from` is one of 0x20 to 0x7E. */
#define V_PRINTABLE
static inline uint32_t v_printable(const uint8_t *from)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)from); /* from 0x80 on: negative */
    __m256i above = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8(0x1F)), below = _mm256_set1_epi8(0x7F);
    return (uint32_t)_mm256_movemask_epi8(_mm256_and_si256(above, _mm256_cmpgt_epi8(below, bytes)));
}

/* Words 0..3 of LANES 16-byte blocks in a row, and back. */
static inline void v_load_blocks(const uint8_t *blocks, vec w[4])
{
    vec r[8];
    for (int i = 0; i < 8; i++)
        r[i] = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(blocks + 16 * i)));
    transpose(r);
    for (int i = 0; i < 4; i++)
        w[i] = swap_bytes(r[i]);
}

static inline void v_store_blocks(const vec w[4], uint8_t *blocks)
{
    vec r[8];
    for (int i = 0; i < 4; i++)
        r[i] = r[i + 4] = swap_bytes(w[i]);
    transpose(r);
    for (int i = 0; i < 8; i++)
        _mm_storeu_si128((__m128i *)(void *)(blocks + 16 * i), _mm256_castsi256_si128(r[i]));
}

#endif
