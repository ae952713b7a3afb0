/* gmssl.c: GmSSL's own functions, below its contexts, as its AVX2, AES-NI or plain build has them. */
#include <gmssl/sm3.h>
#include <gmssl/sm4.h>
#include <gmssl/version.h>

#include "job.h"
#include "slots.h"

static SM4_KEY keys_of[SLOTS];
static SM3_HMAC_CTX keyed;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    SM3_CTX context;
    sm3_init(&context);
    sm3_update(&context, message, length);
    sm3_finish(&context, digest);
}

static void mac(const uint8_t message[32], uint8_t digest[32])
{
    SM3_HMAC_CTX context = keyed;
    sm3_hmac_update(&context, message, 32);
    sm3_hmac_finish(&context, digest);
}

static int set_key(int slot, const uint8_t raw[16], int encrypt)
{
    if (encrypt)
        sm4_set_encrypt_key(&keys_of[slot], raw);
    else
        sm4_set_decrypt_key(&keys_of[slot], raw);
    return 0;
}

static void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes)
{
    sm4_encrypt_blocks(&keys_of[slot], in, bytes / 16, out);
}

#include "compose.h"

static const char *open_library(void)
{
    sm3_hmac_init(&keyed, MAC_KEY, sizeof MAC_KEY);
    fill_tables();
    return open_keys() == 0 ? gmssl_version_str() : NULL;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
