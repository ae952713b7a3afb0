/* derive_x8_avx2.c: batch derivation, 64 rows a group. Needs AVX2 and AES-NI. Constant time. */
#if defined(__x86_64__)
#include "lanes_avx2.h"

#define STREAMS 8
#define DERIVE ehc_derive_x8_avx2
#define REKEY ehc_rekey_avx2

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_slices_body.h"

#include "derive_body.h"
#include "rekey_body.h"

#include "lanes_end.h"
#endif
