/* sm2_inside.h: what the files of this room share. */
#ifndef EHC_SM2_INSIDE_H
#define EHC_SM2_INSIDE_H

#include "libcrypto.h"
#include "sm2.h"

struct ehc_sm2_key {
    EVP_PKEY *pkey;
    BIGNUM *number; /* NULL in a public key */
    uint8_t point[EHC_SM2_POINT];
};

/* A point of 64 bytes as one of libcrypto's; NULL when it is not on the curve. */
EC_POINT *ehc_sm2_read_point(const libcrypto_table *c, const uint8_t point[EHC_SM2_POINT], BN_CTX *scratch);
/* 0 for the point at infinity. */
int ehc_sm2_write_point(const libcrypto_table *c, const EC_POINT *point, uint8_t out[EHC_SM2_POINT], BN_CTX *scratch);

#endif
