/* openssl.c: algorithms fetched once, contexts reused, only the user's key set anew for each person. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "job.h"
#include "slots.h"

static EVP_MD *digest_of;
static EVP_MD_CTX *digest_context;
static EVP_MAC_CTX *keyed;
static EVP_CIPHER *cipher;
static EVP_CIPHER_CTX *context[SLOTS];

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    EVP_DigestInit_ex2(digest_context, digest_of, NULL);
    EVP_DigestUpdate(digest_context, message, length);
    EVP_DigestFinal_ex(digest_context, digest, NULL);
}

static void mac(const uint8_t message[32], uint8_t digest[32])
{
    size_t length;
    EVP_MAC_init(keyed, NULL, 0, NULL); /* keeps the key and its pads */
    EVP_MAC_update(keyed, message, 32);
    EVP_MAC_final(keyed, digest, &length, 32);
}

static int set_key(int slot, const uint8_t raw[16], int encrypt)
{
    if (context[slot] == NULL) {
        context[slot] = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex2(context[slot], cipher, raw, NULL, encrypt, NULL);
        return EVP_CIPHER_CTX_set_padding(context[slot], 0) != 1;
    }
    int done = EVP_CipherInit_ex2(context[slot], NULL, raw, NULL, encrypt, NULL);
    if (!encrypt) /* a change of direction brings the padding back */
        EVP_CIPHER_CTX_set_padding(context[slot], 0);
    return done != 1;
}

static void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes)
{
    int written;
    EVP_CipherUpdate(context[slot], out, &written, in, (int)bytes);
}

#include "compose.h"

static const char *open_library(void)
{
    static char name[64];
    char sm3_name[] = "SM3";
    OSSL_PARAM digest[2] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sm3_name, 0),
                            OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    digest_of = EVP_MD_fetch(NULL, "SM3", NULL);
    cipher = EVP_CIPHER_fetch(NULL, "SM4-ECB", NULL);
    if (digest_of == NULL || cipher == NULL || hmac == NULL)
        return NULL;
    digest_context = EVP_MD_CTX_new();
    keyed = EVP_MAC_CTX_new(hmac);
    fill_tables();
    if (EVP_MAC_init(keyed, MAC_KEY, sizeof MAC_KEY, digest) != 1 || open_keys() != 0)
        return NULL;
    strcpy(name, "OpenSSL ");
    return strncat(name, OpenSSL_version(OPENSSL_VERSION_STRING), 40);
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
