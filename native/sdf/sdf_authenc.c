/* sdf_authenc.c: SM4-GCM and SM4-CCM under key handles, with tags of 16 bytes when made; a call each, and in parts. */
#include "sdf_inside.h"
#include "sgd.h"

enum { TAG = 16 };

typedef struct {
    const uint8_t *nonce, *aad;
    unsigned nonce_length, aad_length;
} about;

static int start(sdf_aead *aead, const sdf_key *key, unsigned algorithm, int decrypt, const about *with,
                 unsigned length, unsigned tag_length)
{
    if (algorithm != SGD_SM4_GCM && algorithm != SGD_SM4_CCM)
        return SDR_ALGNOTSUPPORT;
    if (key->length != 16)
        return SDR_KEYTYPEERR;
    if (with->nonce == NULL || (with->aad == NULL && with->aad_length > 0))
        return SDR_INARGERR;
    return sdf_aead_start(aead, key->bytes, algorithm == SGD_SM4_CCM, decrypt, with->nonce, with->nonce_length,
                          with->aad, with->aad_length, length, tag_length)
               ? SDR_OK
               : SDR_INARGERR;
}

int SDF_AuthEnc(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength, unsigned char *pucData,
                unsigned int uiDataLength, unsigned char *pucEncData, unsigned int *puiEncDataLength,
                unsigned char *pucAuthData, unsigned int *puiAuthDataLength)
{
    const about with = {pucStartVar, pucAad, uiStartVarLength, uiAadLength};
    sdf_aead aead = {0};
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_key *key = ehc_sdf_enter_key(session, hKeyHandle);
    if (key == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    int status = SDR_OK, asks = pucEncData == NULL && pucAuthData == NULL;
    if (puiEncDataLength == NULL || puiAuthDataLength == NULL ||
        (!asks && (pucAuthData == NULL || (pucEncData == NULL && uiDataLength > 0))))
        status = SDR_OUTARGERR;
    else if (pucData == NULL && uiDataLength > 0)
        status = SDR_INARGERR;
    else
        status = start(&aead, key, uiAlgID, 0, &with, uiDataLength, TAG);
    if (status == SDR_OK) {
        *puiEncDataLength = uiDataLength;
        *puiAuthDataLength = TAG;
        if (!asks) {
            (void)sdf_aead_update(&aead, pucData, uiDataLength, pucEncData);
            (void)sdf_aead_finish(&aead, pucAuthData);
        }
    }
    ehc_wipe(&aead, sizeof aead);
    ehc_sdf_leave_key(key);
    return ehc_sdf_end(session, status);
}

/* Gives the clear text when the tag holds, and zeros when it does not. */
static int open_sealed(sdf_aead *aead, const uint8_t *in, unsigned length, const uint8_t *expected, unsigned tag_length,
                       uint8_t *out)
{
    uint8_t tag[TAG];
    (void)sdf_aead_update(aead, in, length, out);
    (void)sdf_aead_finish(aead, tag);
    if (ehc_equal(tag, expected, tag_length))
        return SDR_OK;
    if (length > 0)
        ehc_wipe(out, length);
    return SDR_MACERR;
}

int SDF_AuthDec(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength,
                unsigned char *pucAuthData, unsigned int uiAuthDataLength, unsigned char *pucEncData,
                unsigned int uiEncDataLength, unsigned char *pucData, unsigned int *puiDataLength)
{
    const about with = {pucStartVar, pucAad, uiStartVarLength, uiAadLength};
    sdf_aead aead = {0};
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_key *key = ehc_sdf_enter_key(session, hKeyHandle);
    if (key == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    int status = SDR_OK;
    if (puiDataLength == NULL)
        status = SDR_OUTARGERR;
    else if (pucAuthData == NULL || (pucEncData == NULL && uiEncDataLength > 0))
        status = SDR_INARGERR;
    else
        status = start(&aead, key, uiAlgID, 1, &with, uiEncDataLength, uiAuthDataLength);
    if (status == SDR_OK && (pucData != NULL || uiEncDataLength == 0))
        status = open_sealed(&aead, pucEncData, uiEncDataLength, pucAuthData, uiAuthDataLength, pucData);
    if (status == SDR_OK)
        *puiDataLength = uiEncDataLength;
    ehc_wipe(&aead, sizeof aead);
    ehc_sdf_leave_key(key);
    return ehc_sdf_end(session, status);
}

/* ---- in parts ---- */

static void forget_doing(sdf_session *session)
{
    ehc_wipe(&session->cipher, sizeof session->cipher);
    ehc_wipe(&session->aead, sizeof session->aead);
    session->doing = SDF_NOTHING;
}

static int init_parts(sdf_session *session, void *key_handle, unsigned algorithm, sdf_doing what, const about *with,
                      unsigned length, unsigned tag_length)
{
    const sdf_key *key = ehc_sdf_enter_key(session, key_handle);
    if (key == NULL)
        return SDR_KEYNOTEXIST;
    forget_doing(session);
    int status = start(&session->aead, key, algorithm, what == SDF_AUTH_DEC, with, length, tag_length);
    if (status == SDR_OK) {
        session->doing = what;
        session->tag_length = tag_length;
    }
    ehc_sdf_leave_key(key);
    return status;
}

int SDF_AuthEncInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                    unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength,
                    unsigned int uiDataLength)
{
    const about with = {pucStartVar, pucAad, uiStartVarLength, uiAadLength};
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    return ehc_sdf_end(session, init_parts(session, hKeyHandle, uiAlgID, SDF_AUTH_ENC, &with, uiDataLength, TAG));
}

int SDF_AuthDecInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                    unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength,
                    unsigned char *pucAuthData, unsigned int uiAuthDataLength, unsigned int uiDataLength)
{
    const about with = {pucStartVar, pucAad, uiStartVarLength, uiAadLength};
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (pucAuthData == NULL || uiAuthDataLength > TAG)
        return ehc_sdf_end(session, SDR_INARGERR);
    int status = init_parts(session, hKeyHandle, uiAlgID, SDF_AUTH_DEC, &with, uiDataLength, uiAuthDataLength);
    if (status == SDR_OK)
        memcpy(session->expected_tag, pucAuthData, uiAuthDataLength);
    return ehc_sdf_end(session, status);
}

static int update_parts(void *handle, sdf_doing what, const uint8_t *in, unsigned length, uint8_t *out,
                        unsigned *out_length)
{
    sdf_session *session = ehc_sdf_begin(handle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = SDR_OK;
    if (session->doing != what)
        status = SDR_STEPERR;
    else if (in == NULL && length > 0)
        status = SDR_INARGERR;
    else if (out_length == NULL)
        status = SDR_OUTARGERR;
    else if (out != NULL && !sdf_aead_update(&session->aead, in, length, out))
        status = SDR_INARGERR;
    else
        *out_length = length;
    return ehc_sdf_end(session, status);
}

int SDF_AuthEncUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength,
                      unsigned char *pucEncData, unsigned int *puiEncDataLength)
{
    return update_parts(hSessionHandle, SDF_AUTH_ENC, pucData, uiDataLength, pucEncData, puiEncDataLength);
}

int SDF_AuthDecUpdate(void *hSessionHandle, unsigned char *pucEncData, unsigned int uiEncDataLength,
                      unsigned char *pucData, unsigned int *puiDataLength)
{
    return update_parts(hSessionHandle, SDF_AUTH_DEC, pucEncData, uiEncDataLength, pucData, puiDataLength);
}

int SDF_AuthEncFinal(void *hSessionHandle, unsigned char *pucLastEncData, unsigned int *puiLastEncDataLength,
                     unsigned char *pucAuthData, unsigned int *puiAuthDataLength)
{
    (void)pucLastEncData; /* every part was given when it came */
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (session->doing != SDF_AUTH_ENC)
        return ehc_sdf_end(session, SDR_STEPERR);
    if (puiLastEncDataLength == NULL || puiAuthDataLength == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    *puiLastEncDataLength = 0;
    *puiAuthDataLength = TAG;
    if (pucAuthData == NULL)
        return ehc_sdf_end(session, SDR_OK);
    int status = sdf_aead_finish(&session->aead, pucAuthData) ? SDR_OK : SDR_INARGERR;
    forget_doing(session);
    return ehc_sdf_end(session, status);
}

int SDF_AuthDecFinal(void *hSessionHandle, unsigned char *pucLastData, unsigned int *puiLastDataLength)
{
    (void)pucLastData;
    uint8_t tag[TAG];
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (session->doing != SDF_AUTH_DEC)
        return ehc_sdf_end(session, SDR_STEPERR);
    if (puiLastDataLength == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    int status = !sdf_aead_finish(&session->aead, tag)                         ? SDR_INARGERR
                 : !ehc_equal(tag, session->expected_tag, session->tag_length) ? SDR_MACERR
                                                                               : SDR_OK;
    *puiLastDataLength = 0;
    forget_doing(session);
    return ehc_sdf_end(session, status);
}
