/* rate.c: how fast somebody may go on, counted by all processes of a host together: token buckets in shared memory (GCRA).
 *
 * A bucket is one word, the time at which it will be full again. Whoever takes out of it moves that time on by what it
 * costs, in one step; while the time lies further ahead than the burst allows, nothing is taken. */
#include "ehc.h"

uint64_t ehc_rate_take(uint64_t *full_at, uint64_t now, uint64_t cost, uint64_t tolerance)
{
    uint64_t was = __atomic_load_n(full_at, __ATOMIC_ACQUIRE), from;
    do {
        from = was > now ? was : now;
        if (from - now > tolerance)
            return from - now - tolerance;
    } while (!__atomic_compare_exchange_n(full_at, &was, from + cost, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return 0;
}

void ehc_rate_give_back(uint64_t *full_at, uint64_t cost)
{
    __atomic_sub_fetch(full_at, cost, __ATOMIC_ACQ_REL);
}
