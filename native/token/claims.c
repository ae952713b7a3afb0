/* claims.c: which codes are taken, in memory that processes share: a set of slots that are only ever filled.
 *
 * A slot is two words: the code (a fingerprint, never 0) and its claim, of which the low 16 bits count the uses and the
 * others hold who took it last. A code stands in the first slot of its run of PROBES that was empty when it came, and
 * stays there: so no two processes find it in different places, and none has to wait for another. Whoever turns the
 * claim from 0 to theirs has it; a process killed between the two words leaves a code that nobody took yet. */
#include "ehc.h"

enum { PROBES = 64, USES_BITS = 16 };
#define USES(claim) ((claim) & ((1u << USES_BITS) - 1))
#define HOLDER(claim) ((claim) >> USES_BITS)

uint64_t *ehc_slot(uint64_t *slots, unsigned bits, uint64_t code)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (uint64_t i = 0; i < PROBES; i++) {
        uint64_t *slot = slots + 2 * ((code + i) & mask), there = 0;
        if (__atomic_compare_exchange_n(slot, &there, code, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) || there == code)
            return slot + 1;
    }
    return NULL;
}

int ehc_claim(uint64_t *slots, unsigned bits, uint64_t code, uint64_t holder, unsigned uses)
{
    uint64_t *claim = ehc_slot(slots, bits, code), was;
    if (!claim)
        return EHC_CLAIM_FULL;
    was = __atomic_load_n(claim, __ATOMIC_ACQUIRE);
    do {
        if (HOLDER(was) == EHC_HOLDER_REVOKED)
            return EHC_CLAIM_REVOKED;
        if (was && holder && HOLDER(was) == holder)
            return EHC_CLAIM_AGAIN;
        if (USES(was) >= uses)
            return EHC_CLAIM_LOST;
    } while (!__atomic_compare_exchange_n(claim, &was, holder << USES_BITS | (USES(was) + 1), 0, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return EHC_CLAIM_WON;
}

int ehc_claim_set(uint64_t *slots, unsigned bits, uint64_t code, uint64_t holder)
{
    uint64_t *claim = ehc_slot(slots, bits, code);
    if (!claim)
        return EHC_CLAIM_FULL;
    __atomic_store_n(claim, holder << USES_BITS | 1, __ATOMIC_RELEASE);
    return EHC_CLAIM_WON;
}

int ehc_claim_holder(const uint64_t *slots, unsigned bits, uint64_t code, uint64_t *holder)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (uint64_t i = 0; i < PROBES; i++) {
        const uint64_t *slot = slots + 2 * ((code + i) & mask);
        uint64_t there = __atomic_load_n(slot, __ATOMIC_ACQUIRE), claim;
        if (!there)
            return EHC_CLAIM_NONE;
        if (there == code) {
            claim = __atomic_load_n(slot + 1, __ATOMIC_ACQUIRE);
            *holder = HOLDER(claim);
            return claim ? EHC_CLAIM_LOST : EHC_CLAIM_NONE;
        }
    }
    return EHC_CLAIM_FULL;
}

void ehc_add_one(uint32_t *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL);
}
