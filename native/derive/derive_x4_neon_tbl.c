/* derive_x4_neon_tbl.c: batch derivation, 16 rows a group. Needs NEON. Constant time. */
#if defined(__AARCH64EL__)
#define LANES_TBL
#include "lanes_neon.h"

#define STREAMS 4
#define DERIVE ehc_derive_x4_neon_tbl
#define REKEY ehc_rekey_neon_tbl

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "derive_body.h"
#include "rekey_body.h"

#include "lanes_end.h"
#endif
