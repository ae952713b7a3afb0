/* test_token_kernels.c: what a tier offers for tokens, each against the public single calls, at every number of rows around
 * its lanes; what is read and written ends at guard pages. */
#include "check.h"
#include "dispatch.h"
#include "guarded.h"
#include "kernels.h"

enum { MOST = 150, TEXT = 99 };

static const ehc_token_kernels *token(void)
{
    return &ehc_tier_current()->token;
}

static uint8_t *noise(guarded *room, size_t n, uint32_t seed)
{
    *room = guarded_room(n);
    uint8_t *bytes = room->last - n;
    for (size_t i = 0; i < n; i++)
        bytes[i] = next_byte(&seed);
    return bytes;
}

static void hex(void)
{
    for (size_t n = 0; n < MOST; n++) {
        guarded rooms[3];
        uint8_t *data = noise(&rooms[0], n, (uint32_t)n + 1), *text = noise(&rooms[1], 2 * n, 1);
        uint8_t *back = noise(&rooms[2], n, 2), expected[2 * MOST + 1];
        for (size_t i = 0; i < n; i++)
            snprintf((char *)expected + 2 * i, 3, "%02X", data[i]);
        token()->hex_encode(data, n, text);
        CHECK(memcmp(text, expected, 2 * n) == 0);
        for (size_t i = 0; i < 2 * n; i += 3)
            text[i] |= text[i] >= 'A' ? 0x20 : 0;
        CHECK(token()->hex_decode(text, n, back) && memcmp(back, data, n) == 0);
        for (size_t k = 0; k < 256 && n > 0; k++) {
            size_t at = k * 7 % (2 * n);
            uint8_t kept = text[at], c = (uint8_t)k, lower = c | 0x20;
            int digit = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
            text[at] = c;
            CHECK((token()->hex_decode(text, n, back) != 0) == digit);
            text[at] = kept;
        }
        for (size_t k = 0; k < 3; k++)
            guarded_release(&rooms[k]);
    }
}

/* Row i: canonical, or spoilt in one place, too short, too long, or running backwards. */
static void scan(void)
{
    static const size_t PLACES[] = {0, 31, 63, 64, 65, 66, 67, 98};
    for (size_t n = 0; n < MOST; n++) {
        guarded rooms[2];
        uint8_t *text = noise(&rooms[0], n * (TEXT + 1), 1), *blocks = noise(&rooms[1], 16 * n, 1);
        uint8_t canonical[MOST + 1], bytes[16], right[MOST] = {0};
        uint32_t offsets[MOST + 1] = {0};
        memset(canonical, 0xA5, sizeof canonical);
        for (uint32_t i = 0; i < n; i++) {
            uint8_t *row = text + offsets[i];
            uint32_t length = i % 5 == 3 ? TEXT - 1 : i % 5 == 4 ? TEXT + 1 : TEXT;
            memset(row, "0aF9"[i % 4], length);
            memcpy(row + 64, ":0:", 3);
            right[i] = length == TEXT && i % 5 != 2;
            if (i % 5 == 2)
                row[PLACES[i / 5 % 8]] = (uint8_t)"G:/1xg@`"[i / 5 % 8];
            offsets[i + 1] = offsets[i] + length;
        }
        token()->scan(text, offsets, n, blocks, canonical);
        for (size_t i = 0; i < n; i++) {
            CHECK(canonical[i] == right[i]);
            CHECK(!right[i] ||
                  (token()->hex_decode(text + offsets[i] + 67, 16, bytes) && memcmp(blocks + 16 * i, bytes, 16) == 0));
        }
        CHECK(canonical[n] == 0xA5);
        guarded_release(&rooms[0]);
        guarded_release(&rooms[1]);
    }
    static const uint32_t BACKWARDS[2] = {TEXT, 0};
    uint8_t text[TEXT] = {0}, block[16], canonical = 1;
    token()->scan(text, BACKWARDS, 1, block, &canonical);
    CHECK(canonical == 0);
}

/* Blocks of times of every month and of the edges, right and wrong in every nibble. */
static void times(void)
{
    static const uint8_t KEY[16] = {7};
    static const uint8_t RIGHT[16] = {0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x59};
    ehc_sm4_key key;
    ehc_sm4_set_key(&key, KEY);
    for (size_t n = 0; n < MOST; n++) {
        uint8_t blocks[MOST][16], authentic[MOST + 1];
        int64_t at[MOST + 1];
        memset(authentic, 0xA5, sizeof authentic);
        for (size_t i = 0; i < n; i++) {
            memcpy(blocks[i], RIGHT, 16);
            if (i % 3 == 1)
                blocks[i][i / 3 % 16] |= (uint8_t)(i % 2 ? 0xF0 : 0x0F);
            if (i % 3 == 2)
                blocks[i][1] = 0x23; /* 2023 has no 29th of February */
        }
        ehc_sm4_encrypt(&key, blocks[0], blocks[0], n);
        token()->times(key.decrypt, blocks[0], n, at, authentic);
        for (size_t i = 0; i < n; i++) {
            CHECK(authentic[i] == (i % 3 == 0));
            CHECK(at[i] == (i % 3 == 0 ? 1709222399 : 0)); /* 2024-02-29T23:59:59+08:00 */
        }
        CHECK(authentic[n] == 0xA5);
    }
}

/* Every value of every byte of a time, around ends of months, years and centuries, as portable reads it. */
static void times_byte_by_byte(void)
{
    static const uint8_t KEY[16] = {7};
    static const uint8_t AROUND[][7] = {
        {0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x59}, {0x20, 0x23, 0x02, 0x28, 0x00, 0x00, 0x00},
        {0x20, 0x00, 0x02, 0x29, 0x12, 0x34, 0x56}, {0x19, 0x00, 0x03, 0x31, 0x08, 0x09, 0x10},
        {0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00}, {0x99, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59},
        {0x20, 0x26, 0x11, 0x30, 0x19, 0x20, 0x39}, {0x00, 0x04, 0x02, 0x29, 0x10, 0x10, 0x10}};
    enum { PLACES = 9, VALUES = 256, ALL = PLACES * VALUES };
    static uint8_t blocks[ALL][16], authentic[2][ALL];
    static int64_t at[2][ALL];
    ehc_sm4_key key;
    ehc_sm4_set_key(&key, KEY);
    for (size_t k = 0; k < sizeof AROUND / sizeof AROUND[0]; k++) {
        memset(blocks, 0, sizeof blocks);
        for (size_t i = 0; i < ALL; i++) {
            memcpy(blocks[i], AROUND[k], 7);
            blocks[i][i / VALUES] = (uint8_t)i;
        }
        ehc_sm4_encrypt(&key, blocks[0], blocks[0], ALL);
        token()->times(key.decrypt, blocks[0], ALL, at[0], authentic[0]);
        ehc_token_times_portable(key.decrypt, blocks[0], ALL, at[1], authentic[1]);
        CHECK(memcmp(at[0], at[1], sizeof at[0]) == 0);
        CHECK(memcmp(authentic[0], authentic[1], sizeof authentic[0]) == 0);
    }
}

static void many_keys(void)
{
    for (size_t n = 0; n < MOST; n++)
        for (int decrypt = 0; decrypt <= 1; decrypt++) {
            guarded rooms[3];
            uint8_t *keys = noise(&rooms[0], 16 * n, 3), *in = noise(&rooms[1], 16 * n, 4);
            uint8_t *out = noise(&rooms[2], 16 * n, 5), expected[16];
            token()->sm4_many_keys(keys, in, out, n, decrypt);
            for (size_t i = 0; i < n; i++) {
                ehc_sm4_key key;
                ehc_sm4_set_key(&key, keys + 16 * i);
                (decrypt ? ehc_sm4_decrypt : ehc_sm4_encrypt)(&key, in + 16 * i, expected, 1);
                CHECK(memcmp(out + 16 * i, expected, 16) == 0);
            }
            token()->sm4_many_keys(keys, in, in, n, decrypt);
            CHECK(memcmp(in, out, 16 * n) == 0);
            for (size_t k = 0; k < 3; k++)
                guarded_release(&rooms[k]);
        }
}

static void hmac(void)
{
    static const uint8_t KEY[32] = {9};
    uint32_t states[2][8];
    for (size_t pad = 0; pad < 2; pad++) {
        uint8_t block[64];
        ehc_sm3_ctx ctx;
        for (size_t i = 0; i < 64; i++)
            block[i] = (i < 32 ? KEY[i] : 0) ^ (pad ? 0x5C : 0x36);
        ehc_sm3_init(&ctx);
        ehc_sm3_update(&ctx, block, 64);
        memcpy(states[pad], ctx.state, 32);
    }
    for (size_t n = 0; n < MOST; n++) {
        guarded rooms[2];
        uint8_t *messages = noise(&rooms[0], 32 * n, 6), *macs = noise(&rooms[1], 32 * n, 7), expected[32];
        token()->hmac_many(states[0], states[1], messages, n, macs);
        for (size_t i = 0; i < n; i++) {
            ehc_hmac_sm3(KEY, sizeof KEY, messages + 32 * i, 32, expected);
            CHECK(memcmp(macs + 32 * i, expected, 32) == 0);
        }
        guarded_release(&rooms[0]);
        guarded_release(&rooms[1]);
    }
}

void test_token_kernels(void)
{
    hex();
    scan();
    times();
    times_byte_by_byte();
    many_keys();
    hmac();
}
