/* token_x8_sm_ni.c: the token kernels, eight tokens a vector. Needs AVX2 and the SM3 and SM4 instructions of x86-64. Constant
 * time. */
#include "sm_ni.h"
#if defined(EHC_HAS_SM_NI)
#include "lanes_sm_ni.h"

#define STREAMS 2
#define ISA(name) name##_sm_ni
#define EXPAND ehc_sm4_expand_sm_ni

#include "kernels.h"
#include "sm3_sm_ni_body.h"
#include "sm4_constants.h"
#include "sm4_instructions_body.h"

#include "hex_avx2_body.h"

#include "base45_avx2_body.h"
#include "judge_body.h"
#include "token_body.h"

#include "bcd_words_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
