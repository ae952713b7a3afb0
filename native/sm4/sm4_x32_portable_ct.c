/* sm4_x32_portable_ct.c: SM4-ECB, thirty-two blocks at a time, bit by bit. Needs C11 only. Constant time. */
#include "lanes_portable_ct.h"

#define STREAMS 1
#define BLOCKS ehc_sm4_x32_portable_ct
#define EXPAND ehc_sm4_expand_portable_ct

#include "kernels.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "sm4_blocks_body.h"
