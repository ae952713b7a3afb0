/* derive_few_vaes.c: batch derivation for up to 16 rows, two vectors of them a group, which is no more than hides the
 * latency of SM3. Needs AVX2, AES-NI and VAES. Constant time. */
#if defined(__x86_64__)
#define LANES_VAES
#include "lanes_avx2.h"

#define STREAMS 2
#define DERIVE ehc_derive_few_vaes

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "derive_body.h"

_Static_assert(STREAMS % SM3_STREAMS == 0 && (int)EHC_FEW <= (int)GROUP, "all rows of a call fit one group");

#include "lanes_end.h"
#endif
