/* ipsec_mb.c: intel-ipsec-mb; its key expansion, and an unchecked job of its manager a call. */
#include <intel-ipsec-mb.h>

#include "job.h"
#include "slots.h"

static IMB_MGR *manager;
static uint32_t schedules[SLOTS][2][IMB_SM4_KEY_SCHEDULE_ROUNDS] __attribute__((aligned(64)));
static int encrypts[SLOTS];
static uint8_t inner[64] __attribute__((aligned(64))), outer[64] __attribute__((aligned(64)));

static IMB_JOB *hash_job(IMB_HASH_ALG kind, const uint8_t *message, size_t length, uint8_t *digest)
{
    IMB_JOB *one = IMB_GET_NEXT_JOB(manager);
    one->cipher_mode = IMB_CIPHER_NULL;
    one->cipher_direction = IMB_DIR_ENCRYPT;
    one->chain_order = IMB_ORDER_HASH_CIPHER;
    one->hash_alg = kind;
    one->src = message;
    one->hash_start_src_offset_in_bytes = 0;
    one->msg_len_to_hash_in_bytes = length;
    one->auth_tag_output = digest;
    one->auth_tag_output_len_in_bytes = 32;
    return one;
}

static void sm3(const uint8_t *message, size_t length, uint8_t digest[32])
{
    hash_job(IMB_AUTH_SM3, message, length, digest);
    IMB_SUBMIT_JOB_NOCHECK(manager);
}

static void mac(const uint8_t message[32], uint8_t digest[32])
{
    IMB_JOB *one = hash_job(IMB_AUTH_HMAC_SM3, message, 32, digest);
    one->u.HMAC._hashed_auth_key_xor_ipad = inner;
    one->u.HMAC._hashed_auth_key_xor_opad = outer;
    IMB_SUBMIT_JOB_NOCHECK(manager);
}

static int set_key(int slot, const uint8_t raw[16], int encrypt)
{
    IMB_SM4_KEYEXP(manager, raw, schedules[slot][0], schedules[slot][1]);
    encrypts[slot] = encrypt;
    return 0;
}

static void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes)
{
    IMB_JOB *one = IMB_GET_NEXT_JOB(manager);
    one->cipher_mode = IMB_CIPHER_SM4_ECB;
    one->cipher_direction = encrypts[slot] ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    one->chain_order = IMB_ORDER_CIPHER_HASH;
    one->hash_alg = IMB_AUTH_NULL;
    one->enc_keys = schedules[slot][0];
    one->dec_keys = schedules[slot][1];
    one->key_len_in_bytes = 16;
    one->src = in;
    one->dst = out;
    one->cipher_start_src_offset_in_bytes = 0;
    one->msg_len_to_cipher_in_bytes = bytes;
    IMB_SUBMIT_JOB_NOCHECK(manager);
}

#include "compose.h"

static const char *open_library(void)
{
    static char name[64];
    manager = alloc_mb_mgr(0);
    if (manager == NULL)
        return NULL;
    init_mb_mgr_auto(manager, NULL);
    imb_hmac_ipad_opad(manager, IMB_AUTH_HMAC_SM3, MAC_KEY, sizeof MAC_KEY, inner, outer);
    fill_tables();
    strcpy(name, "intel-ipsec-mb ");
    strncat(name, imb_get_version_str(), 40);
    return open_keys() == 0 ? name : NULL;
}

EXPORT const contender CONTENDER = COMPOSED(open_library);
