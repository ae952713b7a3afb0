/* libcrypto.h: the part of OpenSSL's libcrypto (3.0 and later) that SM2 stands on, found at run time. Nothing of OpenSSL is
 * needed to build; its public types are opaque here and its functions are pointers in one table. */
#ifndef EHC_LIBCRYPTO_H
#define EHC_LIBCRYPTO_H

#include <stddef.h>

typedef struct bignum_st BIGNUM;
typedef struct bignum_ctx BN_CTX;
typedef struct ec_group_st EC_GROUP;
typedef struct ec_point_st EC_POINT;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
typedef struct engine_st ENGINE;

/* As openssl/core.h has it; part of the stable ABI of 3.x. */
typedef struct {
    const char *key;
    unsigned data_type;
    void *data;
    size_t data_size, return_size;
} OSSL_PARAM;

enum { OSSL_UNSIGNED_INTEGER = 2, OSSL_UTF8_STRING = 4, OSSL_OCTET_STRING = 5 };
enum { BN_CONSTANT_TIME = 4 }; /* BN_FLG_CONSTTIME */
enum { NID_SM2 = 1172, POINT_UNCOMPRESSED = 4 };
enum { SELECT_PUBLIC = 0x86, SELECT_KEYPAIR = 0x87 }; /* EVP_PKEY_PUBLIC_KEY, EVP_PKEY_KEYPAIR */

#define LIBCRYPTO_FUNCTIONS(F)                                                                                       \
    F(BIGNUM *, BN_new, (void))                                                                                      \
    F(void, BN_clear_free, (BIGNUM *))                                                                               \
    F(BIGNUM *, BN_bin2bn, (const unsigned char *, int, BIGNUM *))                                                   \
    F(int, BN_bn2binpad, (const BIGNUM *, unsigned char *, int))                                                     \
    F(void, BN_set_flags, (BIGNUM *, int))                                                                           \
    F(int, BN_mod_add_quick, (BIGNUM *, const BIGNUM *, const BIGNUM *, const BIGNUM *))                             \
    F(int, BN_mod_mul, (BIGNUM *, const BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *))                         \
    F(BN_CTX *, BN_CTX_new, (void))                                                                                  \
    F(void, BN_CTX_free, (BN_CTX *))                                                                                 \
    F(EC_GROUP *, EC_GROUP_new_by_curve_name, (int))                                                                 \
    F(const BIGNUM *, EC_GROUP_get0_order, (const EC_GROUP *))                                                       \
    F(EC_POINT *, EC_POINT_new, (const EC_GROUP *))                                                                  \
    F(void, EC_POINT_clear_free, (EC_POINT *))                                                                       \
    F(int, EC_POINT_oct2point, (const EC_GROUP *, EC_POINT *, const unsigned char *, size_t, BN_CTX *))              \
    F(size_t, EC_POINT_point2oct, (const EC_GROUP *, const EC_POINT *, int, unsigned char *, size_t, BN_CTX *))      \
    F(int, EC_POINT_mul, (const EC_GROUP *, EC_POINT *, const BIGNUM *, const EC_POINT *, const BIGNUM *, BN_CTX *)) \
    F(int, EC_POINT_add, (const EC_GROUP *, EC_POINT *, const EC_POINT *, const EC_POINT *, BN_CTX *))               \
    F(int, EC_POINT_is_at_infinity, (const EC_GROUP *, const EC_POINT *))                                            \
    F(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX *, const char *, const char *))                      \
    F(EVP_PKEY_CTX *, EVP_PKEY_CTX_new, (EVP_PKEY *, ENGINE *))                                                      \
    F(void, EVP_PKEY_CTX_free, (EVP_PKEY_CTX *))                                                                     \
    F(int, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX *))                                                                 \
    F(int, EVP_PKEY_fromdata, (EVP_PKEY_CTX *, EVP_PKEY **, int, OSSL_PARAM *))                                      \
    F(void, EVP_PKEY_free, (EVP_PKEY *))                                                                             \
    F(int, EVP_PKEY_sign_init, (EVP_PKEY_CTX *))                                                                     \
    F(int, EVP_PKEY_sign, (EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t))                \
    F(int, EVP_PKEY_verify_init, (EVP_PKEY_CTX *))                                                                   \
    F(int, EVP_PKEY_verify, (EVP_PKEY_CTX *, const unsigned char *, size_t, const unsigned char *, size_t))          \
    F(int, EVP_PKEY_encrypt_init, (EVP_PKEY_CTX *))                                                                  \
    F(int, EVP_PKEY_encrypt, (EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t))             \
    F(int, EVP_PKEY_decrypt_init, (EVP_PKEY_CTX *))                                                                  \
    F(int, EVP_PKEY_decrypt, (EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t))             \
    F(void, ERR_clear_error, (void))

#define LIBCRYPTO_POINTER(result, name, arguments) result(*name) arguments;
typedef struct {
    LIBCRYPTO_FUNCTIONS(LIBCRYPTO_POINTER)
    EC_GROUP *group;     /* SM2's, made once, never freed */
    const BIGNUM *order; /* its n */
} libcrypto_table;

/* The table, loaded by the first caller; NULL when no libcrypto with SM2 is there. Thread-safe. */
const libcrypto_table *ehc_libcrypto(void);

#endif
