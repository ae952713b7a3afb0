/* times_x8_vaes.c: the times of profile N, 32 tokens at a time. Needs AVX2, AES-NI and VAES. Constant time. */
#if defined(__x86_64__)
#define LANES_VAES
#include "lanes_avx2.h"

#define STREAMS 8
#define ISA(name) name##_vaes

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_slices_body.h"

#include "sm4_one_body.h"

#include "bcd_slices_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
