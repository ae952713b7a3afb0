/* sm4_x8_sm_ni.c: SM4-ECB, two blocks a vector. Needs AVX2 and the SM4 instructions of x86-64. Constant time. */
#include "sm_ni.h"
#if defined(EHC_HAS_SM_NI)
#include "lanes_sm_ni.h"

#define STREAMS 1
#define BLOCKS ehc_sm4_x8_sm_ni
#define EXPAND ehc_sm4_expand_sm_ni

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_instructions_body.h"

#include "sm4_blocks_instructions_body.h"

#include "lanes_end.h"
#endif
