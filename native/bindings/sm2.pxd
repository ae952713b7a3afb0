# sm2.pxd: mirrors native/sm2/sm2.h, nothing else.

cdef extern from "sm2.h" nogil:
    enum:
        EHC_SM2_OK
        EHC_SM2_NO_LIBRARY
        EHC_SM2_KEY
        EHC_SM2_FORGED
        EHC_SM2_FAULT
        EHC_SM2_PRIVATE
        EHC_SM2_POINT
        EHC_SM2_SIGNATURE
        EHC_SM2_OVERHEAD
        EHC_SM2_DER_MAX
        EHC_SM2_MESSAGE_MAX

    ctypedef struct ehc_sm2_key:
        pass

    int ehc_sm2_generate(ehc_sm2_key **key)
    int ehc_sm2_private(ehc_sm2_key **key, const uint8_t *raw)
    int ehc_sm2_public(ehc_sm2_key **key, const uint8_t *point)
    void ehc_sm2_free(ehc_sm2_key *key)
    const uint8_t *ehc_sm2_point(const ehc_sm2_key *key)
    int ehc_sm2_write(const ehc_sm2_key *key, uint8_t *raw)
    int ehc_sm2_z(const uint8_t *point, const uint8_t *id, size_t id_length, uint8_t *z)
    int ehc_sm2_e(const uint8_t *point, const uint8_t *id, size_t id_length, const uint8_t *message, size_t length,
                  uint8_t *e)
    int ehc_sm2_sign(const ehc_sm2_key *key, const uint8_t *e, uint8_t *signature)
    int ehc_sm2_verify(const ehc_sm2_key *key, const uint8_t *e, const uint8_t *signature)
    int ehc_sm2_encrypt(const ehc_sm2_key *key, const uint8_t *message, size_t length, uint8_t *out)
    int ehc_sm2_decrypt(const ehc_sm2_key *key, const uint8_t *ciphertext, size_t length, uint8_t *out)

    ctypedef struct ehc_sm2_agreement:
        const ehc_sm2_key *own
        const ehc_sm2_key *own_once
        const uint8_t *other
        const uint8_t *other_once
        const uint8_t *z_initiator
        const uint8_t *z_responder
        int initiator

    int ehc_sm2_agree(const ehc_sm2_agreement *agreement, uint8_t *shared, size_t length, uint8_t *sb, uint8_t *sa)
    size_t ehc_sm2_to_der(const uint8_t *signature, uint8_t *der)
    int ehc_sm2_of_der(const uint8_t *der, size_t length, uint8_t *signature)
