/* lanes_sm_ni.h: eight 32-bit lanes on AVX2 beside the SM3 and SM4 instructions of x86-64 (Intel SDM volume 2, VSM3MSG1,
 * VSM3MSG2, VSM3RNDS2, VSM4KEY4, VSM4RNDS4). Included by the sm_ni kernels only.
 *
 * A vector holds one 32-bit word of eight independent rows, or, where the instructions work on it, two blocks. The
 * compilers that have the instructions (gcc 14, clang 17 and later) have a header of that name; without it a kernel file
 * is empty and the tier is not in the table. EHC_SM_NI names a header that has them in plain C
 * (native/tests/sm_ni_in_c.h). No memory is indexed by a secret. */
#ifndef EHC_LANES_SM_NI_H
#define EHC_LANES_SM_NI_H

#if defined(EHC_SIMDE) /* all intrinsics in plain C: tests/native/test_simde.py */
#elif defined(__clang__) && defined(EHC_SM_NI)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,sm3,sm4"))), apply_to = function)
#elif defined(EHC_SM_NI)
#pragma GCC target("avx2")
#else
#pragma GCC target("avx2,sm3,sm4")
#endif

#if defined(EHC_SIMDE)
#include EHC_SIMDE
#else
#include <immintrin.h>
#endif
#if defined(EHC_SM_NI)
#include EHC_SM_NI
#endif

#include "base.h"

enum { LANES = 8 };
typedef __m256i vec;

static inline vec v_xor(vec a, vec b)
{
    return _mm256_xor_si256(a, b);
}

static inline vec v_not(vec a)
{
    return _mm256_xor_si256(a, _mm256_set1_epi32(-1));
}

static inline vec v_set(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

static inline vec v_rotl(vec x, int n)
{
    return _mm256_or_si256(_mm256_slli_epi32(x, n), _mm256_srli_epi32(x, 32 - n));
}

/* Byte order of every word; and of whole blocks, so that the words turn round too. */
static inline vec swap_bytes(vec x)
{
    return _mm256_shuffle_epi8(x, _mm256_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7,
                                                   6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

static inline vec v_turn_blocks(vec x)
{
    return _mm256_shuffle_epi8(x, _mm256_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12,
                                                   11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}

/* The four words in every block, and the other way round. */
static inline vec v_quad(const uint32_t words[4])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)words));
}

static inline void v_first_quad(vec x, uint32_t words[4])
{
    _mm_storeu_si128((__m128i *)(void *)words, _mm256_castsi256_si128(x));
}

static inline vec v_turn_words(vec x)
{
    return _mm256_shuffle_epi32(x, 0x1B);
}

/* Four rounds of SM4 (GB/T 32907 6.2), and of its key schedule (7.3), for every block. Operands as in the Software
 * Developer's Manual: the state is the first source, round keys or constants are the second. (clang's header has them
 * the other way round in its comment, not in its code.) */
static inline vec v_sm4_rounds(vec blocks, vec round_keys)
{
    return _mm256_sm4rnds4_epi32(blocks, round_keys);
}

static inline vec v_sm4_keys(vec keys, vec constants)
{
    return _mm256_sm4key4_epi32(keys, constants);
}

/* 4×4 transpose of 32-bit words in either half: rows i and i + 4 in r[i] to word i of all rows, and back. */
static inline void transpose(vec r[4])
{
    vec even0 = _mm256_unpacklo_epi32(r[0], r[1]), odd0 = _mm256_unpackhi_epi32(r[0], r[1]);
    vec even1 = _mm256_unpacklo_epi32(r[2], r[3]), odd1 = _mm256_unpackhi_epi32(r[2], r[3]);
    r[0] = _mm256_unpacklo_epi64(even0, even1);
    r[1] = _mm256_unpackhi_epi64(even0, even1);
    r[2] = _mm256_unpacklo_epi64(odd0, odd1);
    r[3] = _mm256_unpackhi_epi64(odd0, odd1);
}

static inline __m128i load_block(const uint8_t *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

/* Words 0..3 of rows that lie `stride` bytes apart, into w[word], lane = row; and back, row by row to its own place. */
static inline void load_quads(const uint8_t *rows, size_t stride, vec w[4])
{
    for (size_t i = 0; i < 4; i++) {
        vec pair = _mm256_castsi128_si256(load_block(rows + i * stride));
        w[i] = swap_bytes(_mm256_inserti128_si256(pair, load_block(rows + (i + 4) * stride), 1));
    }
    transpose(w);
}

static inline void store_quads(const vec w[4], uint8_t *const rows[8], size_t at)
{
    vec r[4];
    memcpy(r, w, sizeof r);
    transpose(r);
    for (size_t i = 0; i < 4; i++) {
        vec bytes = swap_bytes(r[i]);
        _mm_storeu_si128((__m128i *)(void *)(rows[i] + at), _mm256_castsi256_si128(bytes));
        _mm_storeu_si128((__m128i *)(void *)(rows[i + 4] + at), _mm256_extracti128_si256(bytes, 1));
    }
}

/* Words 0..7 (big-endian, 32 bytes) of LANES rows, and back. */
static inline void v_load_rows(const uint8_t *rows, size_t stride, vec w[8])
{
    load_quads(rows, stride, w);
    load_quads(rows + 16, stride, w + 4);
}

static inline void v_store_rows(const vec w[8], uint8_t *const rows[8])
{
    store_quads(w, rows, 0);
    store_quads(w + 4, rows, 16);
}

/* 32 bytes of `from` where `keep` is all ones, zero where it is zero. */
static inline void v_stage32(uint8_t *to, const uint8_t *from, const uint8_t *keep)
{
    vec bytes = _mm256_loadu_si256((const __m256i *)(const void *)from);
    vec mask = _mm256_loadu_si256((const __m256i *)(const void *)keep);
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
    load_quads(blocks, 16, w);
}

static inline void v_store_blocks(const vec w[4], uint8_t *blocks)
{
    uint8_t *rows[LANES];
    for (size_t i = 0; i < LANES; i++)
        rows[i] = blocks + 16 * i;
    store_quads(w, rows, 0);
}

/* As many whole blocks as a vector holds. */
static inline vec v_load_bytes(const uint8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

static inline void v_store_bytes(vec x, uint8_t *to)
{
    _mm256_storeu_si256((__m256i *)(void *)to, x);
}

#endif
