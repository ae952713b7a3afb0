/* sdf_hash.c: SM3, with Z of a public key and an id before the message when they are given, and HMAC-SM3 under key handles. */
#include "sdf_inside.h"
#include "sgd.h"

static int init_hash(sdf_session *session, unsigned algorithm, const ECCrefPublicKey *key, const uint8_t *id,
                     unsigned id_length)
{
    uint8_t point[64], z[32];
    session->hashing = 0;
    if (algorithm != SGD_SM3)
        return SDR_ALGNOTSUPPORT;
    ehc_sm3_init(&session->sm3);
    if (key != NULL) {
        if (id == NULL || id_length == 0 || !ehc_sdf_read_point(key, point) ||
            ehc_sm2_z(point, id, id_length, z) != EHC_SM2_OK)
            return SDR_INARGERR;
        ehc_sm3_update(&session->sm3, z, sizeof z);
    }
    session->hashing = 1;
    return SDR_OK;
}

int SDF_HashInit(void *hSessionHandle, unsigned int uiAlgID, ECCrefPublicKey *pucPublicKey, unsigned char *pucID,
                 unsigned int uiIDLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    return ehc_sdf_end(session, init_hash(session, uiAlgID, pucPublicKey, pucID, uiIDLength));
}

static int update(sdf_session *session, int begun, ehc_sm3_ctx *sm3, const uint8_t *data, unsigned length)
{
    if (!begun)
        return ehc_sdf_end(session, SDR_STEPERR);
    if (data == NULL && length > 0)
        return ehc_sdf_end(session, SDR_INARGERR);
    if (length > 0)
        ehc_sm3_update(sm3, data, length);
    return ehc_sdf_end(session, SDR_OK);
}

int SDF_HashUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    return session == NULL ? SDR_OPENSESSION : update(session, session->hashing, &session->sm3, pucData, uiDataLength);
}

int SDF_HashFinal(void *hSessionHandle, unsigned char *pucHash, unsigned int *puiHashLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (!session->hashing)
        return ehc_sdf_end(session, SDR_STEPERR);
    if (puiHashLength == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    *puiHashLength = 32;
    if (pucHash != NULL) {
        ehc_sm3_final(&session->sm3, pucHash);
        session->hashing = 0;
    }
    return ehc_sdf_end(session, SDR_OK);
}

static int init_hmac(sdf_session *session, const sdf_key *key, unsigned algorithm)
{
    session->macing = 0;
    if (algorithm != SGD_SM3)
        return SDR_ALGNOTSUPPORT;
    sdf_hmac_start(&session->hmac, key->bytes, key->length);
    session->macing = 1;
    return SDR_OK;
}

int SDF_HMACInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_key *key = ehc_sdf_enter_key(session, hKeyHandle);
    if (key == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    int status = init_hmac(session, key, uiAlgID);
    ehc_sdf_leave_key(key);
    return ehc_sdf_end(session, status);
}

int SDF_ExternalKeyHMACInit(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey, unsigned int uiKeyLength)
{
    sdf_key key;
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    int status = ehc_sdf_clear_key(&key, pucKey, uiKeyLength);
    if (status == SDR_OK)
        status = init_hmac(session, &key, uiAlgID);
    ehc_wipe(&key, sizeof key);
    return ehc_sdf_end(session, status);
}

int SDF_HMACUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    return session == NULL ? SDR_OPENSESSION
                           : update(session, session->macing, &session->hmac.inner, pucData, uiDataLength);
}

int SDF_HMACFinal(void *hSessionHandle, unsigned char *pucHMac, unsigned int *puiHMacLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (!session->macing)
        return ehc_sdf_end(session, SDR_STEPERR);
    if (puiHMacLength == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    *puiHMacLength = 32;
    if (pucHMac != NULL) {
        sdf_hmac_finish(&session->hmac, pucHMac);
        session->macing = 0;
    }
    return ehc_sdf_end(session, SDR_OK);
}
