/* sdf_modes.h: modes of SM4 over the kernels of sm4/, one message or in parts; HMAC-SM3 in parts. */
#ifndef EHC_SDF_MODES_H
#define EHC_SDF_MODES_H

#include "base.h"

/* A message in a mode of GB/T 17964, ECB to OFB, CTR and CBC-MAC. iv: of the next block, at any time between blocks. */
typedef struct {
    ehc_sm4_key key;
    unsigned mode; /* SGD_ECB ... */
    int decrypt;
    uint8_t iv[16];
    uint8_t pad[256]; /* keystream made and not used yet: from `used` to `ready` */
    size_t used, ready;
    uint8_t held[16]; /* an incomplete block */
    size_t held_length;
} sdf_cipher;

void sdf_cipher_start(sdf_cipher *c, const uint8_t key[16], unsigned mode, int decrypt, const uint8_t iv[16]);
/* Returns the bytes written to `out`, at most length + held_length; NULL out for a MAC, which has none. */
size_t sdf_cipher_update(sdf_cipher *c, const uint8_t *in, size_t length, uint8_t *out);

/* A message in GCM (GB/T 36624, SP 800-38D) or CCM (RFC 3610). */
typedef struct {
    sdf_cipher stream; /* CTR, from the second block on */
    int ccm, decrypt;
    uint8_t h[16];    /* GCM: the key of GHASH */
    uint8_t sum[16];  /* GHASH, or CBC-MAC, of what came so far */
    uint8_t mask[16]; /* what hides the tag */
    size_t pending;   /* bytes in an incomplete block of the sum */
    uint64_t aad_length, length, left;
} sdf_aead;

/* tag_length and `length`, of the whole message, are what CCM hashes first. 0 for a length that the mode has not: nonce
 * (GCM 1 or more, CCM 7 to 13), tag (GCM 12 to 16, CCM 4 to 16, even). */
int sdf_aead_start(sdf_aead *a, const uint8_t key[16], int ccm, int decrypt, const uint8_t *nonce, size_t nonce_length,
                   const uint8_t *aad, size_t aad_length, uint64_t length, size_t tag_length);
/* 0 when more comes than was announced. */
int sdf_aead_update(sdf_aead *a, const uint8_t *in, size_t length, uint8_t *out);
/* The full tag. 0 when less came than was announced. */
int sdf_aead_finish(sdf_aead *a, uint8_t tag[16]);

typedef struct {
    ehc_sm3_ctx inner, outer;
} sdf_hmac;

void sdf_hmac_start(sdf_hmac *h, const uint8_t *key, size_t length);
void sdf_hmac_finish(sdf_hmac *h, uint8_t mac[32]);

#endif
