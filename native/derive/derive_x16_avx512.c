/* derive_x16_avx512.c: batch derivation, 64 rows a group. Needs AVX-512 (F, BW, VL) and GFNI. Constant time. */
#if defined(__x86_64__)
#include "lanes_avx512.h"

#define STREAMS 4
#define DERIVE ehc_derive_x16_avx512
#define REKEY ehc_rekey_avx512

#include "kernels.h"
#include "sm3_lanes_body.h"
#include "sm4_constants.h"
#include "sm4_lanes_body.h"

#include "derive_body.h"
#include "rekey_body.h"

#include "lanes_end.h"
#endif
