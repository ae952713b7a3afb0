/* wipe.c: the two things one must not leave to the optimiser. */
#include "base.h"

void ehc_wipe(void *secret, size_t length)
{
    memset(secret, 0, length);
    __asm__ __volatile__("" : : "r"(secret) : "memory"); /* the store is seen: it cannot be dropped */
}

int ehc_equal(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a, *y = b;
    unsigned difference = 0;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned)(x[i] ^ y[i]);
    __asm__ __volatile__("" : "+r"(difference)); /* no early exit can be inferred */
    return (int)(1 & ((difference - 1) >> 8));
}
