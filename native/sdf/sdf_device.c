/* sdf_device.c: devices, sessions, the device's description, random numbers, rights to private keys. */
#include <stdlib.h>

#include "libcrypto.h"
#include "sdf_inside.h"
#include "sdf_selftest.h"
#include "sgd.h"

static int core_works;

static void start_core(void)
{
    int status = ehc_init(secure_getenv("EHC_ISA")); /* picks the tier and asks it the known answers of SM3 and SM4 */
    core_works = status == EHC_OK && ehc_libcrypto() != NULL && ehc_sdf_self_test() == NULL;
}

static void destroy_device(sdf_object *object)
{
    sdf_device *device = (sdf_device *)object;
    ehc_sdf_store_close(&device->store);
    free(device);
}

int SDF_OpenDevice(void **phDeviceHandle)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (phDeviceHandle == NULL)
        return SDR_OUTARGERR;
    *phDeviceHandle = NULL;
    pthread_once(&once, start_core);
    if (!core_works)
        return SDR_HARDFAIL;
    sdf_device *device = calloc(1, sizeof *device);
    if (device == NULL)
        return SDR_NOBUFFER;
    device->head.kind = SDF_DEVICE;
    device->head.destroy = destroy_device;
    int status = ehc_sdf_store_open(&device->store, NULL);
    if (status != SDR_OK) {
        free(device);
        return status;
    }
    *phDeviceHandle = ehc_sdf_register(&device->head);
    return *phDeviceHandle == NULL ? SDR_NOBUFFER : SDR_OK;
}

int SDF_CloseDevice(void *hDeviceHandle)
{
    return ehc_sdf_close(hDeviceHandle, SDF_DEVICE, NULL) ? SDR_OK : SDR_OPENDEVICE;
}

static void drop_right(sdf_right *right)
{
    ehc_sm2_free(right->signing);
    ehc_sm2_free(right->encryption);
    free(right);
}

static void destroy_session(sdf_object *object)
{
    sdf_session *session = (sdf_session *)object;
    for (sdf_right *next, *right = session->rights; right != NULL; right = next) {
        next = right->next;
        drop_right(right);
    }
    pthread_mutex_destroy(&session->turn);
    ehc_sdf_forget(session, sizeof *session);
}

int SDF_OpenSession(void *hDeviceHandle, void **phSessionHandle)
{
    if (phSessionHandle == NULL)
        return SDR_OUTARGERR;
    *phSessionHandle = NULL;
    sdf_object *device = ehc_sdf_enter(hDeviceHandle, SDF_DEVICE);
    if (device == NULL)
        return SDR_OPENDEVICE;
    sdf_session *session = ehc_sdf_secret(sizeof *session);
    if (session != NULL) {
        session->head.kind = SDF_SESSION;
        session->head.owner = device;
        session->head.destroy = destroy_session;
        pthread_mutex_init(&session->turn, NULL);
        *phSessionHandle = ehc_sdf_register(&session->head);
    }
    ehc_sdf_leave(device);
    return *phSessionHandle == NULL ? SDR_NOBUFFER : SDR_OK;
}

int SDF_CloseSession(void *hSessionHandle)
{
    return ehc_sdf_close(hSessionHandle, SDF_SESSION, NULL) ? SDR_OK : SDR_OPENSESSION;
}

sdf_session *ehc_sdf_begin(void *handle)
{
    sdf_session *session = (sdf_session *)ehc_sdf_enter(handle, SDF_SESSION);
    if (session != NULL)
        pthread_mutex_lock(&session->turn);
    return session;
}

int ehc_sdf_end(sdf_session *session, int status)
{
    pthread_mutex_unlock(&session->turn);
    ehc_sdf_leave(&session->head);
    return status;
}

static void describe(const sdf_store *store, DEVICEINFO *info)
{
    memset(info, 0, sizeof *info);
    memcpy(info->IssuerName, "ehc", 3);
    memcpy(info->DeviceName, "libehcsdf", 9);
    memcpy(info->DeviceSerial, store->serial, SDF_SERIAL);
    info->DeviceVersion = 1;
    info->StandardVersion = 2; /* the edition of 2023 */
    info->AsymAlgAbility[0] = SGD_SM2_1 | SGD_SM2_2 | SGD_SM2_3;
    info->AsymAlgAbility[1] = 256;
    info->SymAlgAbility = SGD_SM4 | SGD_ECB | SGD_CBC | SGD_CFB | SGD_OFB | SGD_MAC | SGD_CTR;
    info->HashAlgAbility = SGD_SM3;
    info->BufferSize = SDF_RECORD_MAX;
}

int SDF_GetDeviceInfo(void *hSessionHandle, DEVICEINFO *pstDeviceInfo)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (pstDeviceInfo == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    describe(store_of(session), pstDeviceInfo);
    return ehc_sdf_end(session, SDR_OK);
}

/* The system's generator, with the test that no 16 bytes come twice in a row (GM/T 0062). */
static int tested_random(uint8_t *out, size_t length)
{
    if (!ehc_sdf_random(out, length))
        return SDR_RANDERR;
    for (size_t at = 16; at + 16 <= length; at += 16)
        if (memcmp(out + at - 16, out + at, 16) == 0)
            return SDR_RANDERR;
    return SDR_OK;
}

int SDF_GenerateRandom(void *hSessionHandle, unsigned int uiLength, unsigned char *pucRandom)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    if (pucRandom == NULL)
        return ehc_sdf_end(session, SDR_OUTARGERR);
    return ehc_sdf_end(session, tested_random(pucRandom, uiLength));
}

const sdf_right *ehc_sdf_right(const sdf_session *session, unsigned index)
{
    const sdf_right *right = session->rights;
    while (right != NULL && right->index != index)
        right = right->next;
    return right;
}

static int get_right(sdf_session *session, unsigned index, const uint8_t *password, size_t length)
{
    uint8_t numbers[64];
    if (password == NULL || length > SDF_PASSWORD_MAX)
        return SDR_INARGERR;
    int status = ehc_sdf_store_private(store_of(session), index, password, length, numbers);
    if (status != SDR_OK || ehc_sdf_right(session, index) != NULL) {
        ehc_wipe(numbers, sizeof numbers);
        return status;
    }
    sdf_right *right = calloc(1, sizeof *right);
    if (right != NULL && ehc_sm2_private(&right->signing, numbers) == EHC_SM2_OK &&
        ehc_sm2_private(&right->encryption, numbers + 32) == EHC_SM2_OK) {
        right->index = index;
        right->next = session->rights;
        session->rights = right;
    } else {
        status = SDR_HARDFAIL;
        if (right != NULL)
            drop_right(right);
    }
    ehc_wipe(numbers, sizeof numbers);
    return status;
}

int SDF_GetPrivateKeyAccessRight(void *hSessionHandle, unsigned int uiKeyIndex, unsigned char *pucPassword,
                                 unsigned int uiPwdLength)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    return ehc_sdf_end(session, get_right(session, uiKeyIndex, pucPassword, uiPwdLength));
}

int SDF_ReleasePrivateKeyAccessRight(void *hSessionHandle, unsigned int uiKeyIndex)
{
    sdf_session *session = ehc_sdf_begin(hSessionHandle);
    if (session == NULL)
        return SDR_OPENSESSION;
    sdf_right **at = &session->rights;
    while (*at != NULL && (*at)->index != uiKeyIndex)
        at = &(*at)->next;
    sdf_right *right = *at;
    if (right == NULL)
        return ehc_sdf_end(session, SDR_KEYNOTEXIST);
    *at = right->next;
    drop_right(right);
    return ehc_sdf_end(session, SDR_OK);
}
