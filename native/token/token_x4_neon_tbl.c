/* token_x4_neon_tbl.c: the token kernels, four tokens a vector. Needs NEON. Constant time. */
#if defined(__AARCH64EL__)
#define LANES_TBL
#include "lanes_neon.h"

#define STREAMS 4
#define ISA(name) name##_neon_tbl
#define EXPAND ehc_sm4_expand_neon_tbl

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "token_body.h"

#include "bcd_words_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
