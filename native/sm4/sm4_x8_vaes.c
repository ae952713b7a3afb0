/* sm4_x8_vaes.c: SM4-ECB, eight blocks a vector. Needs AVX2, AES-NI and VAES. Constant time. */
#if defined(__x86_64__)
#define LANES_VAES
#include "lanes_avx2.h"

#define STREAMS 8
#define BLOCKS ehc_sm4_x8_vaes
#define EXPAND ehc_sm4_expand_vaes

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_slices_body.h"

#include "sm4_blocks_body.h"

#include "lanes_end.h"
#endif
