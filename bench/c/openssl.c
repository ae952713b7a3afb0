/* openssl.c: algorithms fetched once, contexts reused, only the key set anew for each person. */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "job.h"

static EVP_MD *digest_of;
static EVP_MD_CTX *digest_context;
static EVP_CIPHER *cipher;
static EVP_CIPHER_CTX *root, *protection, *user;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    EVP_DigestInit_ex2(digest_context, digest_of, NULL);
    EVP_DigestUpdate(digest_context, message, length);
    EVP_DigestFinal_ex(digest_context, digest, NULL);
}

static void run(EVP_CIPHER_CTX *context, const uint8_t *in, uint8_t *out, size_t bytes)
{
    int written;
    EVP_CipherUpdate(context, out, &written, in, (int)bytes);
}

static void root_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    run(root, in, out, bytes);
}

static void protection_decrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    run(protection, in, out, bytes);
}

static void user_key(const uint8_t raw[16])
{
    EVP_CipherInit_ex2(user, NULL, raw, NULL, 1, NULL);
}

static void user_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    run(user, in, out, bytes);
}

#include "compose.h"

static EVP_CIPHER_CTX *context(const uint8_t key[16], int encrypt)
{
    EVP_CIPHER_CTX *made = EVP_CIPHER_CTX_new();
    EVP_CipherInit_ex2(made, cipher, key, NULL, encrypt, NULL);
    EVP_CIPHER_CTX_set_padding(made, 0);
    return made;
}

static const char *open_library(void)
{
    static char name[64] = "OpenSSL ";
    digest_of = EVP_MD_fetch(NULL, "SM3", NULL);
    cipher = EVP_CIPHER_fetch(NULL, "SM4-ECB", NULL);
    if (digest_of == NULL || cipher == NULL)
        return NULL;
    digest_context = EVP_MD_CTX_new();
    root = context(SECURITY_KEY, 1), protection = context(PROTECTION_KEY, 0), user = context(SECURITY_KEY, 1);
    fill_digits();
    strncat(name, OpenSSL_version(OPENSSL_VERSION_STRING), 40);
    return name;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
