/* derive.c: the public batch calls, through the chosen tier. */
#include "dispatch.h"
#include "kernels.h"

size_t ehc_derive_batch(const ehc_sm4_key *security_key, const uint8_t *data, const uint32_t *offsets,
                        const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    const ehc_tier *tier = ehc_tier_current();
    return (n <= EHC_FEW ? tier->derive_few : tier->derive)(security_key->encrypt, data, offsets, id_lengths, n, mindex,
                                                            card_id, status);
}

size_t ehc_rekey_batch(const ehc_sm4_key *old_key, const ehc_sm4_key *new_key, const uint8_t *data,
                       const uint32_t *offsets, const uint8_t *id_lengths, size_t n, uint8_t *old_card_id,
                       uint8_t *new_card_id, uint8_t *status)
{
    return ehc_tier_current()->rekey(old_key->encrypt, new_key->encrypt, data, offsets, id_lengths, n, old_card_id,
                                     new_card_id, status);
}
