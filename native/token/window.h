/* window.h: step 5, the time window, as two bounds; both ends included. */
#ifndef EHC_WINDOW_H
#define EHC_WINDOW_H

#include "base.h"

typedef struct {
    int64_t low, high; /* of an expiry that is accepted */
} ehc_bounds;

/* Sums that stop at the ends of the number range. */
static inline int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

/* validity < 0: nothing bounds how far ahead an expiry lies. */
static inline ehc_bounds bounds_of(int64_t now, int64_t tolerance, int64_t validity)
{
    int64_t low = add_saturated(now, -tolerance);
    return (ehc_bounds){low, validity < 0 ? INT64_MAX : add_saturated(now, validity + tolerance)};
}

static inline int judge(ehc_bounds bounds, int64_t expiry)
{
    return expiry < bounds.low ? EHC_TOKEN_EXPIRED : expiry > bounds.high ? EHC_TOKEN_EARLY : EHC_OK;
}

#endif
