/* broken_sdf.c: parts of libehcsdf that answer wrongly, one at a time, and what the machine's self-test says. Linked with
 * -Wl,--wrap=... of what stands below. Exit status 0 when all is right. */
#include <stdio.h>
#include <string.h>

#include "sdf_inside.h"
#include "sdf_selftest.h"

static const char *broken = "";

static int is_broken(const char *name)
{
    return strcmp(broken, name) == 0;
}

void __real_ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32]);
void __wrap_ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32])
{
    __real_ehc_sm3(data, length, digest);
    digest[0] ^= (uint8_t)is_broken("SM3");
}

void __real_sdf_hmac_finish(sdf_hmac *h, uint8_t mac[32]);
void __wrap_sdf_hmac_finish(sdf_hmac *h, uint8_t mac[32])
{
    __real_sdf_hmac_finish(h, mac);
    mac[31] ^= (uint8_t)is_broken("HMAC-SM3");
}

size_t __real_sdf_cipher_update(sdf_cipher *c, const uint8_t *in, size_t length, uint8_t *out);
size_t __wrap_sdf_cipher_update(sdf_cipher *c, const uint8_t *in, size_t length, uint8_t *out)
{
    size_t written = __real_sdf_cipher_update(c, in, length, out);
    if (is_broken("SM4") && c->decrypt)
        out[15] ^= 1;
    return written;
}

int __real_sdf_aead_finish(sdf_aead *a, uint8_t tag[16]);
int __wrap_sdf_aead_finish(sdf_aead *a, uint8_t tag[16])
{
    int whole = __real_sdf_aead_finish(a, tag);
    tag[15] ^= (uint8_t)is_broken(a->ccm ? "SM4-CCM" : "SM4-GCM");
    return whole;
}

int __real_ehc_sm2_verify(const ehc_sm2_key *key, const uint8_t e[32], const uint8_t signature[64]);
int __wrap_ehc_sm2_verify(const ehc_sm2_key *key, const uint8_t e[32], const uint8_t signature[64])
{
    int status = __real_ehc_sm2_verify(key, e, signature);
    return is_broken("SM2 verify") ? EHC_SM2_OK : status;
}

int __real_ehc_sm2_decrypt(const ehc_sm2_key *key, const uint8_t *ciphertext, size_t length, uint8_t *out);
int __wrap_ehc_sm2_decrypt(const ehc_sm2_key *key, const uint8_t *ciphertext, size_t length, uint8_t *out)
{
    int status = __real_ehc_sm2_decrypt(key, ciphertext, length, out);
    out[0] ^= (uint8_t)is_broken("SM2");
    return status;
}

static const char *source;

/* Stuck; of as many ones as zeros; with a bit in 16 that is always set; that gives nothing. */
int __real_ehc_sdf_random(uint8_t *out, size_t length);
int __wrap_ehc_sdf_random(uint8_t *out, size_t length)
{
    int came = __real_ehc_sdf_random(out, length);
    for (size_t i = 0; i < length && is_broken("random numbers"); i++)
        out[i] = strcmp(source, "stuck") == 0    ? 0
                 : strcmp(source, "even") == 0   ? 0x5A
                 : strcmp(source, "biased") == 0 ? out[i] | (uint8_t)(i % 2)
                                                 : out[i];
    return came && !(is_broken("random numbers") && strcmp(source, "none") == 0);
}

/* 0 when the self-test says exactly this. */
static int says(const char *expected)
{
    const char *said = ehc_sdf_self_test();
    if (strcmp(said == NULL ? "" : said, expected) == 0)
        return 0;
    fprintf(stderr, "%s %s: the self-test says '%s'\n", broken, source, said == NULL ? "" : said);
    return 1;
}

int main(void)
{
    static const char *const parts[] = {"", "SM3", "HMAC-SM3", "SM4", "SM4-GCM", "SM4-CCM", "SM2 verify", "SM2"};
    static const char *const sources[] = {"stuck", "even", "biased", "none"};
    void *device;
    int wrong = ehc_init(NULL) != EHC_OK;
    source = "";
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        broken = parts[i];
        wrong |= says(broken);
    }
    broken = "random numbers";
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        source = sources[i];
        wrong |= says(broken);
    }
    return wrong | (SDF_OpenDevice(&device) != SDR_HARDFAIL);
}
