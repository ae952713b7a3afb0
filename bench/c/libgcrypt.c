/* libgcrypt.c: one open handle for each key, the user's set anew for each person. */
#include <gcrypt.h>

#include "job.h"
#include "slots.h"

static gcry_cipher_hd_t handle[SLOTS];
static int encrypts[SLOTS];
static gcry_md_hd_t keyed;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    gcry_md_hash_buffer(GCRY_MD_SM3, digest, message, length);
}

static void mac(const uint8_t message[32], uint8_t digest[32])
{
    gcry_md_reset(keyed); /* keeps the key and its pads */
    gcry_md_write(keyed, message, 32);
    memcpy(digest, gcry_md_read(keyed, GCRY_MD_SM3), 32);
}

static int set_key(int slot, const uint8_t raw[16], int encrypt)
{
    encrypts[slot] = encrypt;
    if (handle[slot] == NULL && gcry_cipher_open(&handle[slot], GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_ECB, 0) != 0)
        return 1;
    return gcry_cipher_setkey(handle[slot], raw, 16) != 0;
}

static void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes)
{
    if (encrypts[slot])
        gcry_cipher_encrypt(handle[slot], out, bytes, in, bytes);
    else
        gcry_cipher_decrypt(handle[slot], out, bytes, in, bytes);
}

#include "compose.h"

static const char *open_library(void)
{
    static char name[64];
    strcpy(name, "libgcrypt ");
    strncat(name, gcry_check_version(NULL), 40);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    fill_tables();
    if (gcry_md_open(&keyed, GCRY_MD_SM3, GCRY_MD_FLAG_HMAC) != 0 ||
        gcry_md_setkey(keyed, MAC_KEY, sizeof MAC_KEY) != 0)
        return NULL;
    return open_keys() == 0 ? name : NULL;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
