/* token_x16_avx512.c: the token kernels, sixteen tokens a vector. Needs AVX-512 (F, BW, VL) and GFNI. Constant time. */
#if defined(__x86_64__)
#include "lanes_avx512.h"

#define STREAMS 4
#define ISA(name) name##_avx512
#define EXPAND ehc_sm4_expand_avx512

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "hex_avx2_body.h"

#include "base45_avx2_body.h"
#include "judge_body.h"
#include "token_body.h"

#include "bcd_words_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
