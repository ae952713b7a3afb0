/* sm4_x4_neon.c: SM4-ECB, four blocks a vector. Needs NEON and the AES instructions. Constant time. */
#if defined(__AARCH64EL__)
#include "lanes_neon.h"

#define STREAMS 4
#define BLOCKS ehc_sm4_x4_neon
#define EXPAND ehc_sm4_expand_neon

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "sm4_blocks_body.h"

#include "lanes_end.h"
#endif
