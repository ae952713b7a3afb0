/* derive.c: the public batch call, through the chosen tier. */
#include "dispatch.h"

size_t ehc_derive_batch(const ehc_sm4_key *security_key, const uint8_t *data, const uint32_t *offsets,
                        const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    return ehc_tier_current()->derive(security_key->encrypt, data, offsets, id_lengths, n, mindex, card_id, status);
}
