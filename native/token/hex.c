/* hex.c: the public hex calls, through the chosen tier. */
#include "dispatch.h"

void ehc_hex(const uint8_t *data, size_t n, uint8_t *out)
{
    ehc_tier_current()->token.hex_encode(data, n, out);
}

int ehc_unhex(const uint8_t *text, size_t n, uint8_t *out)
{
    return ehc_tier_current()->token.hex_decode(text, n, out);
}
