/* sm3_sm_ni.c: SM3 of one message. Needs AVX2 and the SM3 instructions of x86-64. Constant time. */
#include "sm_ni.h"
#if defined(EHC_HAS_SM_NI)
#include "lanes_sm_ni.h"

#include "kernels.h"
#include "sm3_sm_ni_body.h"

void ehc_sm3_compress_sm_ni(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    const uint32_t *v = state;
    uint32_t cdgh[4] = {rotl32(v[7], 32 - 19), rotl32(v[6], 32 - 19), rotl32(v[3], 32 - 9), rotl32(v[2], 32 - 9)};
    uint32_t abef[4] = {v[5], v[4], v[1], v[0]};
    sm3_message m;
    memcpy(&m.abef, abef, 16), memcpy(&m.cdgh, cdgh, 16);
    for (; count > 0; count--, blocks += 64) {
        __m128i old_abef = m.abef, old_cdgh = m.cdgh;
        for (int k = 0; k < 4; k++)
            m.w[k] = half(swap_bytes(_mm256_castsi128_si256(load_block(blocks + 16 * k))), 0);
        sm3_rounds(&m, 1);
        m.abef = _mm_xor_si128(m.abef, old_abef), m.cdgh = _mm_xor_si128(m.cdgh, old_cdgh);
    }
    memcpy(abef, &m.abef, 16), memcpy(cdgh, &m.cdgh, 16);
    state[0] = abef[3], state[1] = abef[2], state[4] = abef[1], state[5] = abef[0];
    state[2] = rotl32(cdgh[3], 9), state[3] = rotl32(cdgh[2], 9);
    state[6] = rotl32(cdgh[1], 19), state[7] = rotl32(cdgh[0], 19);
    ehc_wipe(&m, sizeof m);
}

#include "lanes_end.h"
#endif
