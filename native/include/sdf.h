/* sdf.h: GM/T 0018, the interface of a crypto machine (密码机), with the names that the standard gives: the 47 functions of
 * public headers of the edition of 2012 and the 73 core functions of 2023 (SM9, IKE, IPSec and SSL are not among them). */
#ifndef SDF_H
#define SDF_H

#include "sgd.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum {
    RSAref_MAX_BITS = 2048,
    RSAref_MAX_LEN = (RSAref_MAX_BITS + 7) / 8,
    RSAref_MAX_PBITS = (RSAref_MAX_BITS + 1) / 2,
    RSAref_MAX_PLEN = (RSAref_MAX_PBITS + 7) / 8,
    ECCref_MAX_BITS = 512,
    ECCref_MAX_LEN = (ECCref_MAX_BITS + 7) / 8
};

#pragma pack(push, 1)

typedef struct DeviceInfo_st {
    unsigned char IssuerName[40];
    unsigned char DeviceName[16];
    unsigned char DeviceSerial[16]; /* date 8, batch 3, serial number 5 digits */
    unsigned int DeviceVersion;
    unsigned int StandardVersion;
    unsigned int AsymAlgAbility[2]; /* the algorithms; the greatest length of their moduli */
    unsigned int SymAlgAbility;
    unsigned int HashAlgAbility;
    unsigned int BufferSize; /* bytes of user files */
} DEVICEINFO;

typedef struct RSArefPublicKey_st {
    unsigned int bits;
    unsigned char m[RSAref_MAX_LEN];
    unsigned char e[RSAref_MAX_LEN];
} RSArefPublicKey;

typedef struct RSArefPrivateKey_st {
    unsigned int bits;
    unsigned char m[RSAref_MAX_LEN];
    unsigned char e[RSAref_MAX_LEN];
    unsigned char d[RSAref_MAX_LEN];
    unsigned char prime[2][RSAref_MAX_PLEN];
    unsigned char pexp[2][RSAref_MAX_PLEN];
    unsigned char coef[RSAref_MAX_PLEN];
} RSArefPrivateKey;

/* Numbers of SM2 stand right-aligned in their 64 bytes, behind 32 zeros. */
typedef struct ECCrefPublicKey_st {
    unsigned int bits;
    unsigned char x[ECCref_MAX_LEN];
    unsigned char y[ECCref_MAX_LEN];
} ECCrefPublicKey;

typedef struct ECCrefPrivateKey_st {
    unsigned int bits;
    unsigned char K[ECCref_MAX_LEN];
} ECCrefPrivateKey;

/* C has L bytes. What a caller keeps for it differs (1, 136, 255, as many as there are): only L bytes are ever touched. */
typedef struct ECCCipher_st {
    unsigned char x[ECCref_MAX_LEN];
    unsigned char y[ECCref_MAX_LEN];
    unsigned char M[32]; /* C3 */
    unsigned int L;
    unsigned char C[1];
} ECCCipher;

typedef struct ECCSignature_st {
    unsigned char r[ECCref_MAX_LEN];
    unsigned char s[ECCref_MAX_LEN];
} ECCSignature;

#pragma pack(pop)

/* Errors */
enum {
    SDR_OK = 0,
    SDR_BASE = 0x01000000,
    SDR_UNKNOWERR = SDR_BASE + 0x01,
    SDR_NOTSUPPORT = SDR_BASE + 0x02, /* no such function here */
    SDR_COMMFAIL = SDR_BASE + 0x03,   /* the device cannot be reached */
    SDR_HARDFAIL = SDR_BASE + 0x04,   /* the device's own fault: self-test, libcrypto missing */
    SDR_OPENDEVICE = SDR_BASE + 0x05,
    SDR_OPENSESSION = SDR_BASE + 0x06,
    SDR_PARDENY = SDR_BASE + 0x07, /* no right: asked for none, or locked after wrong passwords */
    SDR_KEYNOTEXIST = SDR_BASE + 0x08,
    SDR_ALGNOTSUPPORT = SDR_BASE + 0x09,
    SDR_ALGMODNOTSUPPORT = SDR_BASE + 0x0A,
    SDR_PKOPERR = SDR_BASE + 0x0B,
    SDR_SKOPERR = SDR_BASE + 0x0C,
    SDR_SIGNERR = SDR_BASE + 0x0D,
    SDR_VERIFYERR = SDR_BASE + 0x0E,
    SDR_SYMOPERR = SDR_BASE + 0x0F,
    SDR_STEPERR = SDR_BASE + 0x10, /* not in the order of steps */
    SDR_FILESIZEERR = SDR_BASE + 0x11,
    SDR_FILENOEXIST = SDR_BASE + 0x12,
    SDR_FILEOFSERR = SDR_BASE + 0x13, /* offset outside the file */
    SDR_KEYTYPEERR = SDR_BASE + 0x14,
    SDR_KEYERR = SDR_BASE + 0x15,
    SDR_ENCDATAERR = SDR_BASE + 0x16,
    SDR_RANDERR = SDR_BASE + 0x17,
    SDR_PRKRERR = SDR_BASE + 0x18, /* wrong password of a private key */
    SDR_MACERR = SDR_BASE + 0x19,
    SDR_FILEEXISTS = SDR_BASE + 0x1A,
    SDR_FILEWERR = SDR_BASE + 0x1B,
    SDR_NOBUFFER = SDR_BASE + 0x1C,
    SDR_INARGERR = SDR_BASE + 0x1D,
    SDR_OUTARGERR = SDR_BASE + 0x1E,
    SDR_USERIDERR = SDR_BASE + 0x1F, /* 2023 */
};

/* Functions. All give SDR_OK or an error. `puiXLength` of an answer is written, never read, unless its comment says so: the
 * edition of 2012 has callers leave it unset. A NULL answer with a length pointer asks for the length. */

/* Device */
int SDF_OpenDevice(void **phDeviceHandle);
int SDF_CloseDevice(void *hDeviceHandle);
int SDF_OpenSession(void *hDeviceHandle, void **phSessionHandle);
int SDF_CloseSession(void *hSessionHandle);
int SDF_GetDeviceInfo(void *hSessionHandle, DEVICEINFO *pstDeviceInfo);
int SDF_GenerateRandom(void *hSessionHandle, unsigned int uiLength, unsigned char *pucRandom);
int SDF_GetPrivateKeyAccessRight(void *hSessionHandle, unsigned int uiKeyIndex, unsigned char *pucPassword,
                                 unsigned int uiPwdLength);
int SDF_ReleasePrivateKeyAccessRight(void *hSessionHandle, unsigned int uiKeyIndex);

/* RSA: SDR_NOTSUPPORT from libehcsdf.so */
int SDF_ExportSignPublicKey_RSA(void *hSessionHandle, unsigned int uiKeyIndex, RSArefPublicKey *pucPublicKey);
int SDF_ExportEncPublicKey_RSA(void *hSessionHandle, unsigned int uiKeyIndex, RSArefPublicKey *pucPublicKey);
int SDF_GenerateKeyPair_RSA(void *hSessionHandle, unsigned int uiKeyBits, RSArefPublicKey *pucPublicKey,
                            RSArefPrivateKey *pucPrivateKey);
int SDF_GenerateKeyWithIPK_RSA(void *hSessionHandle, unsigned int uiIPKIndex, unsigned int uiKeyBits,
                               unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle);
int SDF_GenerateKeyWithEPK_RSA(void *hSessionHandle, unsigned int uiKeyBits, RSArefPublicKey *pucPublicKey,
                               unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle);
int SDF_ImportKeyWithISK_RSA(void *hSessionHandle, unsigned int uiISKIndex, unsigned char *pucKey,
                             unsigned int uiKeyLength, void **phKeyHandle);
int SDF_ExchangeDigitEnvelopeBaseOnRSA(void *hSessionHandle, unsigned int uiKeyIndex, RSArefPublicKey *pucPublicKey,
                                       unsigned char *pucDEInput, unsigned int uiDELength, unsigned char *pucDEOutput,
                                       unsigned int *puiDELength);
int SDF_ExternalPublicKeyOperation_RSA(void *hSessionHandle, RSArefPublicKey *pucPublicKey, unsigned char *pucDataInput,
                                       unsigned int uiInputLength, unsigned char *pucDataOutput,
                                       unsigned int *puiOutputLength);
int SDF_InternalPublicKeyOperation_RSA(void *hSessionHandle, unsigned int uiKeyIndex, unsigned char *pucDataInput,
                                       unsigned int uiInputLength, unsigned char *pucDataOutput,
                                       unsigned int *puiOutputLength);
int SDF_InternalPrivateKeyOperation_RSA(void *hSessionHandle, unsigned int uiKeyIndex, unsigned char *pucDataInput,
                                        unsigned int uiInputLength, unsigned char *pucDataOutput,
                                        unsigned int *puiOutputLength);
int SDF_ExternalPrivateKeyOperation_RSA(void *hSessionHandle, RSArefPrivateKey *pucPrivateKey,
                                        unsigned char *pucDataInput, unsigned int uiInputLength,
                                        unsigned char *pucDataOutput, unsigned int *puiOutputLength);

/* Debugging and validation (2023): keys in clear */
int SDF_ExternalSign_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPrivateKey *pucPrivateKey,
                         unsigned char *pucDataInput, unsigned int uiInputLength, ECCSignature *pucSignature);
int SDF_ExternalDecrypt_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPrivateKey *pucPrivateKey,
                            ECCCipher *pucEncData, unsigned char *pucData, unsigned int *puiDataLength);
int SDF_ExternalKeyEncrypt(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey, unsigned int uiKeyLength,
                           unsigned char *pucIV, unsigned int uiIVLength, unsigned char *pucData,
                           unsigned int uiDataLength, unsigned char *pucEncData, unsigned int *puiEncDataLength);
int SDF_ExternalKeyDecrypt(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey, unsigned int uiKeyLength,
                           unsigned char *pucIV, unsigned int uiIVLength, unsigned char *pucEncData,
                           unsigned int uiEncDataLength, unsigned char *pucData, unsigned int *puiDataLength);
int SDF_ExternalKeyEncryptInit(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey,
                               unsigned int uiKeyLength, unsigned char *pucIV, unsigned int uiIVLength);
int SDF_ExternalKeyDecryptInit(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey,
                               unsigned int uiKeyLength, unsigned char *pucIV, unsigned int uiIVLength);
int SDF_ExternalKeyHMACInit(void *hSessionHandle, unsigned int uiAlgID, unsigned char *pucKey,
                            unsigned int uiKeyLength);

/* Keys */
int SDF_ExportSignPublicKey_ECC(void *hSessionHandle, unsigned int uiKeyIndex, ECCrefPublicKey *pucPublicKey);
int SDF_ExportEncPublicKey_ECC(void *hSessionHandle, unsigned int uiKeyIndex, ECCrefPublicKey *pucPublicKey);
int SDF_GenerateKeyPair_ECC(void *hSessionHandle, unsigned int uiAlgID, unsigned int uiKeyBits,
                            ECCrefPublicKey *pucPublicKey, ECCrefPrivateKey *pucPrivateKey);
int SDF_GenerateKeyWithIPK_ECC(void *hSessionHandle, unsigned int uiIPKIndex, unsigned int uiKeyBits, ECCCipher *pucKey,
                               void **phKeyHandle);
int SDF_GenerateKeyWithEPK_ECC(void *hSessionHandle, unsigned int uiKeyBits, unsigned int uiAlgID,
                               ECCrefPublicKey *pucPublicKey, ECCCipher *pucKey, void **phKeyHandle);
int SDF_ImportKeyWithISK_ECC(void *hSessionHandle, unsigned int uiISKIndex, ECCCipher *pucKey, void **phKeyHandle);
int SDF_GenerateAgreementDataWithECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned int uiKeyBits,
                                     unsigned char *pucSponsorID, unsigned int uiSponsorIDLength,
                                     ECCrefPublicKey *pucSponsorPublicKey, ECCrefPublicKey *pucSponsorTmpPublicKey,
                                     void **phAgreementHandle);
int SDF_GenerateKeyWithECC(void *hSessionHandle, unsigned char *pucResponseID, unsigned int uiResponseIDLength,
                           ECCrefPublicKey *pucResponsePublicKey, ECCrefPublicKey *pucResponseTmpPublicKey,
                           void *hAgreementHandle, void **phKeyHandle);
int SDF_GenerateAgreementDataAndKeyWithECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned int uiKeyBits,
                                           unsigned char *pucResponseID, unsigned int uiResponseIDLength,
                                           unsigned char *pucSponsorID, unsigned int uiSponsorIDLength,
                                           ECCrefPublicKey *pucSponsorPublicKey,
                                           ECCrefPublicKey *pucSponsorTmpPublicKey,
                                           ECCrefPublicKey *pucResponsePublicKey,
                                           ECCrefPublicKey *pucResponseTmpPublicKey, void **phKeyHandle);
int SDF_ExchangeDigitEnvelopeBaseOnECC(void *hSessionHandle, unsigned int uiKeyIndex, unsigned int uiAlgID,
                                       ECCrefPublicKey *pucPublicKey, ECCCipher *pucEncDataIn,
                                       ECCCipher *pucEncDataOut);
int SDF_GenerateKeyWithKEK(void *hSessionHandle, unsigned int uiKeyBits, unsigned int uiAlgID, unsigned int uiKEKIndex,
                           unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle);
int SDF_ImportKeyWithKEK(void *hSessionHandle, unsigned int uiAlgID, unsigned int uiKEKIndex, unsigned char *pucKey,
                         unsigned int uiKeyLength, void **phKeyHandle);
int SDF_DestroyKey(void *hSessionHandle, void *hKeyHandle);

/* SM2 */
int SDF_ExternalVerify_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPublicKey *pucPublicKey,
                           unsigned char *pucDataInput, unsigned int uiInputLength, ECCSignature *pucSignature);
int SDF_InternalSign_ECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned char *pucData,
                         unsigned int uiDataLength, ECCSignature *pucSignature);
int SDF_InternalVerify_ECC(void *hSessionHandle, unsigned int uiIPKIndex, unsigned char *pucData,
                           unsigned int uiDataLength, ECCSignature *pucSignature);
int SDF_ExternalEncrypt_ECC(void *hSessionHandle, unsigned int uiAlgID, ECCrefPublicKey *pucPublicKey,
                            unsigned char *pucData, unsigned int uiDataLength, ECCCipher *pucEncData);
int SDF_InternalEncrypt_ECC(void *hSessionHandle, unsigned int uiIPKIndex, unsigned int uiAlgID, unsigned char *pucData,
                            unsigned int uiDataLength, ECCCipher *pucEncData);
int SDF_InternalDecrypt_ECC(void *hSessionHandle, unsigned int uiISKIndex, unsigned int uiAlgID, ECCCipher *pucEncData,
                            unsigned char *pucData, unsigned int *puiDataLength);

/* Ciphers; an IV of 2012 is 16 bytes and is left as the next one's */
int SDF_Encrypt(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                unsigned char *pucData, unsigned int uiDataLength, unsigned char *pucEncData,
                unsigned int *puiEncDataLength);
int SDF_Decrypt(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                unsigned char *pucEncData, unsigned int uiEncDataLength, unsigned char *pucData,
                unsigned int *puiDataLength);
int SDF_CalculateMAC(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                     unsigned char *pucData, unsigned int uiDataLength, unsigned char *pucMAC,
                     unsigned int *puiMACLength);
int SDF_AuthEnc(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength, unsigned char *pucData,
                unsigned int uiDataLength, unsigned char *pucEncData, unsigned int *puiEncDataLength,
                unsigned char *pucAuthData, unsigned int *puiAuthDataLength);
int SDF_AuthDec(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength,
                unsigned char *pucAuthData, unsigned int uiAuthDataLength, unsigned char *pucEncData,
                unsigned int uiEncDataLength, unsigned char *pucData, unsigned int *puiDataLength);
int SDF_EncryptInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                    unsigned int uiIVLength);
int SDF_EncryptUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength,
                      unsigned char *pucEncData, unsigned int *puiEncDataLength);
int SDF_EncryptFinal(void *hSessionHandle, unsigned char *pucLastEncData, unsigned int *puiLastEncDataLength);
int SDF_DecryptInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                    unsigned int uiIVLength);
int SDF_DecryptUpdate(void *hSessionHandle, unsigned char *pucEncData, unsigned int uiEncDataLength,
                      unsigned char *pucData, unsigned int *puiDataLength);
int SDF_DecryptFinal(void *hSessionHandle, unsigned char *pucLastData, unsigned int *puiLastDataLength);
int SDF_CalculateMACInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV,
                         unsigned int uiIVLength);
int SDF_CalculateMACUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength);
int SDF_CalculateMACFinal(void *hSessionHandle, unsigned char *pucMac, unsigned int *puiMacLength);
int SDF_AuthEncInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                    unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength,
                    unsigned int uiDataLength);
int SDF_AuthEncUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength,
                      unsigned char *pucEncData, unsigned int *puiEncDataLength);
int SDF_AuthEncFinal(void *hSessionHandle, unsigned char *pucLastEncData, unsigned int *puiLastEncDataLength,
                     unsigned char *pucAuthData, unsigned int *puiAuthDataLength);
int SDF_AuthDecInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucStartVar,
                    unsigned int uiStartVarLength, unsigned char *pucAad, unsigned int uiAadLength,
                    unsigned char *pucAuthData, unsigned int uiAuthDataLength, unsigned int uiDataLength);
int SDF_AuthDecUpdate(void *hSessionHandle, unsigned char *pucEncData, unsigned int uiEncDataLength,
                      unsigned char *pucData, unsigned int *puiDataLength);
int SDF_AuthDecFinal(void *hSessionHandle, unsigned char *pucLastData, unsigned int *puiLastDataLength);

/* Hash */
int SDF_HashInit(void *hSessionHandle, unsigned int uiAlgID, ECCrefPublicKey *pucPublicKey, unsigned char *pucID,
                 unsigned int uiIDLength);
int SDF_HashUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength);
int SDF_HashFinal(void *hSessionHandle, unsigned char *pucHash, unsigned int *puiHashLength);
int SDF_HMACInit(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID);
int SDF_HMACUpdate(void *hSessionHandle, unsigned char *pucData, unsigned int uiDataLength);
int SDF_HMACFinal(void *hSessionHandle, unsigned char *pucHMac, unsigned int *puiHMacLength);

/* User files; puiReadLength is read and written */
int SDF_CreateFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen, unsigned int uiFileSize);
int SDF_ReadFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen, unsigned int uiOffset,
                 unsigned int *puiReadLength, unsigned char *pucBuffer);
int SDF_WriteFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen, unsigned int uiOffset,
                  unsigned int uiWriteLength, unsigned char *pucBuffer);
int SDF_DeleteFile(void *hSessionHandle, unsigned char *pucFileName, unsigned int uiNameLen);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
