/* times_x8_avx2.c: the times of profile N, 32 tokens at a time. Needs AVX2 and AES-NI. Constant time. */
#if defined(__x86_64__)
#include "lanes_avx2.h"

#define STREAMS 8
#define ISA(name) name##_avx2

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_slices_body.h"

#include "sm4_one_body.h"

#include "bcd_slices_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
