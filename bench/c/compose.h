/* compose.h: the jobs composed from what a library offers, as well as that can be done: contexts reused, fixed keys
 * expanded once, all blocks of a group under a fixed key in one call, hex and base45 by table. An adapter defines
 *
 *   void sm3(const uint8_t *message, size_t length, uint8_t digest[32]);
 *   void mac(const uint8_t message[32], uint8_t digest[32]);       HMAC-SM3 under MAC_KEY, its pads done once if possible
 *   int set_key(int slot, const uint8_t raw[16], int encrypt);     0 when it is set
 *   void crypt(int slot, const uint8_t *in, uint8_t *out, size_t bytes);
 *
 * as static functions, then includes this and exports COMPOSED(open). Built with -DWITH_LANES it exports a second
 * contender, whose hashes go through the lanes of isa-l_crypto: the best of both breeds, a group at a time. */
#ifndef BENCH_COMPOSE_H
#define BENCH_COMPOSE_H

#include "job.h"
#include "slots.h"
#ifdef WITH_LANES
#include "isal_lanes.h"
#endif

enum { MOST_TOGETHER = 64 };            /* rows between two bulk calls: their blocks stay in the first-level cache */
static size_t together = MOST_TOGETHER; /* 1: a call an item */
static int in_lanes;

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
    return work->items - first < together ? work->items - first : together;
}

static int open_keys(void)
{
    return set_key(ROOT, SECURITY_KEY, 1) || set_key(SEAL, PROTECTION_KEY, 1) || set_key(OPEN, PROTECTION_KEY, 0) ||
           set_key(ALIAS, ALIAS_KEY, 1) || set_key(UNALIAS, ALIAS_KEY, 0) || set_key(USER, SECURITY_KEY, 1);
}

static void sm3_of_rows(const job *work, size_t first, size_t n, uint8_t *digests)
{
#ifdef WITH_LANES
    const uint8_t *rows[MOST_TOGETHER];
    size_t lengths[MOST_TOGETHER];
    for (size_t i = 0; in_lanes && i < n; i++)
        rows[i] = item(work, first + i), lengths[i] = length_of(work, first + i);
    if (in_lanes) {
        lanes_sm3(rows, lengths, n, digests);
        return;
    }
#endif
    for (size_t i = 0; i < n; i++)
        sm3(item(work, first + i), length_of(work, first + i), digests + 32 * i);
}

static void macs_of(const uint8_t *messages, size_t n, uint8_t *macs)
{
#ifdef WITH_LANES
    if (in_lanes) {
        lanes_mac(messages, n, macs);
        return;
    }
#endif
    for (size_t i = 0; i < n; i++)
        mac(messages + 32 * i, macs + 32 * i);
}

/* ---- derivation ---- */

/* The XOR of the four 8-byte groups beside its complement. */
static void fold(const uint8_t bytes[32], uint8_t factor[16])
{
    uint64_t part[4], both[2];
    memcpy(part, bytes, 32);
    both[0] = part[0] ^ part[1] ^ part[2] ^ part[3];
    both[1] = ~both[0];
    memcpy(factor, both, 16);
}

static void card_ids_under(int slot, const job *work, size_t first, size_t n, const uint8_t *factors, uint8_t *card_ids)
{
    uint8_t keys[16 * MOST_TOGETHER];
    crypt(slot, factors, keys, 16 * n);
    for (size_t i = 0; i < n; i++) {
        uint8_t id[32] = {0};
        memcpy(id, item(work, first + i), work->id_lengths[first + i]);
        set_key(USER, keys + 16 * i, 1);
        crypt(USER, id, card_ids + 32 * (first + i), 32);
    }
}

static void factors_of(const job *work, size_t first, size_t n, uint8_t *factors)
{
    uint8_t digests[32 * MOST_TOGETHER];
    sm3_of_rows(work, first, n, digests);
    for (size_t i = 0; i < n; i++)
        fold(digests + 32 * i, factors + 16 * i);
}

static void derive(const job *work, uint8_t *card_ids)
{
    uint8_t factors[16 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        factors_of(work, first, n, factors);
        card_ids_under(ROOT, work, first, n, factors, card_ids);
    }
}

static void rekey(const job *work, uint8_t *card_ids)
{
    uint8_t factors[16 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        factors_of(work, first, n, factors);
        card_ids_under(ROOT, work, first, n, factors, card_ids);
        card_ids_under(SEAL, work, first, n, factors, card_ids + 32 * work->items);
    }
}

/* ---- text ---- */

static const char DIGITS[] = "0123456789ABCDEF";
static const char BASE45[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
static uint8_t DIGIT[256], VALUE[256]; /* of a hex digit, of a base45 character; 255: none */

static void fill_tables(void)
{
    memset(DIGIT, 255, sizeof DIGIT);
    memset(VALUE, 255, sizeof VALUE);
    for (unsigned i = 0; i < 16; i++)
        DIGIT[(uint8_t)DIGITS[i]] = DIGIT[(uint8_t)"0123456789abcdef"[i]] = (uint8_t)i;
    for (unsigned i = 0; i < 45; i++)
        VALUE[(uint8_t)BASE45[i]] = (uint8_t)i;
}

static int unhex_of(const uint8_t *digits, size_t bytes, uint8_t *out)
{
    uint8_t bad = 0;
    for (size_t i = 0; i < bytes; i++) {
        uint8_t high = DIGIT[digits[2 * i]], low = DIGIT[digits[2 * i + 1]];
        bad |= high | low;
        out[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return bad < 16;
}

static void hex_of(const uint8_t *bytes, size_t n, uint8_t *digits)
{
    for (size_t i = 0; i < n; i++)
        digits[2 * i] = (uint8_t)DIGITS[bytes[i] >> 4], digits[2 * i + 1] = (uint8_t)DIGITS[bytes[i] & 15];
}

static int unbase45_of(const uint8_t *text, size_t groups, uint8_t *out)
{
    unsigned bad = 0;
    for (size_t i = 0; i < groups; i++) {
        unsigned a = VALUE[text[3 * i]], b = VALUE[text[3 * i + 1]], c = VALUE[text[3 * i + 2]];
        unsigned group = a + 45 * b + 2025 * c;
        bad |= (unsigned)(a > 44) | (unsigned)(b > 44) | (unsigned)(c > 44) | (group >> 16);
        out[2 * i] = (uint8_t)(group >> 8), out[2 * i + 1] = (uint8_t)group;
    }
    return bad == 0;
}

static void base45_of(const uint8_t *data, size_t groups, uint8_t *text)
{
    for (size_t i = 0; i < groups; i++) {
        unsigned group = (unsigned)(data[2 * i] << 8 | data[2 * i + 1]);
        text[3 * i] = (uint8_t)BASE45[group % 45];
        text[3 * i + 1] = (uint8_t)BASE45[group / 45 % 45];
        text[3 * i + 2] = (uint8_t)BASE45[group / 2025];
    }
}

static int parse(const uint8_t *text, size_t length, uint8_t card_id[32], uint8_t token[16])
{
    return length == 99 && text[64] == ':' && text[65] == '0' && text[66] == ':' && unhex_of(text, 32, card_id) &&
           unhex_of(text + 67, 16, token);
}

/* ---- national and card-bound tokens ---- */

/* Seven BCD bytes that say a time. */
static int a_time(const uint8_t bcd[7])
{
    uint8_t bad = 0;
    for (int i = 0; i < 7; i++)
        bad |= (uint8_t)((bcd[i] >> 4) > 9) | (uint8_t)((bcd[i] & 15) > 9);
    return !bad && bcd[2] >= 0x01 && bcd[2] <= 0x12 && bcd[3] >= 0x01 && bcd[3] <= 0x31 && bcd[4] <= 0x23 &&
           bcd[5] <= 0x59 && bcd[6] <= 0x59;
}

static void time_to_bcd(int64_t seconds, uint8_t bcd[7])
{
    int64_t local = seconds + 8 * 3600, days = local / 86400, rest = local % 86400;
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097; /* the days of four centuries */
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
    const int64_t parts[7] = {year / 100,  year % 100,     month,    doy - (153 * mp + 2) / 5 + 1,
                              rest / 3600, rest / 60 % 60, rest % 60};
    for (int i = 0; i < 7; i++)
        bcd[i] = (uint8_t)(parts[i] / 10 << 4 | parts[i] % 10);
}

/* A national token's plain block: a time that is not too old, and nine zero bytes. */
static int authentic(const uint8_t block[16])
{
    uint8_t padding = 0;
    for (int i = 7; i < 16; i++)
        padding |= block[i];
    return !padding && a_time(block) && memcmp(block, OLDEST, 7) >= 0;
}

static void check(const job *work, uint8_t *accepted)
{
    uint8_t sealed[16 * MOST_TOGETHER] = {0}, opened[16 * MOST_TOGETHER], card_id[32];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        for (size_t i = 0; i < n; i++)
            accepted[first + i] =
                (uint8_t)parse(item(work, first + i), length_of(work, first + i), card_id, sealed + 16 * i);
        crypt(OPEN, sealed, opened, 16 * n);
        for (size_t i = 0; i < n; i++)
            accepted[first + i] &= (uint8_t)authentic(opened + 16 * i);
    }
}

/* A card-bound token's plain block: E1, a time, key version 1, channel and scene, sequence, three zero bytes. */
static int bound_authentic(const uint8_t block[16])
{
    return block[0] == 0xE1 && block[8] == 1 && (block[13] | block[14] | block[15]) == 0 && a_time(block + 1) &&
           memcmp(block + 1, OLDEST, 7) >= 0;
}

static void bound(const job *work, uint8_t *accepted)
{
    uint8_t sealed[16 * MOST_TOGETHER] = {0}, factors[16 * MOST_TOGETHER] = {0}, keys[16 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        for (size_t i = 0; i < n; i++) {
            uint8_t card_id[32] = {0};
            accepted[first + i] =
                (uint8_t)parse(item(work, first + i), length_of(work, first + i), card_id, sealed + 16 * i);
            fold(card_id, factors + 16 * i);
        }
        crypt(SEAL, factors, keys, 16 * n);
        for (size_t i = 0; i < n; i++) {
            uint8_t block[16];
            set_key(USER, keys + 16 * i, 0);
            crypt(USER, sealed + 16 * i, block, 16);
            accepted[first + i] &= (uint8_t)bound_authentic(block);
        }
    }
}

static void make(const job *work, uint8_t *texts)
{
    uint8_t blocks[16 * MOST_TOGETHER], sealed[16 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        memset(blocks, 0, sizeof blocks);
        for (size_t i = 0; i < n; i++) {
            int64_t time;
            memcpy(&time, item(work, first + i), sizeof time);
            time_to_bcd(time, blocks + 16 * i);
        }
        crypt(SEAL, blocks, sealed, 16 * n);
        hex_of(sealed, 16 * n, texts + 32 * first);
    }
}

static void make_bound(const job *work, uint8_t *texts)
{
    uint8_t factors[16 * MOST_TOGETHER], keys[16 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        for (size_t i = 0; i < n; i++)
            fold(work->more + 32 * (first + i), factors + 16 * i);
        crypt(SEAL, factors, keys, 16 * n);
        for (size_t i = 0; i < n; i++) {
            uint8_t block[16] = {0xE1}, sealed[16];
            bound_fields of;
            memcpy(&of, item(work, first + i), sizeof of);
            time_to_bcd(of.expiry, block + 1);
            block[8] = of.key_version, block[9] = (uint8_t)(of.channel << 4 | of.scene);
            block[10] = (uint8_t)(of.sequence >> 16), block[11] = (uint8_t)(of.sequence >> 8);
            block[12] = (uint8_t)of.sequence;
            set_key(USER, keys + 16 * i, 1);
            crypt(USER, block, sealed, 16);
            hex_of(sealed, 16, texts + 32 * (first + i));
        }
    }
}

/* ---- compact codes ---- */

static const int64_t LIFETIME[8] = {30, 60, 120, 300, 3600, 86400, 30 * 86400, INT64_MAX / 2};

/* Of an authentic code: the alias opens to the day of issue, and the code is neither early nor too old. */
static int compact_in_time(const uint8_t header[16], const uint8_t alias[16])
{
    uint32_t issued = (uint32_t)header[6] << 24 | (uint32_t)header[7] << 16 | (uint32_t)header[8] << 8 | header[9];
    uint32_t day = (uint32_t)alias[8] << 24 | (uint32_t)alias[9] << 16 | (uint32_t)alias[10] << 8 | alias[11];
    int64_t at = COMPACT_EPOCH + (int64_t)issued;
    return day == issued / 86400 && (alias[12] | alias[13] | alias[14] | alias[15]) == 0 &&
           at <= COMPACT_NOW + TOLERANCE && COMPACT_NOW - TOLERANCE <= at + LIFETIME[header[5] >> 5];
}

static void compact(const job *work, uint8_t *accepted)
{
    uint8_t raw[48 * MOST_TOGETHER] = {0}, signed_part[32 * MOST_TOGETHER], macs[32 * MOST_TOGETHER];
    uint8_t aliases[16 * MOST_TOGETHER], opened[16 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        for (size_t i = 0; i < n; i++) {
            const uint8_t *text = item(work, first + i);
            accepted[first + i] =
                (uint8_t)(length_of(work, first + i) == 77 && memcmp(text, "EHC2:", 5) == 0 &&
                          unbase45_of(text + 5, 24, raw + 48 * i) && raw[48 * i] == 0x21 && raw[48 * i + 4] == 1);
            memcpy(signed_part + 32 * i, raw + 48 * i, 32);
            memcpy(aliases + 16 * i, raw + 48 * i + 16, 16);
        }
        macs_of(signed_part, n, macs);
        crypt(UNALIAS, aliases, opened, 16 * n);
        for (size_t i = 0; i < n; i++)
            accepted[first + i] &= (uint8_t)(memcmp(macs + 32 * i, raw + 48 * i + 32, 16) == 0 &&
                                             compact_in_time(raw + 48 * i, opened + 16 * i));
    }
}

static void big_endian(uint64_t value, int bytes, uint8_t *out)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void make_compact(const job *work, uint8_t *texts)
{
    uint8_t plain[16 * MOST_TOGETHER], aliases[16 * MOST_TOGETHER];
    uint8_t signed_part[32 * MOST_TOGETHER], macs[32 * MOST_TOGETHER];
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        memset(plain, 0, sizeof plain);
        for (size_t i = 0; i < n; i++) {
            compact_fields of;
            uint8_t *header = signed_part + 32 * i;
            memcpy(&of, item(work, first + i), sizeof of);
            uint32_t issued = (uint32_t)(of.issued_at - COMPACT_EPOCH);
            header[0] = 0x21, header[4] = of.key_version, header[5] = (uint8_t)(of.ttl << 5 | of.channel);
            big_endian((uint64_t)of.issuer << 4 | of.node, 3, header + 1);
            big_endian(issued, 4, header + 6);
            big_endian(of.serial, 6, header + 10);
            big_endian(of.account, 8, plain + 16 * i);
            big_endian(issued / 86400, 4, plain + 16 * i + 8);
        }
        crypt(ALIAS, plain, aliases, 16 * n);
        for (size_t i = 0; i < n; i++)
            memcpy(signed_part + 32 * i + 16, aliases + 16 * i, 16);
        macs_of(signed_part, n, macs);
        for (size_t i = 0; i < n; i++) {
            uint8_t *text = texts + 77 * (first + i);
            memcpy(text, "EHC2:", 5);
            base45_of(signed_part + 32 * i, 16, text + 5);
            base45_of(macs + 32 * i, 8, text + 53);
        }
    }
}

/* ---- primitives ---- */

static void ecb(const job *work, uint8_t *out)
{
    crypt(ROOT, work->data, out, 16 * work->items);
}

static void keys(const job *work, uint8_t *block)
{
    static const uint8_t zero[16] = {0};
    for (size_t i = 0; i < work->items; i++)
        set_key(USER, item(work, i), 1);
    crypt(USER, zero, block, 16);
}

static void hash(const job *work, uint8_t *digests)
{
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        sm3_of_rows(work, first, n, digests + 32 * first);
    }
}

static void macs(const job *work, uint8_t *out)
{
    for (size_t first = 0, n; first < work->items; first += n) {
        n = group_at(work, first);
        macs_of(work->data + 32 * first, n, out + 32 * first);
    }
}

#define ONE_AT_A_TIME(function)                                  \
    static void function##_one(const job *work, uint8_t *answer) \
    {                                                            \
        together = 1;                                            \
        function(work, answer);                                  \
        together = MOST_TOGETHER;                                \
    }
ONE_AT_A_TIME(check)
ONE_AT_A_TIME(bound)
ONE_AT_A_TIME(compact)
ONE_AT_A_TIME(make)
ONE_AT_A_TIME(make_bound)
ONE_AT_A_TIME(make_compact)

#define COMPOSED(open)                                                                                                \
    {                                                                                                                 \
        open, NULL, NULL,                                                                                             \
        {                                                                                                             \
            {"derive", derive}, {"rekey", rekey}, {"check", check}, {"check_one", check_one}, {"bound", bound},       \
                {"bound_one", bound_one}, {"compact", compact}, {"compact_one", compact_one}, {"make", make},         \
                {"make_one", make_one}, {"make_bound", make_bound}, {"make_bound_one", make_bound_one},               \
                {"make_compact", make_compact}, {"make_compact_one", make_compact_one}, {"ecb", ecb}, {"keys", keys}, \
                {"hash", hash}, {"mac", macs},                                                                        \
            {                                                                                                         \
                NULL, NULL                                                                                            \
            }                                                                                                         \
        }                                                                                                             \
    }

#ifdef WITH_LANES
#define IN_LANES(function)                                            \
    static void function##_in_lanes(const job *work, uint8_t *answer) \
    {                                                                 \
        in_lanes = 1;                                                 \
        function(work, answer);                                       \
        in_lanes = 0;                                                 \
    }
IN_LANES(derive)
IN_LANES(rekey)
IN_LANES(compact)
IN_LANES(make_compact)

/* Opened after CONTENDER, so the library is there. */
static const char *open_lanes(void)
{
    static char name[96];
    strncat(name, CONTENDER.open(), 40);
    strncat(name, " + isa-l_crypto", 40);
    return lanes_open() == 0 ? name : NULL;
}

EXPORT const contender BATCHED = {open_lanes,
                                  NULL,
                                  NULL,
                                  {{"derive", derive_in_lanes},
                                   {"rekey", rekey_in_lanes},
                                   {"compact", compact_in_lanes},
                                   {"make_compact", make_compact_in_lanes},
                                   {NULL, NULL}}};
#endif

#endif
