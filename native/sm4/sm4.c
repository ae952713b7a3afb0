/* sm4.c: the public SM4 calls, through the chosen tier. */
#include "dispatch.h"

void ehc_sm4_set_key(ehc_sm4_key *key, const uint8_t raw[16])
{
    ehc_tier_current()->sm4_expand(raw, key->encrypt);
    for (size_t i = 0; i < 32; i++)
        key->decrypt[i] = key->encrypt[31 - i];
}

void ehc_sm4_encrypt(const ehc_sm4_key *key, const uint8_t *in, uint8_t *out, size_t blocks)
{
    ehc_tier_current()->sm4_blocks(key->encrypt, in, out, blocks);
}

void ehc_sm4_decrypt(const ehc_sm4_key *key, const uint8_t *in, uint8_t *out, size_t blocks)
{
    ehc_tier_current()->sm4_blocks(key->decrypt, in, out, blocks);
}
