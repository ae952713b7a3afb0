/* bound.h: profile A inside the room. */
#ifndef EHC_BOUND_H
#define EHC_BOUND_H

#include "base.h"

/* Step 4 for n tokens of n cards, 16 and 32 bytes each: authentic[i], and then fields[i]. At most EHC_BOUND_GROUP. */
enum { EHC_BOUND_GROUP = 64 };
void ehc_open_bound(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const uint8_t *blocks, size_t n,
                    ehc_bound *fields, uint8_t *authentic);

#endif
