/* judge_body.h: steps 4 and 5 of a batch of national codes, written once; the compiler makes lanes of it. Define ISA(name). */
#include "window.h"

void ISA(ehc_token_judge)(const int64_t *times, const uint8_t *authentic, size_t n, int64_t shift, int64_t low,
                          int64_t high, int64_t *expiry, uint8_t *status)
{
    ehc_bounds bounds = {low, high};
    for (size_t i = 0; i < n; i++) {
        uint8_t parsed = status[i], right = (uint8_t)((parsed == EHC_OK) & authentic[i]);
        int64_t end = times[i] + shift;
        uint8_t refused = parsed == EHC_OK ? EHC_TOKEN_FORGED : parsed;
        expiry[i] = end & -(int64_t)right;
        status[i] = right ? (uint8_t)judge(bounds, end) : refused;
    }
}
