/* gmssl.c: GmSSL's own functions, below its contexts, as its AVX2, AES-NI or plain build has them. */
#include <gmssl/sm3.h>
#include <gmssl/sm4.h>
#include <gmssl/version.h>

#include "job.h"

static SM4_KEY root, protection, user;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    SM3_CTX context;
    sm3_init(&context);
    sm3_update(&context, message, length);
    sm3_finish(&context, digest);
}

static void root_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    sm4_encrypt_blocks(&root, in, bytes / 16, out);
}

static void protection_decrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    sm4_encrypt_blocks(&protection, in, bytes / 16, out);
}

static void user_key(const uint8_t raw[16])
{
    sm4_set_encrypt_key(&user, raw);
}

static void user_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    sm4_encrypt_blocks(&user, in, bytes / 16, out);
}

#include "compose.h"

static const char *open_library(void)
{
    sm4_set_encrypt_key(&root, SECURITY_KEY);
    sm4_set_decrypt_key(&protection, PROTECTION_KEY);
    fill_digits();
    return gmssl_version_str();
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
