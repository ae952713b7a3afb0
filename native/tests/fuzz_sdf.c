/* fuzz_sdf.c: the C interface of GM/T 0018 with any bytes: a session does what the input says, call by call, with handles that
 * are good, stale or invented. Expected: every answer is 0 or a code of the standard; what is asked for with NULL is exactly
 * what is then written; what was encrypted comes back. */
#define _GNU_SOURCE
#include <unistd.h>

#include "fuzz.h"
#include "sdf.h"
#include "sdf_store.h"
#include "sgd.h"

enum { KEYS = 4, DATA = 80, CALLS = 12 };

static void *device;
static const char PASSWORD[] = "a long password";

static void end(void)
{
    static const char REMOVE[] = "rm -r \"$EHC_SDF_HOME\"";
    if (system(REMOVE) != 0)
        fputs("the machine's folder stays\n", stderr);
}

static void set_up(void)
{
    static char home[] = "/tmp/ehc-fuzz-sdf-XXXXXX";
    static const uint8_t KEK[16] = {1, 2, 3};
    sdf_store store;
    EXPECT(mkdtemp(home) != NULL && rmdir(home) == 0 && setenv("EHC_SDF_HOME", home, 1) == 0);
    EXPECT(ehc_sdf_store_create(home, (const uint8_t *)"2026112900100007") == SDR_OK);
    EXPECT(ehc_sdf_store_open(&store, home) == SDR_OK);
    EXPECT(ehc_sdf_store_add_kek(&store, 1, KEK) == SDR_OK);
    EXPECT(ehc_sdf_store_add_pair(&store, 1, (const uint8_t *)PASSWORD, sizeof PASSWORD - 1) == SDR_OK);
    ehc_sdf_store_close(&store);
    EXPECT(SDF_OpenDevice(&device) == SDR_OK && atexit(end) == 0);
}

/* A status of the standard. */
static int said(int status)
{
    EXPECT(status == SDR_OK || (status > SDR_BASE && status <= SDR_BASE + 0x1F));
    return status;
}

typedef struct {
    fuzz_input in;
    void *session, *keys[KEYS];
    uint8_t data[DATA], iv[16];
    unsigned length;
} run;

static void *a_key(run *r)
{
    unsigned choice = fuzz_byte(&r->in);
    return choice < 250 ? r->keys[choice % KEYS] : (void *)(uintptr_t)(choice * 7919u);
}

static void take(run *r)
{
    r->length = fuzz_byte(&r->in) % (DATA + 1);
    for (unsigned i = 0; i < r->length; i++)
        r->data[i] = (uint8_t)fuzz_byte(&r->in);
    for (unsigned i = 0; i < sizeof r->iv; i++)
        r->iv[i] = (uint8_t)fuzz_byte(&r->in);
}

static unsigned an_algorithm(run *r)
{
    static const unsigned KNOWN[] = {SGD_SM4_ECB, SGD_SM4_CBC, SGD_SM4_CFB, SGD_SM4_OFB, SGD_SM4_CTR, SGD_SM4_MAC,
                                     SGD_SM4_GCM, SGD_SM4_CCM, SGD_SM3,     SGD_SM2_3,   0,           0xFFFFFFFF};
    return KNOWN[fuzz_byte(&r->in) % (sizeof KNOWN / sizeof *KNOWN)];
}

static void new_key(run *r)
{
    uint8_t wrapped[256];
    unsigned length = sizeof wrapped, place = fuzz_byte(&r->in) % KEYS, algorithm = an_algorithm(r);
    if (said(SDF_GenerateKeyWithKEK(r->session, 8 * (fuzz_byte(&r->in) % 70), algorithm, 1 + fuzz_byte(&r->in) % 2,
                                    wrapped, &length, &r->keys[place])) != SDR_OK)
        return;
    void *again = NULL;
    EXPECT(SDF_ImportKeyWithKEK(r->session, algorithm, 1, wrapped, length, &again) == SDR_OK);
    wrapped[fuzz_byte(&r->in) % length] ^= (uint8_t)fuzz_byte(&r->in);
    said(SDF_ImportKeyWithKEK(r->session, algorithm, 1, wrapped, length, &r->keys[(place + 1) % KEYS]));
    EXPECT(SDF_DestroyKey(r->session, again) == SDR_OK);
}

/* Seldom: a password takes 20,000 rounds. */
static void envelope(run *r)
{
    if (fuzz_byte(&r->in) != 0x5A)
        return;
    ECCCipher *cipher = fuzz_room(sizeof *cipher + 64);
    memset(cipher, 0, sizeof *cipher + 64);
    unsigned place = fuzz_byte(&r->in) % KEYS;
    said(SDF_GetPrivateKeyAccessRight(r->session, 1, (unsigned char *)PASSWORD, sizeof PASSWORD - 1));
    if (said(SDF_GenerateKeyWithIPK_ECC(r->session, 1, 128, cipher, &r->keys[place])) == SDR_OK) {
        ((uint8_t *)cipher)[fuzz_byte(&r->in) % 180] ^= (uint8_t)fuzz_byte(&r->in);
        said(SDF_ImportKeyWithISK_ECC(r->session, 1, cipher, &r->keys[(place + 1) % KEYS]));
    }
    said(SDF_ReleasePrivateKeyAccessRight(r->session, 1));
    free(cipher);
}

static void encrypt(run *r)
{
    void *key = a_key(r);
    unsigned algorithm = an_algorithm(r), asked = 0, written = 0, back = 0;
    uint8_t iv[16], first[16];
    take(r);
    memcpy(first, r->iv, 16);
    if (said(SDF_Encrypt(r->session, key, algorithm, r->iv, r->data, r->length, NULL, &asked)) != SDR_OK)
        return;
    uint8_t *out = fuzz_room(asked), *plain = fuzz_room(asked);
    memcpy(iv, first, 16);
    EXPECT(SDF_Encrypt(r->session, key, algorithm, iv, r->data, r->length, out, &written) == SDR_OK &&
           written == asked);
    memcpy(iv, first, 16);
    EXPECT(SDF_Decrypt(r->session, key, algorithm, iv, out, written, plain, &back) == SDR_OK && back == r->length);
    EXPECT(memcmp(plain, r->data, back) == 0);
    free(out);
    free(plain);
}

static void parts(run *r)
{
    void *key = a_key(r);
    unsigned algorithm = an_algorithm(r), what = fuzz_byte(&r->in) % 4, asked = 0, written = 0;
    take(r);
    said(what == 0   ? SDF_EncryptInit(r->session, key, algorithm, r->iv, 16)
         : what == 1 ? SDF_DecryptInit(r->session, key, algorithm, r->iv, 16)
         : what == 2 ? SDF_CalculateMACInit(r->session, key, algorithm, r->iv, 16)
                     : SDF_HMACInit(r->session, key, algorithm));
    for (unsigned part = fuzz_byte(&r->in) % 4; part > 0; part--) {
        take(r);
        uint8_t *out = NULL;
        if (what < 2 && said(SDF_EncryptUpdate(r->session, r->data, r->length, NULL, &asked)) == SDR_OK)
            out = fuzz_room(asked);
        said(what == 0   ? (out == NULL ? SDR_OK : SDF_EncryptUpdate(r->session, r->data, r->length, out, &written))
             : what == 1 ? SDF_DecryptUpdate(r->session, r->data, r->length, NULL, &asked)
             : what == 2 ? SDF_CalculateMACUpdate(r->session, r->data, r->length)
                         : SDF_HMACUpdate(r->session, r->data, r->length));
        EXPECT(out == NULL || what != 0 || written == asked);
        free(out);
    }
    uint8_t last[32];
    written = sizeof last;
    said(what == 0   ? SDF_EncryptFinal(r->session, last, &written)
         : what == 1 ? SDF_DecryptFinal(r->session, last, &written)
         : what == 2 ? SDF_CalculateMACFinal(r->session, last, &written)
                     : SDF_HMACFinal(r->session, last, &written));
}

static void authenticated(run *r)
{
    void *key = a_key(r);
    unsigned algorithm = an_algorithm(r), nonce = fuzz_byte(&r->in) % 17, aad = fuzz_byte(&r->in) % 17;
    unsigned written = DATA, tag_length = 16, back = DATA;
    uint8_t out[DATA + 16], tag[16], plain[DATA + 16], extra[16];
    take(r);
    memcpy(extra, r->data, 16);
    if (said(SDF_AuthEnc(r->session, key, algorithm, r->iv, nonce, extra, aad, r->data, r->length, out, &written, tag,
                         &tag_length)) != SDR_OK)
        return;
    EXPECT(SDF_AuthDec(r->session, key, algorithm, r->iv, nonce, extra, aad, tag, tag_length, out, written, plain,
                       &back) == SDR_OK);
    EXPECT(back == r->length && memcmp(plain, r->data, back) == 0);
    tag[fuzz_byte(&r->in) % tag_length] ^= (uint8_t)(1 + fuzz_byte(&r->in) % 255);
    EXPECT(SDF_AuthDec(r->session, key, algorithm, r->iv, nonce, extra, aad, tag, tag_length, out, written, plain,
                       &back) != SDR_OK);
}

static void hash(run *r)
{
    uint8_t digest[32];
    unsigned length = sizeof digest;
    ECCrefPublicKey *point = fuzz_room(sizeof *point);
    take(r);
    memset(point, (int)fuzz_byte(&r->in), sizeof *point);
    memcpy(point, r->data, r->length);
    said(
        SDF_HashInit(r->session, an_algorithm(r), fuzz_byte(&r->in) & 1 ? point : NULL, r->iv, fuzz_byte(&r->in) % 17));
    said(SDF_HashUpdate(r->session, r->data, r->length));
    said(SDF_HashFinal(r->session, digest, &length));
    free(point);
}

static void verify(run *r)
{
    ECCrefPublicKey point;
    ECCSignature signature;
    EXPECT(SDF_ExportSignPublicKey_ECC(r->session, 1, &point) == SDR_OK);
    take(r);
    memset(&signature, (int)fuzz_byte(&r->in), sizeof signature);
    memcpy((uint8_t *)&signature + 32, r->data, 32);
    ((uint8_t *)&point)[fuzz_byte(&r->in) % sizeof point] ^= (uint8_t)fuzz_byte(&r->in);
    EXPECT(said(SDF_ExternalVerify_ECC(r->session, SGD_SM2_1, &point, r->data, r->length, &signature)) != SDR_OK);
}

static void destroy(run *r)
{
    said(SDF_DestroyKey(r->session, a_key(r)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ACTS[])(run *) = {new_key,       new_key, encrypt, encrypt, parts,
                                          authenticated, hash,    verify,  destroy, envelope};
    run r = {{data, size}, NULL, {NULL}, {0}, {0}, 0};
    if (device == NULL)
        set_up();
    EXPECT(SDF_OpenSession(device, &r.session) == SDR_OK);
    for (unsigned calls = 0; r.in.left > 0 && calls < CALLS; calls++)
        ACTS[fuzz_byte(&r.in) % (sizeof ACTS / sizeof *ACTS)](&r);
    EXPECT(SDF_CloseSession(r.session) == SDR_OK);
    return 0;
}
