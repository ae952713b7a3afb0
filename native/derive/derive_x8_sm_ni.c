/* derive_x8_sm_ni.c: batch derivation, 16 rows a group. Needs AVX2 and the SM3 and SM4 instructions of x86-64. Constant
 * time. */
#include "sm_ni.h"
#if defined(EHC_HAS_SM_NI)
#include "lanes_sm_ni.h"

#define STREAMS 2
#define DERIVE ehc_derive_x8_sm_ni
#define REKEY ehc_rekey_sm_ni

#include "kernels.h"
#include "sm3_sm_ni_body.h"
#include "sm4_constants.h"
#include "sm4_instructions_body.h"

#include "derive_body.h"
#include "rekey_body.h"

_Static_assert((int)EHC_FEW <= (int)GROUP, "derive_few is this too: all rows of a small call fit one group");

#include "lanes_end.h"
#endif
