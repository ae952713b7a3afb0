/* token_x4_neon.c: the token kernels, four tokens a vector. Needs NEON and the AES instructions. Constant time. */
#if defined(__AARCH64EL__)
#include "lanes_neon.h"

#define STREAMS 4
#define ISA(name) name##_neon
#define EXPAND ehc_sm4_expand_neon

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "token_body.h"

#include "bcd_words_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
