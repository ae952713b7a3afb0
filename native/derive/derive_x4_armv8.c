/* derive_x4_armv8.c: batch derivation, 16 rows a group. Needs the SM3 and SM4 instructions of ARMv8.2. Constant time. */
#if defined(__AARCH64EL__)
#define LANES_ARMV8
#include "lanes_neon.h"

#define STREAMS 4
#define DERIVE ehc_derive_x4_armv8
#define REKEY ehc_rekey_armv8

#include "kernels.h"
#include "sm3_armv8_body.h"
#include "sm4_constants.h"
#include "sm4_instructions_body.h"

#include "derive_body.h"
#include "rekey_body.h"

#include "lanes_end.h"
#endif
