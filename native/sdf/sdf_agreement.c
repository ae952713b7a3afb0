/* sdf_agreement.c: key agreement (GB/T 32918.3) under handles: the sponsor gives points and waits, the response answers. */
#include <stdlib.h>

#include "sdf_inside.h"

enum { ID_MAX = 8191 };

static void destroy_agreement(sdf_object *object)
{
    sdf_agreement *agreement = (sdf_agreement *)object;
    ehc_sm2_free(agreement->own);
    ehc_sm2_free(agreement->once);
    free(agreement);
}

/* A second handle of the same private number: the right may be released while the agreement waits. */
static int copy_key(const ehc_sm2_key *from, ehc_sm2_key **to)
{
    uint8_t raw[32];
    *to = NULL;
    int status = ehc_sm2_write(from, raw);
    if (status == EHC_SM2_OK)
        status = ehc_sm2_private(to, raw);
    ehc_wipe(raw, sizeof raw);
    return ehc_sdf_sm2_status(status, SDR_SKOPERR);
}

static int sponsor(sdf_session *session, const sdf_right *right, size_t length, const uint8_t *id, size_t id_length,
                   ECCrefPublicKey *own, ECCrefPublicKey *once, void **handle)
{
    sdf_agreement *agreement = calloc(1, sizeof *agreement);
    if (agreement == NULL)
        return SDR_NOBUFFER;
    agreement->head.kind = SDF_AGREEMENT;
    agreement->head.owner = &session->head;
    agreement->head.destroy = destroy_agreement;
    agreement->key_length = length;
    int status = copy_key(right->encryption, &agreement->own);
    if (status == SDR_OK)
        status = ehc_sdf_sm2_status(ehc_sm2_generate(&agreement->once), SDR_KEYERR);
    if (status == SDR_OK)
        status =
            ehc_sdf_sm2_status(ehc_sm2_z(ehc_sm2_point(agreement->own), id, id_length, agreement->z), SDR_INARGERR);
    if (status != SDR_OK) {
        destroy_agreement(&agreement->head);
        return status;
    }
    ehc_sdf_write_point(ehc_sm2_point(agreement->own), own);
    ehc_sdf_write_point(ehc_sm2_point(agreement->once), once);
    *handle = ehc_sdf_register(&agreement->head);
    return *handle == NULL ? SDR_NOBUFFER : SDR_OK;
}

int SDF_GenerateAgreementDataWithECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned int uiKeyBits,
                                     unsigned char *pucSponsorID, unsigned int uiSponsorIDLength,
                                     ECCrefPublicKey *pucSponsorPublicKey, ECCrefPublicKey *pucSponsorTmpPublicKey,
                                     void **phAgreementHandle)
{
    size_t length = ehc_sdf_key_bytes(uiKeyBits);
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_right *right = ehc_sdf_right(session, uiISKIndex);
    int status = SDR_OK;
    if (pucSponsorID == NULL || uiSponsorIDLength > ID_MAX || length == 0)
        status = SDR_INARGERR;
    else if (pucSponsorPublicKey == NULL || pucSponsorTmpPublicKey == NULL || phAgreementHandle == NULL)
        status = SDR_OUTARGERR;
    else if (right == NULL)
        status = SDR_PARDENY;
    else
        status = sponsor(session, right, length, pucSponsorID, uiSponsorIDLength, pucSponsorPublicKey,
                         pucSponsorTmpPublicKey, phAgreementHandle);
    return ehc_sdf_end(session, status);
}

/* The shared key under a handle, the other side's Z in its place. */
static int agree(sdf_session *session, ehc_sm2_agreement *with, size_t length, void **handle)
{
    uint8_t shared[SDF_KEY_MAX];
    int status = ehc_sdf_sm2_status(ehc_sm2_agree(with, shared, length, NULL, NULL), SDR_SKOPERR);
    if (status == SDR_OK)
        status = ehc_sdf_new_key(session, shared, length, handle);
    ehc_wipe(shared, sizeof shared);
    return status;
}

static int complete(sdf_session *session, const sdf_agreement *agreement, const uint8_t *id, size_t id_length,
                    const ECCrefPublicKey *other, const ECCrefPublicKey *other_once, void **handle)
{
    uint8_t points[2][64], z[32];
    if (!ehc_sdf_read_point(other, points[0]) || !ehc_sdf_read_point(other_once, points[1]) ||
        ehc_sm2_z(points[0], id, id_length, z) != EHC_SM2_OK)
        return SDR_INARGERR;
    ehc_sm2_agreement with = {agreement->own, agreement->once, points[0], points[1], agreement->z, z, 1};
    return agree(session, &with, agreement->key_length, handle);
}

int SDF_GenerateKeyWithECC(void *hSessionHandle, unsigned char *pucResponseID, unsigned int uiResponseIDLength,
                           ECCrefPublicKey *pucResponsePublicKey, ECCrefPublicKey *pucResponseTmpPublicKey,
                           void *hAgreementHandle, void **phKeyHandle)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (pucResponseID == NULL || pucResponsePublicKey == NULL || pucResponseTmpPublicKey == NULL)
        return ehc_sdf_end(session, SDR_INARGERR);
    if (phKeyHandle == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    sdf_agreement *agreement = (sdf_agreement *)ehc_sdf_enter(hAgreementHandle, SDF_AGREEMENT);
    int status = SDR_STEPERR;
    if (agreement != NULL && agreement->head.owner == &session->head) {
        status = complete(session, agreement, pucResponseID, uiResponseIDLength, pucResponsePublicKey,
                          pucResponseTmpPublicKey, phKeyHandle);
        if (status == SDR_OK) /* a one-time key serves once */
            ehc_sdf_close(hAgreementHandle, SDF_AGREEMENT, &session->head);
    }
    if (agreement != NULL)
        ehc_sdf_leave(&agreement->head);
    return ehc_sdf_end(session, status);
}

typedef struct {
    const uint8_t *id;
    size_t id_length;
    const ECCrefPublicKey *own, *once;
} side;

static int respond(sdf_session *session, const sdf_right *right, size_t length, const side *response, const side *given,
                   ECCrefPublicKey *own_out, ECCrefPublicKey *once_out, void **handle)
{
    uint8_t points[2][64], z_sponsor[32], z_response[32];
    const uint8_t *own = ehc_sm2_point(right->encryption);
    ehc_sm2_key *once;
    if (!ehc_sdf_read_point(given->own, points[0]) || !ehc_sdf_read_point(given->once, points[1]) ||
        ehc_sm2_z(points[0], given->id, given->id_length, z_sponsor) != EHC_SM2_OK ||
        ehc_sm2_z(own, response->id, response->id_length, z_response) != EHC_SM2_OK)
        return SDR_INARGERR;
    int status = ehc_sdf_sm2_status(ehc_sm2_generate(&once), SDR_KEYERR);
    if (status == SDR_OK) {
        ehc_sm2_agreement with = {right->encryption, once, points[0], points[1], z_sponsor, z_response, 0};
        status = agree(session, &with, length, handle);
    }
    if (status == SDR_OK) {
        ehc_sdf_write_point(own, own_out);
        ehc_sdf_write_point(ehc_sm2_point(once), once_out);
    }
    ehc_sm2_free(once);
    return status;
}

int SDF_GenerateAgreementDataAndKeyWithECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned int uiKeyBits,
                                           unsigned char *pucResponseID, unsigned int uiResponseIDLength,
                                           unsigned char *pucSponsorID, unsigned int uiSponsorIDLength,
                                           ECCrefPublicKey *pucSponsorPublicKey,
                                           ECCrefPublicKey *pucSponsorTmpPublicKey,
                                           ECCrefPublicKey *pucResponsePublicKey,
                                           ECCrefPublicKey *pucResponseTmpPublicKey, void **phKeyHandle)
{
    const side response = {pucResponseID, uiResponseIDLength, NULL, NULL};
    const side given = {pucSponsorID, uiSponsorIDLength, pucSponsorPublicKey, pucSponsorTmpPublicKey};
    size_t length = ehc_sdf_key_bytes(uiKeyBits);
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    const sdf_right *right = ehc_sdf_right(session, uiISKIndex);
    int status = SDR_OK;
    if (response.id == NULL || given.id == NULL || given.own == NULL || given.once == NULL || length == 0)
        status = SDR_INARGERR;
    else if (pucResponsePublicKey == NULL || pucResponseTmpPublicKey == NULL || phKeyHandle == NULL)
        status = SDR_OUTARGERR;
    else if (right == NULL)
        status = SDR_PARDENY;
    else
        status = respond(session, right, length, &response, &given, pucResponsePublicKey, pucResponseTmpPublicKey,
                         phKeyHandle);
    return ehc_sdf_end(session, status);
}
