/* sm2.h: SM2 (GB/T 32918) on libcrypto: what is signed, encrypted and agreed on is put together here; big numbers and the
 * curve are OpenSSL's. Points are 64 bytes x ‖ y, signatures 64 bytes r ‖ s, ciphertexts C1 (64) ‖ C3 (32) ‖ C2. */
#ifndef EHC_SM2_H
#define EHC_SM2_H

#include <stddef.h>
#include <stdint.h>

enum {
    EHC_SM2_OK = 0,
    EHC_SM2_NO_LIBRARY = 64, /* no libcrypto with SM2: ehc_libcrypto */
    EHC_SM2_KEY = 65,        /* a private key outside 1..n-2, a public key that is no point of the curve */
    EHC_SM2_FORGED = 66,     /* the signature, or C3 of the ciphertext, does not hold */
    EHC_SM2_FORM = 67,       /* not a DER of this kind, a length no answer has */
    EHC_SM2_FAULT = 68       /* libcrypto refused for a reason of its own: out of memory */
};

enum { EHC_SM2_PRIVATE = 32, EHC_SM2_POINT = 64, EHC_SM2_SIGNATURE = 64, EHC_SM2_OVERHEAD = 96, EHC_SM2_DER_MAX = 72 };

/* A key, private or public. Threads may share one; freed, its private number is wiped. */
typedef struct ehc_sm2_key ehc_sm2_key;

int ehc_sm2_generate(ehc_sm2_key **key);
int ehc_sm2_private(ehc_sm2_key **key, const uint8_t raw[EHC_SM2_PRIVATE]);
int ehc_sm2_public(ehc_sm2_key **key, const uint8_t point[EHC_SM2_POINT]);
void ehc_sm2_free(ehc_sm2_key *key);
const uint8_t *ehc_sm2_point(const ehc_sm2_key *key); /* 64 bytes, as long as the key lives */
int ehc_sm2_write(const ehc_sm2_key *key,
                  uint8_t raw[EHC_SM2_PRIVATE]); /* the private number; EHC_SM2_KEY without one */

/* Z (part 2, 5.5): SM3 of ENTL ‖ id ‖ a ‖ b ‖ G ‖ point. The id has at most 8191 bytes, else EHC_SM2_FORM. */
int ehc_sm2_z(const uint8_t point[EHC_SM2_POINT], const uint8_t *id, size_t id_length, uint8_t z[32]);
/* e = SM3(Z ‖ message), what is signed. */
int ehc_sm2_e(const uint8_t point[EHC_SM2_POINT], const uint8_t *id, size_t id_length, const uint8_t *message,
              size_t length, uint8_t e[32]);

int ehc_sm2_sign(const ehc_sm2_key *key, const uint8_t e[32], uint8_t signature[EHC_SM2_SIGNATURE]);
int ehc_sm2_verify(const ehc_sm2_key *key, const uint8_t e[32], const uint8_t signature[EHC_SM2_SIGNATURE]);

/* length: 1 .. EHC_SM2_MESSAGE_MAX; `out` has length + EHC_SM2_OVERHEAD bytes, and the same less for decryption. */
enum { EHC_SM2_MESSAGE_MAX = 1 << 20 };
int ehc_sm2_encrypt(const ehc_sm2_key *key, const uint8_t *message, size_t length, uint8_t *out);
int ehc_sm2_decrypt(const ehc_sm2_key *key, const uint8_t *ciphertext, size_t length, uint8_t *out);

/* Key agreement (part 3, 6): own static and own one-time key, the other side's points, Z of initiator and responder;
 * `shared` gets length bytes. Also S1 = SB and S2 = SA, the confirmations, unless NULL. */
typedef struct {
    const ehc_sm2_key *own, *own_once;
    const uint8_t *other, *other_once; /* 64 bytes each */
    const uint8_t *z_initiator, *z_responder;
    int initiator;
} ehc_sm2_agreement;
int ehc_sm2_agree(const ehc_sm2_agreement *with, uint8_t *shared, size_t length, uint8_t sb[32], uint8_t sa[32]);

/* DER (GM/T 0009): SEQUENCE of r and s; SEQUENCE of x, y, C3, C2. Strict: one encoding a value. */
size_t ehc_sm2_to_der(const uint8_t signature[EHC_SM2_SIGNATURE], uint8_t der[EHC_SM2_DER_MAX]);
int ehc_sm2_of_der(const uint8_t *der, size_t length, uint8_t signature[EHC_SM2_SIGNATURE]);
/* `der` needs length + EHC_SM2_CIPHER_DER bytes; returns its length. */
enum { EHC_SM2_CIPHER_DER = 24 };
size_t ehc_sm2_cipher_to_der(const uint8_t *ciphertext, size_t length, uint8_t *der);
/* `ciphertext` has `room` bytes: length + EHC_SM2_OVERHEAD are always enough. Gives its length in *written. */
int ehc_sm2_cipher_of_der(const uint8_t *der, size_t length, uint8_t *ciphertext, size_t room, size_t *written);

#endif
