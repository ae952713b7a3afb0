/* sm4_x8_avx2.c: SM4-ECB, eight blocks a vector. Needs AVX2 and AES-NI. Constant time. */
#if defined(__x86_64__)
#include "lanes_avx2.h"

#define STREAMS 8
#define BLOCKS ehc_sm4_x8_avx2
#define EXPAND ehc_sm4_expand_aesni

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_slices_body.h"

#include "sm4_blocks_body.h"

#include "lanes_end.h"
#endif
