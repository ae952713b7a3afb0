/* derive_x8_vaes.c: batch derivation, 64 rows a group. Needs AVX2, AES-NI and VAES. Constant time. */
#if defined(__x86_64__)
#define LANES_VAES
#include "lanes_avx2.h"

#define STREAMS 8
#define DERIVE ehc_derive_x8_vaes
#define REKEY ehc_rekey_vaes

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_slices_body.h"

#include "derive_body.h"
#include "rekey_body.h"

#include "lanes_end.h"
#endif
