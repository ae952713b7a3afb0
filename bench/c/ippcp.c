/* ippcp.c: Intel's cryptography-primitives; a spec for each key, the user's set anew for each person. */
#define _NO_IPP_DEPRECATED
#include <ippcp.h>
#include <stdlib.h>

#include "job.h"
#include "slots.h"

static const IppsHashMethod *method;
static IppsHMACState_rmf *keyed;
static IppsSMS4Spec *spec[SLOTS];
static int encrypts[SLOTS], spec_size;

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    ippsHashMessage_rmf(message, (int)length, digest, method);
}

static void mac(const uint8_t message[32], uint8_t digest[32])
{
    ippsHMACUpdate_rmf(message, 32, keyed);
    ippsHMACFinal_rmf(digest, 32, keyed); /* and ready for the next message under the same key */
}

static int set_key(int slot, const uint8_t raw[16], int encrypt)
{
    encrypts[slot] = encrypt;
    if (spec[slot] != NULL)
        return ippsSMS4SetKey(raw, 16, spec[slot]) != ippStsNoErr;
    spec[slot] = malloc((size_t)spec_size);
    return spec[slot] == NULL || ippsSMS4Init(raw, 16, spec[slot], spec_size) != ippStsNoErr;
}

static void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes)
{
    if (encrypts[slot])
        ippsSMS4EncryptECB(in, out, (int)bytes, spec[slot]);
    else
        ippsSMS4DecryptECB(in, out, (int)bytes, spec[slot]);
}

#include "compose.h"

static const char *open_library(void)
{
    static char name[96];
    int size;
    ippcpInit();
    method = ippsHashMethod_SM3();
    if (ippsHMACGetSize_rmf(&size) != ippStsNoErr || (keyed = malloc((size_t)size)) == NULL ||
        ippsHMACInit_rmf(MAC_KEY, sizeof MAC_KEY, keyed, method) != ippStsNoErr ||
        ippsSMS4GetSize(&spec_size) != ippStsNoErr)
        return NULL;
    fill_tables();
    strcpy(name, "cryptography-primitives ");
    strncat(name, ippcpGetLibVersion()->Version, 5);
    return open_keys() == 0 ? name : NULL;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
