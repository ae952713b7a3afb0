/* sdf_rsa.c: the functions on RSA keys, which this machine has not. */
#include "sdf.h"

int SDF_ExportSignPublicKey_RSA(void *hSessionHandle, unsigned int uiKeyIndex, RSArefPublicKey *pucPublicKey)
{
    (void)hSessionHandle;
    (void)uiKeyIndex;
    (void)pucPublicKey;
    return SDR_NOTSUPPORT;
}

int SDF_ExportEncPublicKey_RSA(void *hSessionHandle, unsigned int uiKeyIndex, RSArefPublicKey *pucPublicKey)
{
    (void)hSessionHandle;
    (void)uiKeyIndex;
    (void)pucPublicKey;
    return SDR_NOTSUPPORT;
}

int SDF_GenerateKeyPair_RSA(void *hSessionHandle, unsigned int uiKeyBits, RSArefPublicKey *pucPublicKey,
                            RSArefPrivateKey *pucPrivateKey)
{
    (void)hSessionHandle;
    (void)uiKeyBits;
    (void)pucPublicKey;
    (void)pucPrivateKey;
    return SDR_NOTSUPPORT;
}

int SDF_GenerateKeyWithIPK_RSA(void *hSessionHandle, unsigned int uiIPKIndex, unsigned int uiKeyBits,
                               unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle)
{
    (void)hSessionHandle;
    (void)uiIPKIndex;
    (void)uiKeyBits;
    (void)pucKey;
    (void)puiKeyLength;
    (void)phKeyHandle;
    return SDR_NOTSUPPORT;
}

int SDF_GenerateKeyWithEPK_RSA(void *hSessionHandle, unsigned int uiKeyBits, RSArefPublicKey *pucPublicKey,
                               unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle)
{
    (void)hSessionHandle;
    (void)uiKeyBits;
    (void)pucPublicKey;
    (void)pucKey;
    (void)puiKeyLength;
    (void)phKeyHandle;
    return SDR_NOTSUPPORT;
}

int SDF_ImportKeyWithISK_RSA(void *hSessionHandle, unsigned int uiISKIndex, unsigned char *pucKey,
                             unsigned int uiKeyLength, void **phKeyHandle)
{
    (void)hSessionHandle;
    (void)uiISKIndex;
    (void)pucKey;
    (void)uiKeyLength;
    (void)phKeyHandle;
    return SDR_NOTSUPPORT;
}

int SDF_ExchangeDigitEnvelopeBaseOnRSA(void *hSessionHandle, unsigned int uiKeyIndex, RSArefPublicKey *pucPublicKey,
                                       unsigned char *pucDEInput, unsigned int uiDELength, unsigned char *pucDEOutput,
                                       unsigned int *puiDELength)
{
    (void)hSessionHandle;
    (void)uiKeyIndex;
    (void)pucPublicKey;
    (void)pucDEInput;
    (void)uiDELength;
    (void)pucDEOutput;
    (void)puiDELength;
    return SDR_NOTSUPPORT;
}

int SDF_ExternalPublicKeyOperation_RSA(void *hSessionHandle, RSArefPublicKey *pucPublicKey, unsigned char *pucDataInput,
                                       unsigned int uiInputLength, unsigned char *pucDataOutput,
                                       unsigned int *puiOutputLength)
{
    (void)hSessionHandle;
    (void)pucPublicKey;
    (void)pucDataInput;
    (void)uiInputLength;
    (void)pucDataOutput;
    (void)puiOutputLength;
    return SDR_NOTSUPPORT;
}

int SDF_InternalPublicKeyOperation_RSA(void *hSessionHandle, unsigned int uiKeyIndex, unsigned char *pucDataInput,
                                       unsigned int uiInputLength, unsigned char *pucDataOutput,
                                       unsigned int *puiOutputLength)
{
    (void)hSessionHandle;
    (void)uiKeyIndex;
    (void)pucDataInput;
    (void)uiInputLength;
    (void)pucDataOutput;
    (void)puiOutputLength;
    return SDR_NOTSUPPORT;
}

int SDF_InternalPrivateKeyOperation_RSA(void *hSessionHandle, unsigned int uiKeyIndex, unsigned char *pucDataInput,
                                        unsigned int uiInputLength, unsigned char *pucDataOutput,
                                        unsigned int *puiOutputLength)
{
    (void)hSessionHandle;
    (void)uiKeyIndex;
    (void)pucDataInput;
    (void)uiInputLength;
    (void)pucDataOutput;
    (void)puiOutputLength;
    return SDR_NOTSUPPORT;
}

int SDF_ExternalPrivateKeyOperation_RSA(void *hSessionHandle, RSArefPrivateKey *pucPrivateKey,
                                        unsigned char *pucDataInput, unsigned int uiInputLength,
                                        unsigned char *pucDataOutput, unsigned int *puiOutputLength)
{
    (void)hSessionHandle;
    (void)pucPrivateKey;
    (void)pucDataInput;
    (void)uiInputLength;
    (void)pucDataOutput;
    (void)puiOutputLength;
    return SDR_NOTSUPPORT;
}
