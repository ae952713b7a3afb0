/* derive_x32_portable_ct.c: batch derivation, 64 rows a group, bit by bit. Needs C11 only. Constant time. */
#include "lanes_portable_ct.h"

#define STREAMS 2
#define DERIVE ehc_derive_x32_portable_ct
#define REKEY ehc_rekey_portable_ct

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "derive_body.h"
#include "rekey_body.h"
