/* token_x4_armv8.c: the token kernels, four tokens a vector. Needs the SM3 and SM4 instructions of ARMv8.2. Constant time. */
#if defined(__AARCH64EL__)
#define LANES_ARMV8
#include "lanes_neon.h"

#define STREAMS 4
#define ISA(name) name##_armv8
#define EXPAND ehc_sm4_expand_armv8

#include "kernels.h"
#include "sm3_armv8_body.h"
#include "sm4_constants.h"
#include "sm4_instructions_body.h"

#include "token_body.h"

#include "bcd_words_body.h"

#include "times_body.h"

#include "lanes_end.h"
#endif
