/* sdf_selftest.c: the machine's self-test (自检) after GM/T 0030: known answers of what the functions are made of, a new SM2 key
 * that signs and opens, and whether the system's generator is random. The tier asked its own known answers before. */
#include "sdf_selftest.h"

#include "sdf_inside.h"
#include "sgd.h"

static const uint8_t KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};

static int sm3_answers(void)
{
    static const uint8_t known[32] = {/* GB/T 32905, A.1 */
                                      0x66, 0xC7, 0xF0, 0xF4, 0x62, 0xEE, 0xED, 0xD9, 0xD1, 0xF2, 0xD4,
                                      0x6B, 0xDC, 0x10, 0xE4, 0xE2, 0x41, 0x67, 0xC4, 0x87, 0x5C, 0xF2,
                                      0xF7, 0xA2, 0x29, 0x7D, 0xA0, 0x2B, 0x8F, 0x4B, 0xA8, 0xE0};
    uint8_t digest[32];
    ehc_sm3((const uint8_t *)"abc", 3, digest);
    return memcmp(digest, known, sizeof known) == 0;
}

static int hmac_answers(void)
{
    static const uint8_t known[32] = {/* GM/T 0042, D.3 */
                                      0xCA, 0x05, 0xE1, 0x44, 0xED, 0x05, 0xD1, 0x85, 0x78, 0x40, 0xD1,
                                      0xF3, 0x18, 0xA4, 0xA8, 0x66, 0x9E, 0x55, 0x9F, 0xC8, 0x39, 0x1F,
                                      0x41, 0x44, 0x85, 0xBF, 0xDF, 0x7B, 0xB4, 0x08, 0x96, 0x3A};
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t key[32], mac[32];
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    sdf_hmac hmac;
    sdf_hmac_start(&hmac, key, sizeof key);
    for (int twice = 0; twice < 2; twice++)
        ehc_sm3_update(&hmac.inner, (const uint8_t *)text, sizeof text - 1);
    sdf_hmac_finish(&hmac, mac);
    return memcmp(mac, known, sizeof known) == 0;
}

static int sm4_answers(void)
{
    static const uint8_t known[16] = {/* GB/T 32907, A.1 */
                                      0x68, 0x1E, 0xDF, 0x34, 0xD2, 0x06, 0x96, 0x5E,
                                      0x86, 0xB3, 0xE9, 0x4F, 0x53, 0x6E, 0x42, 0x46};
    uint8_t out[16];
    sdf_cipher cipher;
    for (int decrypt = 0; decrypt < 2; decrypt++) {
        sdf_cipher_start(&cipher, KEY, SGD_ECB, decrypt, NULL);
        sdf_cipher_update(&cipher, decrypt ? known : KEY, 16, out);
        if (memcmp(out, decrypt ? KEY : known, 16) != 0)
            return 0;
    }
    return 1;
}

/* RFC 8998, A.1 and A.2 */
static int aead_answers(int ccm, const uint8_t known[16])
{
    static const uint8_t nonce[12] = {0x00, 0x00, 0x12, 0x34, 0x56, 0x78, 0x00, 0x00, 0x00, 0x00, 0xAB, 0xCD};
    static const uint8_t aad[20] = {0xFE, 0xED, 0xFA, 0xCE, 0xDE, 0xAD, 0xBE, 0xEF, 0xFE, 0xED,
                                    0xFA, 0xCE, 0xDE, 0xAD, 0xBE, 0xEF, 0xAB, 0xAD, 0xDA, 0xD2};
    uint8_t text[64], out[64], tag[16];
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(0x11 * ("\x0A\x0B\x0C\x0D\x0E\x0F\x0E\x0A"[i / 8]));
    sdf_aead aead;
    return sdf_aead_start(&aead, KEY, ccm, 0, nonce, sizeof nonce, aad, sizeof aad, sizeof text, sizeof tag) &&
           sdf_aead_update(&aead, text, sizeof text, out) && sdf_aead_finish(&aead, tag) &&
           memcmp(tag, known, sizeof tag) == 0;
}

static int gcm_answers(void)
{
    static const uint8_t known[16] = {0x83, 0xDE, 0x35, 0x41, 0xE4, 0xC2, 0xB5, 0x81,
                                      0x77, 0xE0, 0x65, 0xA9, 0xBF, 0x7B, 0x62, 0xEC};
    return aead_answers(0, known);
}

static int ccm_answers(void)
{
    static const uint8_t known[16] = {0x16, 0x84, 0x2D, 0x4F, 0xA1, 0x86, 0xF5, 0x6A,
                                      0xB3, 0x32, 0x56, 0x97, 0x1F, 0xA1, 0x10, 0xF4};
    return aead_answers(1, known);
}

/* GB/T 32918.5, A.2, and one bit beside it */
static int sm2_verifies(void)
{
    static const uint8_t point[64] = {0x09, 0xF9, 0xDF, 0x31, 0x1E, 0x54, 0x21, 0xA1, 0x50, 0xDD, 0x7D, 0x16, 0x1E,
                                      0x4B, 0xC5, 0xC6, 0x72, 0x17, 0x9F, 0xAD, 0x18, 0x33, 0xFC, 0x07, 0x6B, 0xB0,
                                      0x8F, 0xF3, 0x56, 0xF3, 0x50, 0x20, 0xCC, 0xEA, 0x49, 0x0C, 0xE2, 0x67, 0x75,
                                      0xA5, 0x2D, 0xC6, 0xEA, 0x71, 0x8C, 0xC1, 0xAA, 0x60, 0x0A, 0xED, 0x05, 0xFB,
                                      0xF3, 0x5E, 0x08, 0x4A, 0x66, 0x32, 0xF6, 0x07, 0x2D, 0xA9, 0xAD, 0x13};
    uint8_t signature[64] = {0xF5, 0xA0, 0x3B, 0x06, 0x48, 0xD2, 0xC4, 0x63, 0x0E, 0xEA, 0xC5, 0x13, 0xE1,
                             0xBB, 0x81, 0xA1, 0x59, 0x44, 0xDA, 0x38, 0x27, 0xD5, 0xB7, 0x41, 0x43, 0xAC,
                             0x7E, 0xAC, 0xEE, 0xE7, 0x20, 0xB3, 0xB1, 0xB6, 0xAA, 0x29, 0xDF, 0x21, 0x2F,
                             0xD8, 0x76, 0x31, 0x82, 0xBC, 0x0D, 0x42, 0x1C, 0xA1, 0xBB, 0x90, 0x38, 0xFD,
                             0x1F, 0x7F, 0x42, 0xD4, 0x84, 0x0B, 0x69, 0xC4, 0x85, 0xBB, 0xC1, 0xAA};
    uint8_t e[32];
    ehc_sm2_key *key;
    if (ehc_sm2_e(point, (const uint8_t *)"1234567812345678", 16, (const uint8_t *)"message digest", 14, e) !=
            EHC_SM2_OK ||
        ehc_sm2_public(&key, point) != EHC_SM2_OK)
        return 0;
    int right = ehc_sm2_verify(key, e, signature) == EHC_SM2_OK;
    signature[63] ^= 1;
    right &= ehc_sm2_verify(key, e, signature) == EHC_SM2_FORGED;
    ehc_sm2_free(key);
    return right;
}

/* What a new key signs it verifies, what it seals it opens. */
static int sm2_agrees_with_itself(void)
{
    uint8_t signature[64], sealed[16 + EHC_SM2_OVERHEAD], opened[16], e[32] = {1};
    ehc_sm2_key *key;
    if (ehc_sm2_generate(&key) != EHC_SM2_OK)
        return 0;
    int right = ehc_sm2_sign(key, e, signature) == EHC_SM2_OK && ehc_sm2_verify(key, e, signature) == EHC_SM2_OK &&
                ehc_sm2_encrypt(key, KEY, sizeof KEY, sealed) == EHC_SM2_OK &&
                ehc_sm2_decrypt(key, sealed, sizeof sealed, opened) == EHC_SM2_OK &&
                memcmp(opened, KEY, sizeof KEY) == 0;
    ehc_sm2_free(key);
    return right;
}

/* 单比特频数 and 扑克 (GM/T 0005) of 20,000 bits: a good source fails a start in a hundred million, a stuck one each. */
static int is_random(void)
{
    enum { BYTES = 2500, ONES_OFF = 420, NIBBLES = 2 * BYTES };
    uint8_t sample[BYTES];
    long ones = 0, squares = 0, seen[16] = {0};
    if (!ehc_sdf_random(sample, sizeof sample))
        return 0;
    for (unsigned i = 0; i < BYTES; i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            ones += sample[i] >> bit & 1;
        seen[sample[i] & 15]++;
        seen[sample[i] >> 4]++;
    }
    for (unsigned i = 0; i < 16; i++)
        squares += seen[i] * seen[i];
    long off = ones - 4 * BYTES, poker = 16 * squares - (long)NIBBLES * NIBBLES; /* chi-square, times NIBBLES */
    ehc_wipe(sample, sizeof sample);
    return off > -ONES_OFF && off < ONES_OFF && poker < 66L * NIBBLES;
}

const char *ehc_sdf_self_test(void)
{
    static const struct {
        const char *name;
        int (*passes)(void);
    } checks[] = {
        {"SM3", sm3_answers},
        {"HMAC-SM3", hmac_answers},
        {"SM4", sm4_answers},
        {"SM4-GCM", gcm_answers},
        {"SM4-CCM", ccm_answers},
        {"SM2 verify", sm2_verifies},
        {"SM2", sm2_agrees_with_itself},
        {"random numbers", is_random},
    };
    for (unsigned i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (!checks[i].passes())
            return checks[i].name;
    return NULL;
}
