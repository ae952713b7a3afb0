/* derive_portable.c: a person to a card, as native/README.md, "Identifiers" says it, one row at a time. The readable
 * specification of the product kernel. */
#include "kernels.h"

/* A byte outside 0x20..0x7E among eight: it has its top bit, or gets it when 0x20 is taken away or 1 added. A borrow or
 * carry starts at such a byte only, so the answer is exact. */
static int has_outside(const uint8_t *bytes)
{
    uint64_t x;
    memcpy(&x, bytes, 8);
    return ((x | (x - 0x2020202020202020u) | (x + 0x0101010101010101u)) & 0x8080808080808080u) != 0;
}

static int is_printable(const uint8_t *id, size_t length)
{
    uint8_t padded[8] = "        ";
    int outside = 0;
    for (size_t k = 0; k + 8 <= length; k += 8)
        outside |= has_outside(id + k);
    if (length >= 8)
        return !(outside | has_outside(id + length - 8)); /* the last eight, some of them once more */
    memcpy(padded, id, length);
    return !has_outside(padded);
}

int ehc_row_status(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i)
{
    if (offsets[i + 1] < offsets[i] || offsets[i + 1] - offsets[i] < id_lengths[i])
        return EHC_ROW_OFFSETS;
    if (id_lengths[i] < 3)
        return EHC_ROW_ID_SHORT;
    if (id_lengths[i] > 32)
        return EHC_ROW_ID_LONG;
    return is_printable(data + offsets[i], id_lengths[i]) ? EHC_OK : EHC_ROW_ID_CHARACTER;
}

/* factor (分散因子): the XOR of the mindex's four 8-byte groups; here factor ‖ NOT factor. */
static void fold(const uint8_t mindex[32], uint8_t block[16])
{
    for (size_t k = 0; k < 8; k++) {
        block[k] = mindex[k] ^ mindex[k + 8] ^ mindex[k + 16] ^ mindex[k + 24];
        block[k + 8] = (uint8_t)~block[k];
    }
}

/* user key (用户身份认证密钥): SM4 under the security key of the folded mindex; card id (电子健康卡ID): SM4 under the
 * user key of the id, padded with zeros to 32 bytes. */
static void encrypt_id(const uint32_t root[32], const uint8_t block[16], const uint8_t *row, size_t id_length,
                       uint8_t card_id[32])
{
    uint8_t user_key[16], id[32] = {0};
    uint32_t user_round_keys[32];
    ehc_sm4_portable(root, block, user_key, 1);
    ehc_sm4_expand_portable(user_key, user_round_keys);
    memcpy(id, row, id_length);
    ehc_sm4_portable(user_round_keys, id, card_id, 2);
    ehc_wipe(user_key, sizeof user_key);
    ehc_wipe(user_round_keys, sizeof user_round_keys);
    ehc_wipe(id, sizeof id);
}

/* mindex (主索引ID): SM3 of the row. */
static void derive_row(const uint32_t root[32], const uint8_t *row, size_t length, size_t id_length, uint8_t mindex[32],
                       uint8_t card_id[32])
{
    uint8_t block[16];
    ehc_sm3(row, length, mindex);
    fold(mindex, block);
    encrypt_id(root, block, row, id_length, card_id);
}

size_t ehc_derive_portable(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets,
                           const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        status[i] = (uint8_t)ehc_row_status(data, offsets, id_lengths, i);
        if (status[i] != EHC_OK) {
            memset(mindex + 32 * i, 0, 32);
            memset(card_id + 32 * i, 0, 32);
            bad++;
            continue;
        }
        derive_row(root, data + offsets[i], offsets[i + 1] - offsets[i], id_lengths[i], mindex + 32 * i,
                   card_id + 32 * i);
    }
    return bad;
}

/* A row's card ids under an old and a new security key: one mindex and one factor serve both. */
static void rekey_row(const uint32_t old_root[32], const uint32_t new_root[32], const uint8_t *row, size_t length,
                      size_t id_length, uint8_t old_card_id[32], uint8_t new_card_id[32])
{
    uint8_t mindex[32], block[16];
    ehc_sm3(row, length, mindex);
    fold(mindex, block);
    encrypt_id(old_root, block, row, id_length, old_card_id);
    encrypt_id(new_root, block, row, id_length, new_card_id);
}

size_t ehc_rekey_portable(const uint32_t old_root[32], const uint32_t new_root[32], const uint8_t *data,
                          const uint32_t *offsets, const uint8_t *id_lengths, size_t n, uint8_t *old_card_id,
                          uint8_t *new_card_id, uint8_t *status)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        status[i] = (uint8_t)ehc_row_status(data, offsets, id_lengths, i);
        if (status[i] != EHC_OK) {
            memset(old_card_id + 32 * i, 0, 32);
            memset(new_card_id + 32 * i, 0, 32);
            bad++;
            continue;
        }
        rekey_row(old_root, new_root, data + offsets[i], offsets[i + 1] - offsets[i], id_lengths[i],
                  old_card_id + 32 * i, new_card_id + 32 * i);
    }
    return bad;
}
