/* token_portable.c: what a tier offers for tokens, one row at a time. The readable specification. */
#include "bcd_time.h"
#include "kernels.h"

#define ISA(name) name##_portable
#include "judge_body.h"

void ehc_hex_encode_portable(const uint8_t *data, size_t n, uint8_t *text)
{
    for (size_t i = 0; i < n; i++) {
        unsigned high = data[i] >> 4, low = data[i] & 15;
        text[2 * i] = (uint8_t)(high + '0' + (high > 9 ? 7u : 0u));
        text[2 * i + 1] = (uint8_t)(low + '0' + (low > 9 ? 7u : 0u));
    }
}

/* Value of a digit, or at least 16. */
static unsigned digit(uint8_t c)
{
    unsigned decimal = (unsigned)c - '0', letter = (c | 0x20u) - 'a';
    return decimal <= 9 ? decimal : letter <= 5 ? letter + 10 : 16;
}

int ehc_hex_decode_portable(const uint8_t *text, size_t n, uint8_t *data)
{
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        seen |= high | low;
        data[i] = (uint8_t)(high << 4 | low);
    }
    return seen < 16;
}

static int is_canonical(const uint8_t *text, size_t length, uint8_t block[16])
{
    uint8_t card_id[32];
    if (length != EHC_CANONICAL || text[64] != ':' || text[65] != '0' || text[66] != ':')
        return 0;
    return ehc_hex_decode_portable(text, 32, card_id) && ehc_hex_decode_portable(text + 67, 16, block);
}

void ehc_token_scan_portable(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *blocks,
                             uint8_t *canonical)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = offsets[i + 1] < offsets[i] ? 0 : offsets[i + 1] - offsets[i];
        canonical[i] = (uint8_t)is_canonical(data + offsets[i], length, blocks + 16 * i);
    }
}

void ehc_token_times_portable(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *times,
                              uint8_t *authentic)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t plain[16];
        int32_t days, second;
        ehc_sm4_portable(decrypt, blocks + 16 * i, plain, 1);
        uint32_t outside = read_bcd_time(load32(plain), load32(plain + 4), &days, &second);
        outside |= plain[7] | load32(plain + 8) | load32(plain + 12);
        authentic[i] = outside == 0;
        times[i] = time_of(days, second) & -(int64_t)authentic[i];
    }
}

void ehc_sm4_many_keys_portable(const uint8_t *keys, const uint8_t *in, uint8_t *out, size_t n, int decrypt)
{
    uint32_t schedule[32], used[32];
    for (size_t i = 0; i < n; i++) {
        ehc_sm4_expand_portable(keys + 16 * i, schedule);
        for (size_t k = 0; k < 32; k++)
            used[k] = schedule[decrypt ? 31 - k : k];
        ehc_sm4_portable(used, in + 16 * i, out + 16 * i, 1);
    }
    ehc_wipe(schedule, sizeof schedule);
    ehc_wipe(used, sizeof used);
}

void ehc_compact_scan_portable(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *messages,
                               uint8_t *aliases, uint8_t *macs, uint8_t *compact)
{
    uint8_t raw[48];
    for (size_t i = 0; i < n; i++) {
        const uint8_t *text = data + offsets[i];
        int fits = (uint64_t)offsets[i + 1] - offsets[i] == EHC_COMPACT_LENGTH;
        compact[i] = fits && memcmp(text, "EHC2:", 5) == 0 && ehc_base45_decode_portable(text + 5, 24, raw);
        if (!compact[i])
            continue;
        memcpy(messages + 32 * i, raw, 32);
        memcpy(aliases + 16 * i, raw + 16, 16);
        memcpy(macs + 16 * i, raw + 32, 16);
    }
}

void ehc_compact_write_portable(const uint8_t *messages, const uint8_t *macs, size_t n, uint8_t *texts)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *text = texts + EHC_COMPACT_LENGTH * i;
        memcpy(text, "EHC2:", 5);
        ehc_base45_encode_portable(messages + 32 * i, 16, text + 5);
        ehc_base45_encode_portable(macs + 32 * i, 8, text + 53);
    }
}

/* SM3 of 32 bytes that follow one block (64 bytes) whose compression left `state`: GB/T 32905 5.2 pads both to 96 bytes
 * = 768 bits. */
static void finish(const uint32_t state[8], const uint8_t data[32], uint8_t digest[32])
{
    uint32_t v[8];
    uint8_t block[64] = {0};
    memcpy(v, state, sizeof v);
    memcpy(block, data, 32);
    block[32] = 0x80;
    store64(block + 56, 768);
    ehc_sm3_compress(v, block, 1);
    for (size_t i = 0; i < 8; i++)
        store32(digest + 4 * i, v[i]);
    ehc_wipe(v, sizeof v);
    ehc_wipe(block, sizeof block);
}

void ehc_hmac_many_portable(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *messages, size_t n,
                            uint8_t *macs)
{
    for (size_t i = 0; i < n; i++) {
        finish(inner, messages + 32 * i, macs + 32 * i);
        finish(outer, macs + 32 * i, macs + 32 * i);
    }
}
