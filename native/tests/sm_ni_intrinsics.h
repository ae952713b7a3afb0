/* sm_ni_intrinsics.h: the intrinsics of the SM3 and SM4 instructions of x86-64 without the instructions. Compile the kernels
 * with -DEHC_SM_NI='"sm_ni_intrinsics.h"': the tier sm_ni then comes out of any compiler and runs on any processor (with
 * AVX2, or through SIMDe). Included by base/lanes_sm_ni.h behind the other intrinsics. */
#ifndef EHC_SM_NI_INTRINSICS_H
#define EHC_SM_NI_INTRINSICS_H

#include "sm_ni_in_c.h"

static inline __m128i emulated_sm3(__m128i x, __m128i y, __m128i z, int which, unsigned imm8)
{
    uint32_t d[4], a[4], b[4];
    memcpy(d, &x, 16), memcpy(a, &y, 16), memcpy(b, &z, 16);
    if (which == 1)
        sm3msg1_in_c(d, a, b);
    else if (which == 2)
        sm3msg2_in_c(d, a, b);
    else
        sm3rnds2_in_c(d, a, b, imm8);
    memcpy(&x, d, 16);
    return x;
}

/* Two blocks. */
static inline __m256i emulated_sm4(__m256i x, __m256i y, void (*four)(uint32_t p[4], const uint32_t keys[4]))
{
    uint32_t p[8], keys[8];
    memcpy(p, &x, 32), memcpy(keys, &y, 32);
    four(p, keys);
    four(p + 4, keys + 4);
    memcpy(&x, p, 32);
    return x;
}

/* In front of a compiler's own, where it has them. */
#undef _mm_sm3rnds2_epi32
#undef _mm256_sm4rnds4_epi32
#undef _mm256_sm4key4_epi32
#define _mm_sm3msg1_epi32(x, y, z) emulated_sm3(x, y, z, 1, 0)
#define _mm_sm3msg2_epi32(x, y, z) emulated_sm3(x, y, z, 2, 0)
#define _mm_sm3rnds2_epi32(x, y, z, imm8) emulated_sm3(x, y, z, 3, imm8)
#define _mm256_sm4rnds4_epi32(blocks, keys) emulated_sm4(blocks, keys, sm4rnds4_in_c)
#define _mm256_sm4key4_epi32(keys, constants) emulated_sm4(keys, constants, sm4key4_in_c)

#endif
