/* derive_x4_neon.c: batch derivation, 16 rows a group. Needs NEON and the AES instructions. Constant time. */
#if defined(__AARCH64EL__)
#include "lanes_neon.h"

#define STREAMS 4
#define DERIVE ehc_derive_x4_neon
#define REKEY ehc_rekey_neon

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "derive_body.h"
#include "rekey_body.h"

#include "lanes_end.h"
#endif
