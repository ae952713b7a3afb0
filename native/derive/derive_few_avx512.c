/* derive_few_avx512.c: batch derivation for up to 32 rows, two vectors of them a group, which is no more than hides the
 * latency of SM3. Needs AVX-512 (F, BW, VL) and GFNI. Constant time. */
#if defined(__x86_64__)
#include "lanes_avx512.h"

#define STREAMS 2
#define DERIVE ehc_derive_few_avx512

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "derive_body.h"

_Static_assert(STREAMS % SM3_STREAMS == 0 && (int)EHC_FEW <= (int)GROUP, "all rows of a call fit one group");

#include "lanes_end.h"
#endif
