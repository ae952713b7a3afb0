/* sdf_ecc.c: SM2 with the machine's keys and with keys that the caller brings. What is signed is e, 32 bytes, which HashInit
 * with a public key and an id gives. */
#include <stdlib.h>

#include "sdf_inside.h"
#include "sgd.h"

int ehc_sdf_sm2_status(int status, int otherwise)
{
    switch (status) {
    case EHC_SM2_OK:
        return SDR_OK;
    case EHC_SM2_NO_LIBRARY:
        return SDR_HARDFAIL;
    case EHC_SM2_FAULT:
        return SDR_NOBUFFER;
    case EHC_SM2_KEY:
        return SDR_KEYERR;
    default:
        return otherwise;
    }
}

/* 32 bytes right-aligned in 64. */
static int read_number(const uint8_t from[ECCref_MAX_LEN], uint8_t to[32])
{
    unsigned any = 0;
    for (size_t i = 0; i < 32; i++)
        any |= from[i];
    memcpy(to, from + 32, 32);
    return any == 0;
}

static void write_number(const uint8_t from[32], uint8_t to[ECCref_MAX_LEN])
{
    memset(to, 0, 32);
    memcpy(to + 32, from, 32);
}

int ehc_sdf_read_point(const ECCrefPublicKey *from, uint8_t point[64])
{
    return from->bits == 256 && read_number(from->x, point) && read_number(from->y, point + 32);
}

void ehc_sdf_write_point(const uint8_t point[64], ECCrefPublicKey *to)
{
    to->bits = 256;
    write_number(point, to->x);
    write_number(point + 32, to->y);
}

int ehc_sdf_public_key(const ECCrefPublicKey *from, ehc_sm2_key **key)
{
    uint8_t point[64];
    *key = NULL;
    if (from == NULL || !ehc_sdf_read_point(from, point))
        return SDR_INARGERR;
    return ehc_sdf_sm2_status(ehc_sm2_public(key, point), SDR_KEYERR);
}

static int private_key(const ECCrefPrivateKey *from, ehc_sm2_key **key)
{
    uint8_t raw[32];
    *key = NULL;
    if (from == NULL || from->bits != 256 || !read_number(from->K, raw))
        return SDR_INARGERR;
    int status = ehc_sdf_sm2_status(ehc_sm2_private(key, raw), SDR_KEYERR);
    ehc_wipe(raw, sizeof raw);
    return status;
}

int ehc_sdf_encrypt(const ehc_sm2_key *key, const uint8_t *data, size_t length, ECCCipher *out)
{
    if (data == NULL || length == 0 || length > SDF_PLAIN_MAX)
        return SDR_INARGERR;
    uint8_t *whole = malloc(length + EHC_SM2_OVERHEAD);
    if (whole == NULL)
        return SDR_NOBUFFER;
    int status = ehc_sdf_sm2_status(ehc_sm2_encrypt(key, data, length, whole), SDR_PKOPERR);
    if (status == SDR_OK) {
        write_number(whole, out->x);
        write_number(whole + 32, out->y);
        memcpy(out->M, whole + 64, 32);
        out->L = (unsigned)length;
        memcpy((uint8_t *)out + offsetof(ECCCipher, C), whole + EHC_SM2_OVERHEAD, length);
    }
    free(whole);
    return status;
}

int ehc_sdf_decrypt(const ehc_sm2_key *key, const ECCCipher *from, uint8_t *data, size_t *length)
{
    size_t size = from->L;
    if (size == 0 || size > SDF_PLAIN_MAX)
        return SDR_ENCDATAERR;
    uint8_t *whole = malloc(size + EHC_SM2_OVERHEAD);
    if (whole == NULL)
        return SDR_NOBUFFER;
    int status = SDR_ENCDATAERR;
    if (read_number(from->x, whole) && read_number(from->y, whole + 32)) {
        memcpy(whole + 64, from->M, 32);
        memcpy(whole + EHC_SM2_OVERHEAD, (const uint8_t *)from + offsetof(ECCCipher, C), size);
        status = ehc_sdf_sm2_status(ehc_sm2_decrypt(key, whole, size + EHC_SM2_OVERHEAD, data), SDR_ENCDATAERR);
        *length = size;
    }
    free(whole);
    return status;
}

static int sign(const ehc_sm2_key *key, const uint8_t *e, size_t length, ECCSignature *out)
{
    uint8_t signature[64];
    if (e == NULL || length != 32)
        return SDR_INARGERR;
    if (out == NULL)
        return SDR_OUTARGERR;
    int status = ehc_sdf_sm2_status(ehc_sm2_sign(key, e, signature), SDR_SIGNERR);
    if (status == SDR_OK) {
        write_number(signature, out->r);
        write_number(signature + 32, out->s);
    }
    return status;
}

static int verify(const ehc_sm2_key *key, const uint8_t *e, size_t length, const ECCSignature *given)
{
    uint8_t signature[64];
    if (e == NULL || length != 32 || given == NULL)
        return SDR_INARGERR;
    if (!read_number(given->r, signature) || !read_number(given->s, signature + 32))
        return SDR_VERIFYERR;
    return ehc_sdf_sm2_status(ehc_sm2_verify(key, e, signature), SDR_VERIFYERR);
}

/* The public key of the machine's pair `index`. */
static int own_public(const sdf_session *session, unsigned index, int signing, ehc_sm2_key **key)
{
    uint8_t points[2][64];
    *key = NULL;
    int status = ehc_sdf_store_points(store_of(session), index, points[0], points[1]);
    return status == SDR_OK ? ehc_sdf_sm2_status(ehc_sm2_public(key, points[!signing]), SDR_KEYERR) : status;
}

static int export_point(void *handle, unsigned index, int signing, ECCrefPublicKey *to)
{
    uint8_t points[2][64];
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (to == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    int status = ehc_sdf_store_points(store_of(session), index, points[0], points[1]);
    if (status == SDR_OK)
        ehc_sdf_write_point(points[!signing], to);
    return ehc_sdf_end(session, status);
}

int SDF_ExportSignPublicKey_ECC(void *hSessionHandle, unsigned int uiKeyIndex, ECCrefPublicKey *pucPublicKey)
{
    return export_point(hSessionHandle, uiKeyIndex, 1, pucPublicKey);
}

int SDF_ExportEncPublicKey_ECC(void *hSessionHandle, unsigned int uiKeyIndex, ECCrefPublicKey *pucPublicKey)
{
    return export_point(hSessionHandle, uiKeyIndex, 0, pucPublicKey);
}

static int for_signing(unsigned algorithm)
{
    return algorithm == SGD_SM2 || algorithm == SGD_SM2_1;
}

static int for_encryption(unsigned algorithm)
{
    return algorithm == SGD_SM2 || algorithm == SGD_SM2_3;
}

static int new_pair(unsigned algorithm, unsigned bits, ECCrefPublicKey *public_key, ECCrefPrivateKey *to)
{
    ehc_sm2_key *key;
    uint8_t raw[32];
    if (public_key == NULL || to == NULL)
        return SDR_OUTARGERR;
    if (!for_signing(algorithm) && !for_encryption(algorithm) && algorithm != SGD_SM2_2)
        return SDR_ALGNOTSUPPORT;
    if (bits != 256)
        return SDR_INARGERR;
    int status = ehc_sdf_sm2_status(ehc_sm2_generate(&key), SDR_KEYERR);
    if (status == SDR_OK)
        status = ehc_sdf_sm2_status(ehc_sm2_write(key, raw), SDR_KEYERR);
    if (status == SDR_OK) {
        ehc_sdf_write_point(ehc_sm2_point(key), public_key);
        to->bits = 256;
        write_number(raw, to->K);
    }
    ehc_wipe(raw, sizeof raw);
    ehc_sm2_free(key);
    return status;
}

int SDF_GenerateKeyPair_ECC(void *hSessionHandle, unsigned int uiAlgID, unsigned int uiKeyBits,
                            ECCrefPublicKey *pucPublicKey, ECCrefPrivateKey *pucPrivateKey)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    return ehc_sdf_end(session, new_pair(uiAlgID, uiKeyBits, pucPublicKey, pucPrivateKey));
}

int SDF_ExternalVerify_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPublicKey *pucPublicKey,
                           unsigned char *pucDataInput, unsigned int uiInputLength, ECCSignature *pucSignature)
{
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = for_signing(uiAlgID) ? ehc_sdf_public_key(pucPublicKey, &key) : SDR_ALGNOTSUPPORT;
    if (status == SDR_OK)
        status = verify(key, pucDataInput, uiInputLength, pucSignature);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

int SDF_ExternalSign_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPrivateKey *pucPrivateKey,
                         unsigned char *pucDataInput, unsigned int uiInputLength, ECCSignature *pucSignature)
{
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = for_signing(uiAlgID) ? private_key(pucPrivateKey, &key) : SDR_ALGNOTSUPPORT;
    if (status == SDR_OK)
        status = sign(key, pucDataInput, uiInputLength, pucSignature);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

int SDF_InternalSign_ECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned char *pucData,
                         unsigned int uiDataLength, ECCSignature *pucSignature)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_right *right = ehc_sdf_right(session, uiISKIndex);
    return ehc_sdf_end(session,
                       right == NULL ? SDR_PARDENY : sign(right->signing, pucData, uiDataLength, pucSignature));
}

int SDF_InternalVerify_ECC(void *hSessionHandle, unsigned int uiIPKIndex, unsigned char *pucData,
                           unsigned int uiDataLength, ECCSignature *pucSignature)
{
    ehc_sm2_key *key;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = own_public(session, uiIPKIndex, 1, &key);
    if (status == SDR_OK)
        status = verify(key, pucData, uiDataLength, pucSignature);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

int SDF_ExternalEncrypt_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPublicKey *pucPublicKey,
                            unsigned char *pucData, unsigned int uiDataLength, ECCCipher *pucEncData)
{
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = !for_encryption(uiAlgID) ? SDR_ALGNOTSUPPORT
                 : pucEncData == NULL     ? SDR_OUTARGERR
                                          : ehc_sdf_public_key(pucPublicKey, &key);
    if (status == SDR_OK)
        status = ehc_sdf_encrypt(key, pucData, uiDataLength, pucEncData);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

int SDF_InternalEncrypt_ECC(void *hSessionHandle, unsigned int uiIPKIndex, unsigned int uiAlgID, unsigned char *pucData,
                            unsigned int uiDataLength, ECCCipher *pucEncData)
{
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = !for_encryption(uiAlgID) ? SDR_ALGNOTSUPPORT
                 : pucEncData == NULL     ? SDR_OUTARGERR
                                          : own_public(session, uiIPKIndex, 0, &key);
    if (status == SDR_OK)
        status = ehc_sdf_encrypt(key, pucData, uiDataLength, pucEncData);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

/* NULL data asks for the length. */
static int decrypt(const ehc_sm2_key *key, const ECCCipher *from, uint8_t *data, unsigned *length)
{
    size_t size = from->L;
    int status = data == NULL ? SDR_OK : ehc_sdf_decrypt(key, from, data, &size);
    if (status == SDR_OK)
        *length = (unsigned)size;
    return status;
}

int SDF_InternalDecrypt_ECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned int uiAlgID, ECCCipher *pucEncData,
                            unsigned char *pucData, unsigned int *puiDataLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_right *right = ehc_sdf_right(session, uiISKIndex);
    int status = !for_encryption(uiAlgID) ? SDR_ALGNOTSUPPORT
                 : pucEncData == NULL     ? SDR_INARGERR
                 : puiDataLength == NULL  ? SDR_OUTARGERR
                 : right == NULL          ? SDR_PARDENY
                                          : decrypt(right->encryption, pucEncData, pucData, puiDataLength);
    return ehc_sdf_end(session, status);
}

int SDF_ExternalDecrypt_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPrivateKey *pucPrivateKey,
                            ECCCipher *pucEncData, unsigned char *pucData, unsigned int *puiDataLength)
{
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = !for_encryption(uiAlgID) ? SDR_ALGNOTSUPPORT
                 : pucEncData == NULL     ? SDR_INARGERR
                 : puiDataLength == NULL  ? SDR_OUTARGERR
                                          : private_key(pucPrivateKey, &key);
    if (status == SDR_OK)
        status = decrypt(key, pucEncData, pucData, puiDataLength);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

/* A digital envelope opened with the machine's key and closed again for another: the content is never outside. */
static int exchange(const ehc_sm2_key *own, const ehc_sm2_key *other, const ECCCipher *in, ECCCipher *out)
{
    size_t length = in->L;
    uint8_t *clear = length == 0 || length > SDF_PLAIN_MAX ? NULL : ehc_sdf_secret(length);
    if (clear == NULL)
        return SDR_ENCDATAERR;
    int status = ehc_sdf_decrypt(own, in, clear, &length);
    if (status == SDR_OK)
        status = ehc_sdf_encrypt(other, clear, length, out);
    ehc_sdf_forget(clear, length);
    return status;
}

int SDF_ExchangeDigitEnvelopeBaseOnECC(void *hSessionHandle, unsigned int uiKeyIndex, unsigned int uiAlgID,
                                       ECCrefPublicKey *pucPublicKey, ECCCipher *pucEncDataIn, ECCCipher *pucEncDataOut)
{
    ehc_sm2_key *other = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_right *right = ehc_sdf_right(session, uiKeyIndex);
    int status = !for_encryption(uiAlgID) ? SDR_ALGNOTSUPPORT
                 : pucEncDataIn == NULL   ? SDR_INARGERR
                 : pucEncDataOut == NULL  ? SDR_OUTARGERR
                 : right == NULL          ? SDR_PARDENY
                                          : ehc_sdf_public_key(pucPublicKey, &other);
    if (status == SDR_OK)
        status = exchange(right->encryption, other, pucEncDataIn, pucEncDataOut);
    ehc_sm2_free(other);
    return ehc_sdf_end(session, status);
}
