/* sm2_sign.c: SM2 signatures (GB/T 32918.2) and encryption (GB/T 32918.4). */
#include <stdlib.h>

#include "base.h"
#include "sm2_inside.h"

/* a ‖ b ‖ x of G ‖ y of G of the recommended curve (part 5, 2). */
static const uint8_t CURVE[128] = {
    0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0x28, 0xE9, 0xFA, 0x9E, 0x9D, 0x9F,
    0x5E, 0x34, 0x4D, 0x5A, 0x9E, 0x4B, 0xCF, 0x65, 0x09, 0xA7, 0xF3, 0x97, 0x89, 0xF5, 0x15, 0xAB, 0x8F, 0x92, 0xDD,
    0xBC, 0xBD, 0x41, 0x4D, 0x94, 0x0E, 0x93, 0x32, 0xC4, 0xAE, 0x2C, 0x1F, 0x19, 0x81, 0x19, 0x5F, 0x99, 0x04, 0x46,
    0x6A, 0x39, 0xC9, 0x94, 0x8F, 0xE3, 0x0B, 0xBF, 0xF2, 0x66, 0x0B, 0xE1, 0x71, 0x5A, 0x45, 0x89, 0x33, 0x4C, 0x74,
    0xC7, 0xBC, 0x37, 0x36, 0xA2, 0xF4, 0xF6, 0x77, 0x9C, 0x59, 0xBD, 0xCE, 0xE3, 0x6B, 0x69, 0x21, 0x53, 0xD0, 0xA9,
    0x87, 0x7C, 0xC6, 0x2A, 0x47, 0x40, 0x02, 0xDF, 0x32, 0xE5, 0x21, 0x39, 0xF0, 0xA0};

int ehc_sm2_z(const uint8_t point[EHC_SM2_POINT], const uint8_t *id, size_t id_length, uint8_t z[32])
{
    ehc_sm3_ctx sm3;
    if (id_length > 0xFFFF / 8)
        return EHC_SM2_FORM;
    const uint8_t bits[2] = {(uint8_t)(id_length >> 5), (uint8_t)(id_length << 3)};
    ehc_sm3_init(&sm3);
    ehc_sm3_update(&sm3, bits, sizeof bits);
    ehc_sm3_update(&sm3, id, id_length);
    ehc_sm3_update(&sm3, CURVE, sizeof CURVE);
    ehc_sm3_update(&sm3, point, EHC_SM2_POINT);
    ehc_sm3_final(&sm3, z);
    return EHC_SM2_OK;
}

int ehc_sm2_e(const uint8_t point[EHC_SM2_POINT], const uint8_t *id, size_t id_length, const uint8_t *message,
              size_t length, uint8_t e[32])
{
    ehc_sm3_ctx sm3;
    uint8_t z[32];
    int status = ehc_sm2_z(point, id, id_length, z);
    if (status != EHC_SM2_OK)
        return status;
    ehc_sm3_init(&sm3);
    ehc_sm3_update(&sm3, z, sizeof z);
    ehc_sm3_update(&sm3, message, length);
    ehc_sm3_final(&sm3, e);
    return EHC_SM2_OK;
}

/* A context of the key made ready by `begin`; NULL when libcrypto has none to give. */
static EVP_PKEY_CTX *start(const libcrypto_table *c, const ehc_sm2_key *key, int (*begin)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *ctx = c->EVP_PKEY_CTX_new(key->pkey, NULL);
    if (ctx != NULL && begin(ctx) == 1)
        return ctx;
    c->EVP_PKEY_CTX_free(ctx);
    c->ERR_clear_error();
    return NULL;
}

static int finish(const libcrypto_table *c, EVP_PKEY_CTX *ctx, int done, int otherwise)
{
    c->EVP_PKEY_CTX_free(ctx);
    if (done)
        return EHC_SM2_OK;
    c->ERR_clear_error();
    return otherwise;
}

int ehc_sm2_sign(const ehc_sm2_key *key, const uint8_t e[32], uint8_t signature[EHC_SM2_SIGNATURE])
{
    const libcrypto_table *c = ehc_libcrypto();
    uint8_t der[EHC_SM2_DER_MAX];
    size_t length = sizeof der;
    if (key->number == NULL)
        return EHC_SM2_KEY;
    EVP_PKEY_CTX *ctx = start(c, key, c->EVP_PKEY_sign_init);
    if (ctx == NULL)
        return EHC_SM2_FAULT;
    int done = c->EVP_PKEY_sign(ctx, der, &length, e, 32) == 1 && ehc_sm2_of_der(der, length, signature) == EHC_SM2_OK;
    return finish(c, ctx, done, EHC_SM2_FAULT);
}

int ehc_sm2_verify(const ehc_sm2_key *key, const uint8_t e[32], const uint8_t signature[EHC_SM2_SIGNATURE])
{
    const libcrypto_table *c = ehc_libcrypto();
    uint8_t der[EHC_SM2_DER_MAX];
    size_t length = ehc_sm2_to_der(signature, der);
    EVP_PKEY_CTX *ctx = start(c, key, c->EVP_PKEY_verify_init);
    if (ctx == NULL)
        return EHC_SM2_FAULT;
    return finish(c, ctx, c->EVP_PKEY_verify(ctx, der, length, e, 32) == 1, EHC_SM2_FORGED);
}

int ehc_sm2_encrypt(const ehc_sm2_key *key, const uint8_t *message, size_t length, uint8_t *out)
{
    const libcrypto_table *c = ehc_libcrypto();
    size_t room = length + 192, written; /* the DER's own bytes are under 24; libcrypto asks for its own estimate */
    if (length == 0 || length > EHC_SM2_MESSAGE_MAX)
        return EHC_SM2_FORM;
    EVP_PKEY_CTX *ctx = start(c, key, c->EVP_PKEY_encrypt_init);
    uint8_t *der = malloc(room);
    int done = ctx != NULL && der != NULL && c->EVP_PKEY_encrypt(ctx, der, &room, message, length) == 1 &&
               ehc_sm2_cipher_of_der(der, room, out, length + EHC_SM2_OVERHEAD, &written) == EHC_SM2_OK;
    free(der);
    return finish(c, ctx, done, EHC_SM2_FAULT);
}

int ehc_sm2_decrypt(const ehc_sm2_key *key, const uint8_t *ciphertext, size_t length, uint8_t *out)
{
    const libcrypto_table *c = ehc_libcrypto();
    if (key->number == NULL)
        return EHC_SM2_KEY;
    if (length <= EHC_SM2_OVERHEAD || length > EHC_SM2_MESSAGE_MAX + EHC_SM2_OVERHEAD)
        return EHC_SM2_FORM;
    EVP_PKEY_CTX *ctx = start(c, key, c->EVP_PKEY_decrypt_init);
    uint8_t *der = malloc(length + EHC_SM2_CIPHER_DER);
    if (ctx == NULL || der == NULL) {
        free(der);
        return finish(c, ctx, 0, EHC_SM2_FAULT);
    }
    size_t clear = length - EHC_SM2_OVERHEAD, room = clear, size = ehc_sm2_cipher_to_der(ciphertext, length, der);
    int done = c->EVP_PKEY_decrypt(ctx, out, &room, der, size) == 1 && room == clear;
    if (!done)
        ehc_wipe(out, clear); /* nothing of what C3 does not vouch for */
    free(der);
    return finish(c, ctx, done, EHC_SM2_FORGED);
}
