/* compose.h: the jobs composed from what a library offers, as well as that can be done: contexts reused, fixed keys
 * expanded once, all blocks of a group under a fixed key in one call, a hex parser by table. An adapter defines
 *
 *   void sm3(const uint8_t *message, size_t length, uint8_t digest[32]);
 *   void root_encrypt(const uint8_t *in, uint8_t *out, size_t bytes);        under SECURITY_KEY
 *   void protection_decrypt(const uint8_t *in, uint8_t *out, size_t bytes);  under PROTECTION_KEY
 *   void user_key(const uint8_t raw[16]);                                    from now on
 *   void user_encrypt(const uint8_t *in, uint8_t *out, size_t bytes);
 *
 * as static functions, then includes this. */
#ifndef BENCH_COMPOSE_H
#define BENCH_COMPOSE_H

#include "job.h"

enum { TOGETHER = 64 }; /* rows between two bulk calls: their blocks stay in the first-level cache */

static size_t length_of(const job *work, size_t i)
{
    return work->offsets[i + 1] - work->offsets[i];
}

static const uint8_t *item(const job *work, size_t i)
{
    return work->data + work->offsets[i];
}

static size_t group_at(const job *work, size_t first)
{
    return work->items - first < TOGETHER ? work->items - first : TOGETHER;
}

/* SM3, the XOR of its four 8-byte groups beside its complement. */
static void factor_of(const uint8_t *row, size_t length, uint8_t factor[16])
{
    uint8_t digest[32];
    uint64_t part[4], both[2];
    sm3(row, length, digest);
    memcpy(part, digest, 32);
    both[0] = part[0] ^ part[1] ^ part[2] ^ part[3];
    both[1] = ~both[0];
    memcpy(factor, both, 16);
}

static void derive(const job *work, uint8_t *card_ids)
{
    uint8_t factors[16 * TOGETHER], keys[16 * TOGETHER];
    for (size_t first = 0; first < work->items; first += TOGETHER) {
        size_t n = group_at(work, first);
        for (size_t i = 0; i < n; i++)
            factor_of(item(work, first + i), length_of(work, first + i), factors + 16 * i);
        root_encrypt(factors, keys, 16 * n);
        for (size_t i = 0; i < n; i++) {
            uint8_t id[32] = {0};
            memcpy(id, item(work, first + i), work->id_lengths[first + i]);
            user_key(keys + 16 * i);
            user_encrypt(id, card_ids + 32 * (first + i), 32);
        }
    }
}

static uint8_t DIGIT[256]; /* value of a hex digit; 255: none */

static void fill_digits(void)
{
    memset(DIGIT, 255, sizeof DIGIT);
    for (unsigned i = 0; i < 16; i++)
        DIGIT[(uint8_t)"0123456789ABCDEF"[i]] = DIGIT[(uint8_t)"0123456789abcdef"[i]] = (uint8_t)i;
}

static int hex(const uint8_t *digits, size_t bytes, uint8_t *out)
{
    uint8_t bad = 0;
    for (size_t i = 0; i < bytes; i++) {
        uint8_t high = DIGIT[digits[2 * i]], low = DIGIT[digits[2 * i + 1]];
        bad |= high | low;
        out[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return bad < 16;
}

static int parse(const uint8_t *text, size_t length, uint8_t token[16])
{
    uint8_t card_id[32];
    return length == 99 && text[64] == ':' && text[65] == '0' && text[66] == ':' && hex(text, 32, card_id) &&
           hex(text + 67, 16, token);
}

/* A token's plain block: a time in BCD that is not too old, and nine zero bytes. */
static int authentic(const uint8_t block[16])
{
    uint8_t padding = 0, bad = 0;
    for (int i = 7; i < 16; i++)
        padding |= block[i];
    for (int i = 0; i < 7; i++)
        bad |= (uint8_t)((block[i] >> 4) > 9) | (uint8_t)((block[i] & 15) > 9);
    return !padding && !bad && block[2] >= 0x01 && block[2] <= 0x12 && block[3] >= 0x01 && block[3] <= 0x31 &&
           block[4] <= 0x23 && block[5] <= 0x59 && block[6] <= 0x59 && memcmp(block, OLDEST, 7) >= 0;
}

static void check(const job *work, uint8_t *accepted)
{
    uint8_t sealed[16 * TOGETHER] = {0}, opened[16 * TOGETHER];
    for (size_t first = 0; first < work->items; first += TOGETHER) {
        size_t n = group_at(work, first);
        for (size_t i = 0; i < n; i++)
            accepted[first + i] = (uint8_t)parse(item(work, first + i), length_of(work, first + i), sealed + 16 * i);
        protection_decrypt(sealed, opened, 16 * n);
        for (size_t i = 0; i < n; i++)
            accepted[first + i] &= (uint8_t)authentic(opened + 16 * i);
    }
}

static void ecb(const job *work, uint8_t *out)
{
    root_encrypt(work->data, out, 16 * work->items);
}

static void keys(const job *work, uint8_t *block)
{
    static const uint8_t zero[16] = {0};
    for (size_t i = 0; i < work->items; i++)
        user_key(item(work, i));
    user_encrypt(zero, block, 16);
}

static void hash(const job *work, uint8_t *digests)
{
    for (size_t i = 0; i < work->items; i++)
        sm3(item(work, i), length_of(work, i), digests + 32 * i);
}

#define COMPOSED(open) {open, NULL, NULL, derive, check, ecb, keys, hash}

#endif
