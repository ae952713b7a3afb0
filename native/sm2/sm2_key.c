/* sm2_key.c: SM2 keys. The private number lives in libcrypto's big numbers, which are wiped with their key. */
#include <stdlib.h>
#include <sys/random.h>

#include "base.h"
#include "sm2_inside.h"

/* n - 1 of the recommended curve (part 5, 2): private keys are 1 .. n - 2. */
static const uint8_t N_LESS_1[32] = {0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x72, 0x03, 0xDF, 0x6B, 0x21, 0xC6,
                                     0x05, 0x2B, 0x53, 0xBB, 0xF4, 0x09, 0x39, 0xD5, 0x41, 0x22};

/* In time that does not depend on the number. */
static int in_range(const uint8_t raw[32])
{
    unsigned borrow = 0, any = 0;
    for (size_t i = 32; i-- > 0;) {
        borrow = ((unsigned)raw[i] - N_LESS_1[i] - borrow) >> 8 & 1;
        any |= raw[i];
    }
    return borrow & (any != 0);
}

EC_POINT *ehc_sm2_read_point(const libcrypto_table *c, const uint8_t point[EHC_SM2_POINT], BN_CTX *scratch)
{
    uint8_t octets[1 + EHC_SM2_POINT] = {POINT_UNCOMPRESSED};
    EC_POINT *read = c->EC_POINT_new(c->group);
    memcpy(octets + 1, point, EHC_SM2_POINT);
    if (read != NULL && c->EC_POINT_oct2point(c->group, read, octets, sizeof octets, scratch) == 1)
        return read;
    c->EC_POINT_clear_free(read);
    c->ERR_clear_error();
    return NULL;
}

int ehc_sm2_write_point(const libcrypto_table *c, const EC_POINT *point, uint8_t out[EHC_SM2_POINT], BN_CTX *scratch)
{
    uint8_t octets[1 + EHC_SM2_POINT];
    size_t length = c->EC_POINT_point2oct(c->group, point, POINT_UNCOMPRESSED, octets, sizeof octets, scratch);
    if (length == sizeof octets)
        memcpy(out, octets + 1, EHC_SM2_POINT);
    ehc_wipe(octets, sizeof octets);
    return length == sizeof octets;
}

/* point = number · G; libcrypto's ladder takes the same time for every number. */
static int multiply_base(const libcrypto_table *c, const BIGNUM *number, uint8_t out[EHC_SM2_POINT])
{
    EC_POINT *point = c->EC_POINT_new(c->group);
    int done = point != NULL && c->EC_POINT_mul(c->group, point, number, NULL, NULL, NULL) == 1 &&
               ehc_sm2_write_point(c, point, out, NULL);
    c->EC_POINT_clear_free(point);
    return done;
}

/* key->pkey of its point and, when it is no NULL, its private number, least byte first as the parameter wants it. */
static int give_to_provider(const libcrypto_table *c, ehc_sm2_key *key, uint8_t *reversed)
{
    char curve[] = "SM2", group_name[] = "group";
    uint8_t octets[1 + EHC_SM2_POINT] = {POINT_UNCOMPRESSED};
    OSSL_PARAM parameters[] = {{group_name, OSSL_UTF8_STRING, curve, 3, (size_t)-1},
                               {"pub", OSSL_OCTET_STRING, octets, sizeof octets, (size_t)-1},
                               {"priv", OSSL_UNSIGNED_INTEGER, reversed, 32, (size_t)-1},
                               {NULL, 0, NULL, 0, 0}};
    EVP_PKEY_CTX *ctx = c->EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    int selection = reversed == NULL ? SELECT_PUBLIC : SELECT_KEYPAIR;
    memcpy(octets + 1, key->point, EHC_SM2_POINT);
    if (reversed == NULL)
        parameters[2] = parameters[3];
    int done = ctx != NULL && c->EVP_PKEY_fromdata_init(ctx) == 1 &&
               c->EVP_PKEY_fromdata(ctx, &key->pkey, selection, parameters) == 1;
    c->EVP_PKEY_CTX_free(ctx);
    return done;
}

static int fill_private(const libcrypto_table *c, ehc_sm2_key *key, const uint8_t raw[32])
{
    uint8_t reversed[32];
    key->number = c->BN_new();
    if (key->number == NULL || c->BN_bin2bn(raw, 32, key->number) == NULL)
        return 0;
    c->BN_set_flags(key->number, BN_CONSTANT_TIME);
    if (!multiply_base(c, key->number, key->point))
        return 0;
    for (size_t i = 0; i < 32; i++)
        reversed[i] = raw[31 - i];
    int done = give_to_provider(c, key, reversed);
    ehc_wipe(reversed, sizeof reversed);
    return done;
}

static int refused(const libcrypto_table *c, ehc_sm2_key *key, int status)
{
    ehc_sm2_free(key);
    c->ERR_clear_error();
    return status;
}

int ehc_sm2_private(ehc_sm2_key **key, const uint8_t raw[EHC_SM2_PRIVATE])
{
    const libcrypto_table *c = ehc_libcrypto();
    *key = NULL;
    if (c == NULL)
        return EHC_SM2_NO_LIBRARY;
    if (!in_range(raw))
        return EHC_SM2_KEY;
    ehc_sm2_key *made = calloc(1, sizeof *made);
    if (made == NULL || !fill_private(c, made, raw))
        return refused(c, made, EHC_SM2_FAULT);
    *key = made;
    return EHC_SM2_OK;
}

int ehc_sm2_generate(ehc_sm2_key **key)
{
    uint8_t raw[EHC_SM2_PRIVATE];
    int status;
    *key = NULL;
    do { /* once, but for one draw in 2^32 */
        if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
            return EHC_SM2_FAULT;
        status = ehc_sm2_private(key, raw);
    } while (status == EHC_SM2_KEY);
    ehc_wipe(raw, sizeof raw);
    return status;
}

int ehc_sm2_public(ehc_sm2_key **key, const uint8_t point[EHC_SM2_POINT])
{
    const libcrypto_table *c = ehc_libcrypto();
    *key = NULL;
    if (c == NULL)
        return EHC_SM2_NO_LIBRARY;
    EC_POINT *read = ehc_sm2_read_point(c, point, NULL);
    if (read == NULL)
        return EHC_SM2_KEY;
    c->EC_POINT_clear_free(read);
    ehc_sm2_key *made = calloc(1, sizeof *made);
    if (made == NULL)
        return EHC_SM2_FAULT;
    memcpy(made->point, point, EHC_SM2_POINT);
    if (!give_to_provider(c, made, NULL))
        return refused(c, made, EHC_SM2_FAULT);
    *key = made;
    return EHC_SM2_OK;
}

void ehc_sm2_free(ehc_sm2_key *key)
{
    if (key == NULL)
        return;
    const libcrypto_table *c = ehc_libcrypto();
    c->EVP_PKEY_free(key->pkey);
    c->BN_clear_free(key->number);
    free(key);
}

const uint8_t *ehc_sm2_point(const ehc_sm2_key *key)
{
    return key->point;
}

int ehc_sm2_write(const ehc_sm2_key *key, uint8_t raw[EHC_SM2_PRIVATE])
{
    if (key->number == NULL)
        return EHC_SM2_KEY;
    return ehc_libcrypto()->BN_bn2binpad(key->number, raw, EHC_SM2_PRIVATE) == EHC_SM2_PRIVATE ? EHC_SM2_OK
                                                                                               : EHC_SM2_FAULT;
}
