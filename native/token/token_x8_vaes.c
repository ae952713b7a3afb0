/* token_x8_vaes.c: the token kernels, eight tokens a vector. Needs AVX2, AES-NI and VAES. Constant time. */
#if defined(__x86_64__)
#define LANES_VAES
#include "lanes_avx2.h"

#define STREAMS 8
#define ISA(name) name##_vaes
#define EXPAND ehc_sm4_expand_vaes

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "hex_avx2_body.h"

#include "base45_avx2_body.h"
#include "judge_body.h"
#include "token_body.h"

#include "lanes_end.h"
#endif
