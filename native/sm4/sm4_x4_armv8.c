/* sm4_x4_armv8.c: SM4-ECB, a block a vector. Needs the SM3 and SM4 instructions of ARMv8.2. Constant time. */
#if defined(__AARCH64EL__)
#define LANES_ARMV8
#include "lanes_neon.h"

#define STREAMS 1
#define BLOCKS ehc_sm4_x4_armv8
#define EXPAND ehc_sm4_expand_armv8

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_instructions_body.h"

#include "sm4_blocks_instructions_body.h"

#include "lanes_end.h"
#endif
