/* sm4_x4_neon_tbl.c: SM4-ECB, four blocks a vector. Needs NEON. Constant time. */
#if defined(__AARCH64EL__)
#define LANES_TBL
#include "lanes_neon.h"

#define STREAMS 4
#define BLOCKS ehc_sm4_x4_neon_tbl
#define EXPAND ehc_sm4_expand_neon_tbl

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "sm4_blocks_body.h"

#include "lanes_end.h"
#endif
