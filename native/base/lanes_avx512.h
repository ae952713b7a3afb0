/* lanes_avx512.h: sixteen 32-bit lanes on AVX-512, the SM4 S-box on GFNI. Included by the x16_avx512 kernels only.
 *
 * A vector holds one 32-bit word of sixteen independent rows. GF2P8AFFINEINVQB inverts in the AES field and applies an
 * affine map; the one before it carries a byte from the SM4 field into the AES field (tests/native/test_affine.py). */
#ifndef EHC_LANES_AVX512_H
#define EHC_LANES_AVX512_H

#if defined(EHC_SIMDE) /* the intrinsics in plain C: tests/native/test_simde.py */
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,gfni"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,gfni,prefer-vector-width=512")
#endif

#if defined(EHC_SIMDE)
#include EHC_SIMDE
#else
#include <immintrin.h>
#endif

#include "base.h"

/* Keeps the values of a round of SM3 apart: gcc's own order of it is slower. */
#if defined(EHC_SIMDE)
#define IN_ORDER(v) (void)(v)
#else
#define IN_ORDER(v) __asm__("" : "+v"(v))
#endif

enum { LANES = 16 };
typedef __m512i vec;

static inline vec v_xor(vec a, vec b)
{
    return _mm512_xor_si512(a, b);
}

static inline vec v_add(vec a, vec b)
{
    return _mm512_add_epi32(a, b);
}

static inline vec v_set(uint32_t x)
{
    return _mm512_set1_epi32((int)x);
}

static inline uint32_t v_first(vec a)
{
    return (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(a));
}

/* Three-input logic: the immediate is the truth table. */
static inline vec v_not(vec a)
{
    return _mm512_ternarylogic_epi32(a, a, a, 0x55);
}

static inline vec v_majority(vec x, vec y, vec z)
{
    return _mm512_ternarylogic_epi32(x, y, z, 0xE8);
}

static inline vec v_choose(vec x, vec y, vec z)
{
    return _mm512_ternarylogic_epi32(x, y, z, 0xCA);
}

#define v_rotl8(x) _mm512_rol_epi32(x, 8)
#define v_rotl(x, n) _mm512_rol_epi32(x, n)

#define PRE 0x4C287DB91A22505DLL
#define PRE_CONSTANT 0x3E
#define POST (-0x0C54CB568B594A77LL) /* 0xF3AB34A974A6B589 */
#define POST_CONSTANT 0xD3

static inline vec sbox(vec x)
{
    vec y = _mm512_gf2p8affine_epi64_epi8(x, _mm512_set1_epi64(PRE), PRE_CONSTANT);
    return _mm512_gf2p8affineinv_epi64_epi8(y, _mm512_set1_epi64(POST), POST_CONSTANT);
}

/* The affine maps cost one instruction each here: words stay in the field of SM4. */
#define sm4_enter(x) (x)
#define sm4_leave(x) (x)
#define sm4_enter_key(x) (x)
#define sm4_leave_key(x) (x)

/* T and T' of GB/T 32907 6.2 and 7.3. */
static inline vec sm4_t(vec x)
{
    vec b = sbox(x);
    return v_xor(v_xor(v_xor(b, v_rotl(b, 2)), v_xor(v_rotl(b, 10), v_rotl(b, 18))), v_rotl(b, 24));
}

static inline vec sm4_t_key(vec x)
{
    vec b = sbox(x);
    return v_xor(b, v_xor(v_rotl(b, 13), v_rotl(b, 23)));
}

static inline vec swap_bytes(vec x)
{
    return _mm512_shuffle_epi8(
        x, _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)));
}

/* Rows i and i + 8, 32 bytes each, in one vector. */
static inline vec load_pair(const uint8_t *low, const uint8_t *high)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)low);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)high);
    return swap_bytes(_mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1));
}

/* Two 8×8 transposes of 32-bit words side by side: in, r[i] holds row i in its low and row i + 8 in its high half;
 * out, r[i] holds word i of all sixteen rows in order. */
static inline void transpose(vec r[8])
{
    vec t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* u[i] = quarters (rows 0-3 word i | word i + 4 | rows 8-11 word i | word i + 4), u[i + 4] likewise of rows 4-7 */
    const vec low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_permutex2var_epi64(u[i], low, u[i + 4]);
        r[i + 4] = _mm512_permutex2var_epi64(u[i], high, u[i + 4]);
    }
}

/* Words 0..7 (big-endian, 32 bytes) of LANES rows that lie `stride` bytes apart, into w[word], lane = row. */
static inline void v_load_rows(const uint8_t *rows, size_t stride, vec w[8])
{
    for (size_t i = 0; i < 8; i++)
        w[i] = load_pair(rows + i * stride, rows + (i + 8) * stride);
    transpose(w);
}

/* The way back, row by row to its own place. The same transpose, since it is its own inverse on each half. */
static inline void v_store_rows(const vec w[8], uint8_t *const rows[16])
{
    vec r[8];
    memcpy(r, w, sizeof r);
    transpose(r);
    for (size_t i = 0; i < 8; i++) {
        vec bytes = swap_bytes(r[i]);
        _mm256_storeu_si256((__m256i *)(void *)rows[i], _mm512_castsi512_si256(bytes));
        _mm256_storeu_si256((__m256i *)(void *)rows[i + 8], _mm512_extracti64x4_epi64(bytes, 1));
    }
}

/* 32 bytes of `from` where `keep` is all ones, zero where it is zero. */
static inline void v_stage32(uint8_t *to, const uint8_t *from, const uint8_t *keep)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)from);
    __m256i mask = _mm256_loadu_si256((const __m256i *)(const void *)keep);
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_and_si256(bytes, mask));
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
    for (size_t i = 0; i < 8; i++) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(blocks + 16 * i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(blocks + 16 * (i + 8)));
        r[i] = swap_bytes(_mm512_inserti32x4(_mm512_castsi128_si512(a), b, 2));
    }
    transpose(r);
    memcpy(w, r, 4 * sizeof *w);
}

static inline void v_store_blocks(const vec w[4], uint8_t *blocks)
{
    vec r[8];
    for (int i = 0; i < 4; i++)
        r[i] = r[i + 4] = swap_bytes(w[i]);
    transpose(r);
    for (size_t i = 0; i < 8; i++) {
        _mm_storeu_si128((__m128i *)(void *)(blocks + 16 * i), _mm512_castsi512_si128(r[i]));
        _mm_storeu_si128((__m128i *)(void *)(blocks + 16 * (i + 8)), _mm512_extracti32x4_epi32(r[i], 2));
    }
}

#endif
