/* lanes_avx2.h: eight 32-bit lanes on AVX2, the SM4 S-box on AES-NI; with LANES_VAES defined, on VAES. Included by the
 * x8_avx2 and x8_vaes kernels only.
 *
 * A vector holds one 32-bit word of eight independent rows. The S-box of SM4 is affine-equivalent to that of AES:
 * S(x) = POST(AES_S(PRE(x))) (the field isomorphism is derived, and all 256 inputs tested, in
 * tests/native/test_affine.py), so AESENCLAST with a zero key does the inversion; an affine map is two look-ups in
 * registers, by low and by high nibble. No memory is indexed by a secret. */
#ifndef EHC_LANES_AVX2_H
#define EHC_LANES_AVX2_H

#if defined(__clang__) && defined(LANES_VAES)
#pragma clang attribute push(__attribute__((target("avx2,aes,vaes"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,aes"))), apply_to = function)
#elif defined(LANES_VAES)
#pragma GCC target("avx2,aes,vaes")
#else
#pragma GCC target("avx2,aes")
#endif

#include <immintrin.h>

#include "base.h"

enum { LANES = 8 };
typedef __m256i vec;

#define REPEAT16(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

static inline vec v_xor(vec a, vec b)
{
    return _mm256_xor_si256(a, b);
}

static inline vec v_add(vec a, vec b)
{
    return _mm256_add_epi32(a, b);
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

/* Byte b of every 32-bit word, taken from byte SHIFTED(b), is where AESENCLAST's ShiftRows put the wanted byte:
 * these four undo it and rotate the word left by 0, 8, 16 and 24 bits. */
#define ROTATE_0 REPEAT16(0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3)
#define ROTATE_8 REPEAT16(7, 0, 13, 10, 11, 4, 1, 14, 15, 8, 5, 2, 3, 12, 9, 6)
#define ROTATE_16 REPEAT16(10, 7, 0, 13, 14, 11, 4, 1, 2, 15, 8, 5, 6, 3, 12, 9)
#define ROTATE_24 REPEAT16(13, 10, 7, 0, 1, 14, 11, 4, 5, 2, 15, 8, 9, 6, 3, 12)

#define PRE_LOW REPEAT16(0x3E, -0x4E, 0x0E, -0x7E, -0x45, 0x37, -0x75, 0x07, -0x5F, 0x2D, -0x6F, 0x1D, 0x24, -0x58, 0x14, -0x68)
#define PRE_HIGH REPEAT16(0x00, -0x24, 0x2E, -0x0E, -0x3B, 0x19, -0x15, 0x37, 0x08, -0x2C, 0x26, -0x06, -0x33, 0x11, -0x1D, 0x3F)
#define POST_LOW REPEAT16(0x6C, -0x2C, -0x5A, 0x1E, 0x52, -0x16, -0x68, 0x20, 0x0B, -0x4D, -0x3F, 0x79, 0x35, -0x73, -0x01, 0x47)
#define POST_HIGH REPEAT16(0x00, -0x20, 0x50, -0x50, -0x63, 0x7D, -0x33, 0x2D, -0x40, 0x20, -0x70, 0x70, 0x5D, -0x43, 0x0D, -0x13)

static inline vec affine(vec x, vec low, vec high)
{
    vec nibble = _mm256_set1_epi8(15);
    vec h = _mm256_and_si256(_mm256_srli_epi32(x, 4), nibble);
    return v_xor(_mm256_shuffle_epi8(low, _mm256_and_si256(x, nibble)), _mm256_shuffle_epi8(high, h));
}

static inline vec aes_last_round(vec x)
{
#if defined(LANES_VAES)
    return _mm256_aesenclast_epi128(x, _mm256_setzero_si256());
#else
    __m128i zero = _mm_setzero_si128();
    __m128i low = _mm_aesenclast_si128(_mm256_castsi256_si128(x), zero);
    __m128i high = _mm_aesenclast_si128(_mm256_extracti128_si256(x, 1), zero);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
#endif
}

/* The S-box on every byte, in the order that AESENCLAST leaves. */
static inline vec sbox_shifted(vec x)
{
    return affine(aes_last_round(affine(x, PRE_LOW, PRE_HIGH)), POST_LOW, POST_HIGH);
}

/* T of GB/T 32907 6.2: L(B) = B ^ B<<<24 ^ (B ^ B<<<8 ^ B<<<16)<<<2. */
static inline vec sm4_t(vec x)
{
    vec b = sbox_shifted(x);
    vec r0 = _mm256_shuffle_epi8(b, ROTATE_0), r8 = _mm256_shuffle_epi8(b, ROTATE_8);
    vec r16 = _mm256_shuffle_epi8(b, ROTATE_16), r24 = _mm256_shuffle_epi8(b, ROTATE_24);
    return v_xor(v_xor(r0, r24), v_rotl(v_xor(v_xor(r0, r8), r16), 2));
}

/* T' of 7.3: L'(B) = B ^ B<<<13 ^ B<<<23. */
static inline vec sm4_t_key(vec x)
{
    vec b = _mm256_shuffle_epi8(sbox_shifted(x), ROTATE_0);
    return v_xor(b, v_xor(v_rotl(b, 13), v_rotl(b, 23)));
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

/* The way back, row by row to its own place. */
static inline void v_store_rows(const vec w[8], uint8_t *const rows[8])
{
    vec r[8];
    memcpy(r, w, sizeof r);
    transpose(r);
    for (size_t i = 0; i < 8; i++)
        _mm256_storeu_si256((__m256i *)(void *)rows[i], swap_bytes(r[i]));
}

/* 32 bytes of `from` where `keep` is all ones, zero where it is zero. */
static inline void v_stage32(uint8_t *to, const uint8_t *from, const uint8_t *keep)
{
    vec bytes = _mm256_loadu_si256((const __m256i *)(const void *)from);
    vec mask = _mm256_loadu_si256((const __m256i *)(const void *)keep);
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_and_si256(bytes, mask));
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
