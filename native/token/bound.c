/* bound.c: the card-bound token of profile A (native/README.md, "Codes of ours"). The card's own key is diversified from the protection key as
 * 分散 does it, and the block under it is
 *
 *     E1 | expiry BCD (7) | key version | channel << 4 | scene | sequence (3) | 00 00 00 */
#include "bound.h"

#include "bcd_time.h"
#include "dispatch.h"

static const uint8_t TAG = 0xE1;

/* Card keys: SM4 under the protection key of g ‖ NOT g, g being the XOR of the four 8-byte groups of the card id. */
static void card_keys(const ehc_sm4_key *protection_key, const uint8_t *card_ids, size_t n, uint8_t *keys)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t id[4], factor[2];
        memcpy(id, card_ids + 32 * i, 32);
        factor[0] = id[0] ^ id[1] ^ id[2] ^ id[3];
        factor[1] = ~factor[0];
        memcpy(keys + 16 * i, factor, 16);
    }
    ehc_sm4_encrypt(protection_key, keys, keys, n);
}

/* All of what authenticates a block is looked at before anything is decided. */
static uint8_t open_block(const uint8_t p[16], ehc_bound *fields)
{
    int32_t days, second;
    uint32_t outside = read_bcd_time(load32(p + 1), load32(p + 5), &days, &second);
    outside |= (uint32_t)(p[0] ^ TAG) | p[13] | p[14] | p[15];
    fields->expiry = time_of(days, second);
    fields->key_version = p[8];
    fields->channel = p[9] >> 4;
    fields->scene = p[9] & 15;
    fields->sequence = load32(p + 9) & 0xFFFFFF;
    return outside == 0;
}

void ehc_open_bound(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const uint8_t *blocks, size_t n,
                    ehc_bound *fields, uint8_t *authentic)
{
    uint8_t keys[16 * EHC_BOUND_GROUP] = {0}, plain[16 * EHC_BOUND_GROUP];
    card_keys(protection_key, card_ids, n, keys);
    ehc_tier_current()->token.sm4_many_keys(keys, blocks, plain, n, 1);
    for (size_t i = 0; i < n; i++)
        authentic[i] = open_block(plain + 16 * i, fields + i);
    ehc_wipe(keys, sizeof keys);
}

static int write_block(const ehc_bound *fields, ehc_bcd_day *day, uint8_t p[16])
{
    memset(p, 0, 16);
    if (fields->channel > 15 || fields->scene > 15 || fields->sequence > 0xFFFFFF)
        return EHC_TOKEN_FORGED;
    if (!ehc_write_bcd_time(fields->expiry, day, p + 1))
        return EHC_TOKEN_FORGED;
    store32(p + 9, fields->sequence);
    p[0] = TAG;
    p[8] = fields->key_version;
    p[9] = (uint8_t)(fields->channel << 4 | fields->scene);
    return EHC_OK;
}

static size_t make_group(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const ehc_bound *fields, size_t n,
                         uint8_t *texts, uint8_t *status)
{
    uint8_t keys[16 * EHC_BOUND_GROUP] = {0}, blocks[16 * EHC_BOUND_GROUP];
    ehc_bcd_day day = {0};
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        status[i] = (uint8_t)write_block(fields + i, &day, blocks + 16 * i);
        bad += status[i] != EHC_OK;
    }
    card_keys(protection_key, card_ids, n, keys);
    ehc_tier_current()->token.sm4_many_keys(keys, blocks, blocks, n, 0);
    ehc_hex(blocks, 16 * n, texts);
    ehc_wipe(keys, sizeof keys);
    return bad;
}

size_t ehc_make_bound_batch(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const ehc_bound *fields,
                            size_t n, uint8_t *texts, uint8_t *status)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i += EHC_BOUND_GROUP) {
        size_t count = n - i < EHC_BOUND_GROUP ? n - i : EHC_BOUND_GROUP;
        bad += make_group(protection_key, card_ids + 32 * i, fields + i, count, texts + 32 * i, status + i);
    }
    for (size_t i = 0; bad > 0 && i < n; i++)
        if (status[i] != EHC_OK)
            memset(texts + 32 * i, '0', 32);
    return bad;
}

int ehc_make_bound(const ehc_sm4_key *protection_key, const uint8_t card_id[32], const ehc_bound *fields,
                   uint8_t text[32])
{
    uint8_t status;
    ehc_make_bound_batch(protection_key, card_id, fields, 1, text, &status);
    return status;
}
