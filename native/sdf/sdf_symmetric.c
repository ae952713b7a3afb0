/* sdf_symmetric.c: SM4 under key handles (and, for validation, under keys in clear): a call each, and in parts. Whole blocks in
 * ECB, CBC and MAC: the standard adds no padding. */
#include <stdlib.h>

#include "sdf_inside.h"
#include "sgd.h"

/* The mode of an algorithm among `modes`; 0 and *status for another. */
static unsigned mode_of(unsigned algorithm, unsigned modes, int *status)
{
    unsigned mode = algorithm & 0xFF;
    *status = (algorithm & ~0xFFu) != SGD_SM4                   ? SDR_ALGNOTSUPPORT
              : (mode & (mode - 1)) != 0 || (mode & modes) == 0 ? SDR_ALGMODNOTSUPPORT
                                                                : SDR_OK;
    return *status == SDR_OK ? mode : 0;
}

enum { CIPHERS = SGD_ECB | SGD_CBC | SGD_CFB | SGD_OFB | SGD_CTR };

/* Key, mode and iv are right: the cipher is started. iv_length: 16, or 0 for none. */
static int start_cipher(sdf_cipher *cipher, const sdf_key *key, unsigned algorithm, unsigned modes, int is_decryption,
                        const uint8_t *iv, unsigned iv_length)
{
    int status;
    unsigned mode = mode_of(algorithm, modes, &status);
    if (status != SDR_OK)
        return status;
    if (key->length != 16)
        return SDR_KEYTYPEERR;
    if (mode != SGD_ECB && (iv == NULL || iv_length != 16))
        return SDR_INARGERR;
    sdf_cipher_start(cipher, key->bytes, mode, is_decryption, mode == SGD_ECB ? NULL : iv);
    return SDR_OK;
}

int ehc_sdf_clear_key(sdf_key *key, const uint8_t *bytes, unsigned length)
{
    if (bytes == NULL || length == 0 || length > SDF_KEY_MAX)
        return SDR_INARGERR;
    key->length = length;
    memcpy(key->bytes, bytes, length);
    return SDR_OK;
}

/* One message, and the iv left as the next one's. NULL out asks for the length. */
static int one_call(const sdf_key *key, unsigned algorithm, int is_decryption, uint8_t *iv, const uint8_t *in,
                    unsigned length, uint8_t *out, unsigned *out_length)
{
    sdf_cipher cipher;
    if (out_length == NULL)
        return SDR_OUTARGERR;
    if (in == NULL && length > 0)
        return SDR_INARGERR;
    int status = start_cipher(&cipher, key, algorithm, CIPHERS, is_decryption, iv, 16);
    if (status == SDR_OK && (cipher.mode == SGD_ECB || cipher.mode == SGD_CBC) && length % 16 != 0)
        status = SDR_INARGERR;
    if (status == SDR_OK && out != NULL && length > 0) {
        sdf_cipher_update(&cipher, in, length, out);
        if (cipher.mode != SGD_ECB)
            memcpy(iv, cipher.iv, 16);
    }
    if (status == SDR_OK)
        *out_length = length;
    ehc_wipe(&cipher, sizeof cipher);
    return status;
}

static int under_handle(void *handle, void *key_handle, unsigned algorithm, int is_decryption, uint8_t *iv,
                        const uint8_t *in, unsigned length, uint8_t *out, unsigned *out_length)
{
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_key *key = ehc_sdf_enter_key(session, key_handle);
    if (key == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    int status = one_call(key, algorithm, is_decryption, iv, in, length, out, out_length);
    ehc_sdf_leave_key(key);
    return ehc_sdf_end(session, status);
}

int SDF_Encrypt(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                unsigned char *pucData, unsigned int uiDataLength, unsigned char *pucEncData,
                unsigned int *puiEncDataLength)
{
    return under_handle(hSessionHandle, hKeyHandle, uiAlgID, 0, pucIV, pucData, uiDataLength, pucEncData,
                        puiEncDataLength);
}

int SDF_Decrypt(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                unsigned char *pucEncData, unsigned int uiEncDataLength, unsigned char *pucData,
                unsigned int *puiDataLength)
{
    return under_handle(hSessionHandle, hKeyHandle, uiAlgID, 1, pucIV, pucEncData, uiEncDataLength, pucData,
                        puiDataLength);
}

static int under_clear_key(void *handle, unsigned algorithm, int is_decryption, const uint8_t *key_bytes,
                           unsigned key_length, uint8_t *iv, unsigned iv_length, const uint8_t *in, unsigned length,
                           uint8_t *out, unsigned *out_length)
{
    sdf_key key;
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = ehc_sdf_clear_key(&key, key_bytes, key_length);
    if (status == SDR_OK)
        status = one_call(&key, algorithm, is_decryption, iv_length == 16 ? iv : NULL, in, length, out, out_length);
    ehc_wipe(&key, sizeof key);
    return ehc_sdf_end(session, status);
}

int SDF_ExternalKeyEncrypt(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey, unsigned int uiKeyLength,
                           unsigned char *pucIV, unsigned int uiIVLength, unsigned char *pucData,
                           unsigned int uiDataLength, unsigned char *pucEncData, unsigned int *puiEncDataLength)
{
    return under_clear_key(hSessionHandle, uiAlgID, 0, pucKey, uiKeyLength, pucIV, uiIVLength, pucData, uiDataLength,
                           pucEncData, puiEncDataLength);
}

int SDF_ExternalKeyDecrypt(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey, unsigned int uiKeyLength,
                           unsigned char *pucIV, unsigned int uiIVLength, unsigned char *pucEncData,
                           unsigned int uiEncDataLength, unsigned char *pucData, unsigned int *puiDataLength)
{
    return under_clear_key(hSessionHandle, uiAlgID, 1, pucKey, uiKeyLength, pucIV, uiIVLength, pucEncData,
                           uiEncDataLength, pucData, puiDataLength);
}

/* ---- in parts: a session is in the middle of one cipher or MAC ---- */

static void forget_doing(sdf_session *session)
{
    ehc_wipe(&session->cipher, sizeof session->cipher);
    ehc_wipe(&session->aead, sizeof session->aead);
    session->doing = SDF_NOTHING;
}

static int begin_parts(sdf_session *session, const sdf_key *key, unsigned algorithm, sdf_doing what, const uint8_t *iv,
                       unsigned iv_length)
{
    forget_doing(session);
    int status = start_cipher(&session->cipher, key, algorithm, what == SDF_MACING ? SGD_MAC : CIPHERS,
                              what == SDF_DECRYPTING, iv, iv_length);
    if (status == SDR_OK)
        session->doing = what;
    return status;
}

static int init_parts(void *handle, void *key_handle, unsigned algorithm, sdf_doing what, const uint8_t *iv,
                      unsigned iv_length)
{
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_key *key = ehc_sdf_enter_key(session, key_handle);
    if (key == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    int status = begin_parts(session, key, algorithm, what, iv, iv_length);
    ehc_sdf_leave_key(key);
    return ehc_sdf_end(session, status);
}

static int init_clear(void *handle, unsigned algorithm, sdf_doing what, const uint8_t *bytes, unsigned length,
                      const uint8_t *iv, unsigned iv_length)
{
    sdf_key key;
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = ehc_sdf_clear_key(&key, bytes, length);
    if (status == SDR_OK)
        status = begin_parts(session, &key, algorithm, what, iv, iv_length);
    ehc_wipe(&key, sizeof key);
    return ehc_sdf_end(session, status);
}

/* NULL out asks how many bytes this part gives. */
static int update_parts(void *handle, sdf_doing what, const uint8_t *in, unsigned length, uint8_t *out,
                        unsigned *out_length)
{
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    sdf_cipher *cipher = &session->cipher;
    int status = SDR_OK;
    if (session->doing != what)
        status = SDR_STEPERR;
    else if (in == NULL && length > 0)
        status = SDR_INARGERR;
    else if (out_length == NULL && what != SDF_MACING)
        status = SDR_OUTARGERR;
    else if (what == SDF_MACING)
        sdf_cipher_update(cipher, in, length, NULL);
    else if (out != NULL)
        *out_length = (unsigned)sdf_cipher_update(cipher, in, length, out);
    else
        *out_length = cipher->mode == SGD_ECB || cipher->mode == SGD_CBC
                          ? (unsigned)((cipher->held_length + length) / 16 * 16)
                          : length;
    return ehc_sdf_end(session, status);
}

/* Nothing is left but for a block that is not whole, which is an error. */
static int final_parts(void *handle, sdf_doing what, uint8_t *mac, unsigned *out_length)
{
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (session->doing != what)
        return ehc_sdf_end(session, SDR_STEPERR);
    if (out_length == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    *out_length = what == SDF_MACING ? 16 : 0;
    if (what == SDF_MACING && mac == NULL)
        return ehc_sdf_end(session, SDR_OK);
    int status = session->cipher.held_length > 0 ? SDR_INARGERR : SDR_OK;
    if (what == SDF_MACING && status == SDR_OK)
        memcpy(mac, session->cipher.iv, 16);
    forget_doing(session);
    return ehc_sdf_end(session, status);
}

int SDF_EncryptInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                    unsigned int uiIVLength)
{
    return init_parts(hSessionHandle, hKeyHandle, uiAlgID, SDF_ENCRYPTING, pucIV, uiIVLength);
}

int SDF_EncryptUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength,
                      unsigned char *pucEncData, unsigned int *puiEncDataLength)
{
    return update_parts(hSessionHandle, SDF_ENCRYPTING, pucData, uiDataLength, pucEncData, puiEncDataLength);
}

int SDF_EncryptFinal(void *hSessionHandle, unsigned char *pucLastEncData, unsigned int *puiLastEncDataLength)
{
    return final_parts(hSessionHandle, SDF_ENCRYPTING, pucLastEncData, puiLastEncDataLength);
}

int SDF_DecryptInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                    unsigned int uiIVLength)
{
    return init_parts(hSessionHandle, hKeyHandle, uiAlgID, SDF_DECRYPTING, pucIV, uiIVLength);
}

int SDF_DecryptUpdate(void *hSessionHandle, unsigned char *pucEncData, unsigned int uiEncDataLength,
                      unsigned char *pucData, unsigned int *puiDataLength)
{
    return update_parts(hSessionHandle, SDF_DECRYPTING, pucEncData, uiEncDataLength, pucData, puiDataLength);
}

int SDF_DecryptFinal(void *hSessionHandle, unsigned char *pucLastData, unsigned int *puiLastDataLength)
{
    return final_parts(hSessionHandle, SDF_DECRYPTING, pucLastData, puiLastDataLength);
}

int SDF_ExternalKeyEncryptInit(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey,
                               unsigned int uiKeyLength, unsigned char *pucIV, unsigned int uiIVLength)
{
    return init_clear(hSessionHandle, uiAlgID, SDF_ENCRYPTING, pucKey, uiKeyLength, pucIV, uiIVLength);
}

int SDF_ExternalKeyDecryptInit(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey,
                               unsigned int uiKeyLength, unsigned char *pucIV, unsigned int uiIVLength)
{
    return init_clear(hSessionHandle, uiAlgID, SDF_DECRYPTING, pucKey, uiKeyLength, pucIV, uiIVLength);
}

int SDF_CalculateMACInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                         unsigned int uiIVLength)
{
    return init_parts(hSessionHandle, hKeyHandle, uiAlgID, SDF_MACING, pucIV, uiIVLength);
}

int SDF_CalculateMACUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength)
{
    return update_parts(hSessionHandle, SDF_MACING, pucData, uiDataLength, NULL, NULL);
}

int SDF_CalculateMACFinal(void *hSessionHandle, unsigned char *pucMac, unsigned int *puiMacLength)
{
    return final_parts(hSessionHandle, SDF_MACING, pucMac, puiMacLength);
}

static int mac(const sdf_key *key, unsigned algorithm, uint8_t *iv, const uint8_t *data, unsigned length, uint8_t *out,
               unsigned *out_length)
{
    sdf_cipher cipher;
    if (out_length == NULL)
        return SDR_OUTARGERR;
    if (data == NULL || length == 0)
        return SDR_INARGERR;
    if (algorithm == SGD_SM3) { /* as SoftSDF has it: HMAC-SM3 for callers of 2012 */
        if (out != NULL)
            ehc_hmac_sm3(key->bytes, key->length, data, length, out);
        *out_length = 32;
        return SDR_OK;
    }
    if (length % 16 != 0)
        return SDR_INARGERR;
    int status = start_cipher(&cipher, key, algorithm, SGD_MAC, 0, iv, 16);
    if (status != SDR_OK)
        return status;
    if (out != NULL) {
        sdf_cipher_update(&cipher, data, length, NULL);
        memcpy(out, cipher.iv, 16);
        memcpy(iv, cipher.iv, 16);
    }
    *out_length = 16;
    ehc_wipe(&cipher, sizeof cipher);
    return SDR_OK;
}

int SDF_CalculateMAC(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                     unsigned char *pucData, unsigned int uiDataLength, unsigned char *pucMAC,
                     unsigned int *puiMACLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_key *key = ehc_sdf_enter_key(session, hKeyHandle);
    if (key == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    int status = mac(key, uiAlgID, pucIV, pucData, uiDataLength, pucMAC, puiMACLength);
    ehc_sdf_leave_key(key);
    return ehc_sdf_end(session, status);
}
