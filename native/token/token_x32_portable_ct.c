/* token_x32_portable_ct.c: the token kernels, thirty-two tokens at a time, bit by bit. Needs C11 only. Constant time. */
#include "lanes_portable_ct.h"

#define STREAMS 2
#define ISA(name) name##_portable_ct
#define EXPAND ehc_sm4_expand_portable_ct

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "token_body.h"

#include "bcd_words_body.h"

#include "times_body.h"
