/* sdf_keys.c: session keys under handles: made in the machine, brought in under a KEK or in an SM2 envelope, agreed on. */
#include <stdlib.h>

#include "sdf_inside.h"
#include "sgd.h"

static void destroy_key(sdf_object *object)
{
    ehc_sdf_forget(object, sizeof(sdf_key));
}

size_t ehc_sdf_key_bytes(unsigned bits)
{
    return bits % 8 == 0 && bits / 8 <= SDF_KEY_MAX ? bits / 8 : 0;
}

int ehc_sdf_new_key(sdf_session *session, const uint8_t *bytes, size_t length, void **handle)
{
    sdf_key *key = ehc_sdf_secret(sizeof *key);
    if (key == NULL)
        return SDR_NOBUFFER;
    key->head.kind = SDF_KEY;
    key->head.owner = &session->head;
    key->head.destroy = destroy_key;
    key->length = length;
    memcpy(key->bytes, bytes, length);
    *handle = ehc_sdf_register(&key->head);
    return *handle == NULL ? SDR_NOBUFFER : SDR_OK;
}

const sdf_key *ehc_sdf_enter_key(const sdf_session *session, void *handle)
{
    sdf_object *key = ehc_sdf_enter(handle, SDF_KEY);
    if (key == NULL || key->owner == &session->head)
        return (const sdf_key *)key;
    ehc_sdf_leave(key);
    return NULL;
}

void ehc_sdf_leave_key(const sdf_key *key)
{
    ehc_sdf_leave((sdf_object *)(uintptr_t)key);
}

int SDF_DestroyKey(void *hSessionHandle, void *hKeyHandle)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int found =
        ehc_sdf_close(hKeyHandle, SDF_KEY, &session->head) || ehc_sdf_close(hKeyHandle, SDF_AGREEMENT, &session->head);
    return ehc_sdf_end(session, found ? SDR_OK : SDR_KEYNOTEXIST);
}

/* ---- SM2 envelopes ---- */

static int new_in_envelope(sdf_session *session, const ehc_sm2_key *key, unsigned bits, ECCCipher *out, void **handle)
{
    uint8_t fresh[SDF_KEY_MAX];
    size_t length = ehc_sdf_key_bytes(bits);
    if (length == 0)
        return SDR_INARGERR;
    if (!ehc_sdf_random(fresh, length))
        return SDR_RANDERR;
    int status = ehc_sdf_encrypt(key, fresh, length, out);
    if (status == SDR_OK)
        status = ehc_sdf_new_key(session, fresh, length, handle);
    ehc_wipe(fresh, sizeof fresh);
    return status;
}

int SDF_GenerateKeyWithIPK_ECC(void *hSessionHandle, unsigned int uiIPKIndex, unsigned int uiKeyBits, ECCCipher *pucKey,
                               void **phKeyHandle)
{
    uint8_t points[2][64];
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (pucKey == NULL || phKeyHandle == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    int status = ehc_sdf_store_points(store_of(session), uiIPKIndex, points[0], points[1]);
    if (status == SDR_OK)
        status = ehc_sdf_sm2_status(ehc_sm2_public(&key, points[1]), SDR_KEYERR);
    if (status == SDR_OK)
        status = new_in_envelope(session, key, uiKeyBits, pucKey, phKeyHandle);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

int SDF_GenerateKeyWithEPK_ECC(void *hSessionHandle, unsigned int uiKeyBits, unsigned int uiAlgID,
                               ECCrefPublicKey *pucPublicKey, ECCCipher *pucKey, void **phKeyHandle)
{
    ehc_sm2_key *key = NULL;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = pucKey == NULL || phKeyHandle == NULL        ? SDR_OUTARGERR
                 : uiAlgID != SGD_SM2 && uiAlgID != SGD_SM2_3 ? SDR_ALGNOTSUPPORT
                                                              : ehc_sdf_public_key(pucPublicKey, &key);
    if (status == SDR_OK)
        status = new_in_envelope(session, key, uiKeyBits, pucKey, phKeyHandle);
    ehc_sm2_free(key);
    return ehc_sdf_end(session, status);
}

static int open_envelope(sdf_session *session, const ehc_sm2_key *key, const ECCCipher *from, void **handle)
{
    uint8_t bytes[SDF_KEY_MAX];
    size_t length = from->L;
    if (length == 0 || length > SDF_KEY_MAX)
        return SDR_ENCDATAERR;
    int status = ehc_sdf_decrypt(key, from, bytes, &length);
    if (status == SDR_OK)
        status = ehc_sdf_new_key(session, bytes, length, handle);
    ehc_wipe(bytes, sizeof bytes);
    return status;
}

int SDF_ImportKeyWithISK_ECC(void *hSessionHandle, unsigned int uiISKIndex, ECCCipher *pucKey, void **phKeyHandle)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_right *right = ehc_sdf_right(session, uiISKIndex);
    int status = pucKey == NULL        ? SDR_INARGERR
                 : phKeyHandle == NULL ? SDR_OUTARGERR
                 : right == NULL       ? SDR_PARDENY
                                       : open_envelope(session, right->encryption, pucKey, phKeyHandle);
    return ehc_sdf_end(session, status);
}

/* ---- under a KEK. The standard leaves the form open. ECB: the key's whole blocks; CBC: iv (16) ‖ PKCS#7, as SoftSDF has it;
 * GCM: nonce (12) ‖ ciphertext ‖ tag (16). ---- */

enum { WRAPPED_MAX = 16 + SDF_KEY_MAX + 16 };

static int wrap(unsigned algorithm, const uint8_t kek[16], const uint8_t *key, size_t length, uint8_t *out,
                size_t *size)
{
    sdf_cipher cipher;
    sdf_aead aead;
    uint8_t padded[SDF_KEY_MAX + 16];
    size_t pad = 16 - length % 16;
    if (algorithm == SGD_SM4_GCM ? !ehc_sdf_random(out, 12) : algorithm == SGD_SM4_CBC && !ehc_sdf_random(out, 16))
        return SDR_RANDERR;
    switch (algorithm) {
    case SGD_SM4_ECB:
        if (length % 16 != 0)
            return SDR_INARGERR;
        sdf_cipher_start(&cipher, kek, SGD_ECB, 0, NULL);
        *size = sdf_cipher_update(&cipher, key, length, out);
        ehc_wipe(&cipher, sizeof cipher);
        return SDR_OK;
    case SGD_SM4_CBC:
        memcpy(padded, key, length);
        memset(padded + length, (int)pad, pad);
        sdf_cipher_start(&cipher, kek, SGD_CBC, 0, out);
        *size = 16 + sdf_cipher_update(&cipher, padded, length + pad, out + 16);
        ehc_wipe(&cipher, sizeof cipher);
        ehc_wipe(padded, sizeof padded);
        return SDR_OK;
    case SGD_SM4_GCM:
        (void)sdf_aead_start(&aead, kek, 0, 0, out, 12, NULL, 0, length, 16);
        (void)sdf_aead_update(&aead, key, length, out + 12);
        (void)sdf_aead_finish(&aead, out + 12 + length);
        ehc_wipe(&aead, sizeof aead);
        *size = 12 + length + 16;
        return SDR_OK;
    default:
        return SDR_ALGNOTSUPPORT;
    }
}

static int unpad(const uint8_t *padded, size_t size, size_t *length)
{
    unsigned pad = padded[size - 1], wrong = pad < 1 || pad > 16;
    for (size_t i = 0; i < 16; i++)
        wrong |= i < pad && padded[size - 1 - i] != pad;
    *length = wrong ? 0 : size - pad;
    return !wrong && *length > 0;
}

/* out has WRAPPED_MAX bytes. */
static int unwrap(unsigned algorithm, const uint8_t kek[16], const uint8_t *wrapped, size_t size, uint8_t *out,
                  size_t *length)
{
    sdf_cipher cipher;
    sdf_aead aead;
    uint8_t tag[16];
    int right = 0;
    if (algorithm != SGD_SM4_ECB && algorithm != SGD_SM4_CBC && algorithm != SGD_SM4_GCM)
        return SDR_ALGNOTSUPPORT;
    if (algorithm == SGD_SM4_ECB && size >= 16 && size <= SDF_KEY_MAX && size % 16 == 0) {
        sdf_cipher_start(&cipher, kek, SGD_ECB, 1, NULL);
        *length = sdf_cipher_update(&cipher, wrapped, size, out);
        ehc_wipe(&cipher, sizeof cipher);
        right = 1;
    } else if (algorithm == SGD_SM4_CBC && size >= 32 && size <= 16 + SDF_KEY_MAX + 16 && size % 16 == 0) {
        sdf_cipher_start(&cipher, kek, SGD_CBC, 1, wrapped);
        sdf_cipher_update(&cipher, wrapped + 16, size - 16, out);
        ehc_wipe(&cipher, sizeof cipher);
        right = unpad(out, size - 16, length) && *length <= SDF_KEY_MAX;
    } else if (algorithm == SGD_SM4_GCM && size > 28 && size <= 28 + SDF_KEY_MAX) {
        *length = size - 28;
        (void)sdf_aead_start(&aead, kek, 0, 1, wrapped, 12, NULL, 0, *length, 16);
        (void)sdf_aead_update(&aead, wrapped + 12, *length, out);
        (void)sdf_aead_finish(&aead, tag);
        ehc_wipe(&aead, sizeof aead);
        right = ehc_equal(tag, wrapped + size - 16, 16);
    }
    return right ? SDR_OK : SDR_ENCDATAERR;
}

static int new_under_kek(sdf_session *session, unsigned bits, unsigned algorithm, unsigned index, uint8_t *out,
                         unsigned *out_length, void **handle)
{
    uint8_t kek[16], fresh[SDF_KEY_MAX], wrapped[WRAPPED_MAX];
    size_t length = ehc_sdf_key_bytes(bits), size = 0;
    if (out == NULL || out_length == NULL || handle == NULL)
        return SDR_OUTARGERR;
    if (length == 0)
        return SDR_INARGERR;
    int status = ehc_sdf_store_kek(store_of(session), index, kek);
    if (status == SDR_OK && !ehc_sdf_random(fresh, length))
        status = SDR_RANDERR;
    if (status == SDR_OK)
        status = wrap(algorithm, kek, fresh, length, wrapped, &size);
    if (status == SDR_OK)
        status = ehc_sdf_new_key(session, fresh, length, handle);
    if (status == SDR_OK) {
        memcpy(out, wrapped, size);
        *out_length = (unsigned)size;
    }
    ehc_wipe(kek, sizeof kek);
    ehc_wipe(fresh, sizeof fresh);
    return status;
}

int SDF_GenerateKeyWithKEK(void *hSessionHandle, unsigned int uiKeyBits, unsigned int uiAlgID, unsigned int uiKEKIndex,
                           unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    return ehc_sdf_end(session,
                       new_under_kek(session, uiKeyBits, uiAlgID, uiKEKIndex, pucKey, puiKeyLength, phKeyHandle));
}

int SDF_ImportKeyWithKEK(void *hSessionHandle, unsigned int uiAlgID, unsigned int uiKEKIndex, unsigned char *pucKey,
                         unsigned int uiKeyLength, void **phKeyHandle)
{
    uint8_t kek[16], bytes[WRAPPED_MAX];
    size_t length = 0;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (pucKey == NULL || phKeyHandle == NULL)
        return ehc_sdf_end(session, pucKey == NULL ? SDR_INARGERR : SDR_OUTARGERR);
    int status = ehc_sdf_store_kek(store_of(session), uiKEKIndex, kek);
    if (status == SDR_OK)
        status = unwrap(uiAlgID, kek, pucKey, uiKeyLength, bytes, &length);
    if (status == SDR_OK)
        status = ehc_sdf_new_key(session, bytes, length, phKeyHandle);
    ehc_wipe(kek, sizeof kek);
    ehc_wipe(bytes, sizeof bytes);
    return ehc_sdf_end(session, status);
}
