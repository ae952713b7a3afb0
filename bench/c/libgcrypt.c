/* libgcrypt.c: one open handle for each key, set anew for each person. */
#include <gcrypt.h>

#include "job.h"

static gcry_cipher_hd_t root, protection, user;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    gcry_md_hash_buffer(GCRY_MD_SM3, digest, message, length);
}

static void root_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    gcry_cipher_encrypt(root, out, bytes, in, bytes);
}

static void protection_decrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    gcry_cipher_decrypt(protection, out, bytes, in, bytes);
}

static void user_key(const uint8_t raw[16])
{
    gcry_cipher_setkey(user, raw, 16);
}

static void user_encrypt(const uint8_t *in, uint8_t *out, size_t bytes)
{
    gcry_cipher_encrypt(user, out, bytes, in, bytes);
}

#include "compose.h"

static gcry_cipher_hd_t handle(const uint8_t key[16])
{
    gcry_cipher_hd_t opened = NULL;
    if (gcry_cipher_open(&opened, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_ECB, 0) == 0)
        gcry_cipher_setkey(opened, key, 16);
    return opened;
}

static const char *open_library(void)
{
    static char name[64] = "libgcrypt ";
    strncat(name, gcry_check_version(NULL), 40);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    fill_digits();
    root = handle(SECURITY_KEY), protection = handle(PROTECTION_KEY), user = handle(SECURITY_KEY);
    return user == NULL ? NULL : name;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
