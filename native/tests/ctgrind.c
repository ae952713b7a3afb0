/* ctgrind.c: secrets are marked undefined, so that valgrind's memcheck reports every branch and every address that
 * depends on one. Run as `valgrind ctgrind TIER`; prints a line "subject reports" each, the last two of which are leaks made
 * on purpose. Exit status 3: valgrind does not show this tier's instruction set to the program.
 *
 * Public, and therefore declassified where it comes out: the verdict on a row's form, the verdict on a token and the time
 * it carries, the result of a comparison, what is written as text. The linker's --wrap puts those places into this file:
 * -Wl,--wrap=NAME of each __wrap_NAME below; ctgrind_public.h has the one that no call shows. */
#include <stdio.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "bound.h"
#include "dispatch.h"
#include "kernels.h"

enum { ROWS = 150, ROW = 120, TEXT = 99 };

static void secret(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void declassify(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

int __real_ehc_row_status(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i);
int __wrap_ehc_row_status(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i);
int __real_ehc_equal(const void *a, const void *b, size_t length);
int __wrap_ehc_equal(const void *a, const void *b, size_t length);
const ehc_tier *__real_ehc_tier_current(void);
const ehc_tier *__wrap_ehc_tier_current(void);

int __wrap_ehc_row_status(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i)
{
    int status = __real_ehc_row_status(data, offsets, id_lengths, i);
    declassify(&status, sizeof status);
    return status;
}

int __wrap_ehc_equal(const void *a, const void *b, size_t length)
{
    int same = __real_ehc_equal(a, b, length);
    declassify(&same, sizeof same);
    return same;
}

void __real_ehc_hex(const uint8_t *data, size_t n, uint8_t *out);
void __wrap_ehc_hex(const uint8_t *data, size_t n, uint8_t *out);

void __wrap_ehc_hex(const uint8_t *data, size_t n, uint8_t *out)
{
    declassify(data, n);
    __real_ehc_hex(data, n, out);
}

void __real_ehc_open_bound(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const uint8_t *blocks, size_t n,
                           ehc_bound *fields, uint8_t *authentic);
void __wrap_ehc_open_bound(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const uint8_t *blocks, size_t n,
                           ehc_bound *fields, uint8_t *authentic);

void __wrap_ehc_open_bound(const ehc_sm4_key *protection_key, const uint8_t *card_ids, const uint8_t *blocks, size_t n,
                           ehc_bound *fields, uint8_t *authentic)
{
    __real_ehc_open_bound(protection_key, card_ids, blocks, n, fields, authentic);
    declassify(fields, n * sizeof *fields);
    declassify(authentic, n);
}

static void compact_write(const uint8_t *messages, const uint8_t *macs, size_t n, uint8_t *texts)
{
    declassify(messages, 32 * n);
    for (size_t i = 0; i < n; i++)
        declassify(macs + 32 * i, 16);
    __real_ehc_tier_current()->token.compact_write(messages, macs, n, texts);
}

static void hex_encode(const uint8_t *data, size_t n, uint8_t *text)
{
    declassify(data, n);
    __real_ehc_tier_current()->token.hex_encode(data, n, text);
}

static void times(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *at, uint8_t *authentic)
{
    __real_ehc_tier_current()->token.times(decrypt, blocks, n, at, authentic);
    declassify(at, n * sizeof *at);
    declassify(authentic, n);
}

const ehc_tier *__wrap_ehc_tier_current(void)
{
    static ehc_tier tier;
    tier = *__real_ehc_tier_current();
    tier.token.times = times;
    tier.token.hex_encode = hex_encode;
    tier.token.compact_write = compact_write;
    return &tier;
}

static const size_t COUNTS[] = {1, 2, 5, 8, 9, 33, 64, 65, ROWS};
enum { COUNT = sizeof COUNTS / sizeof COUNTS[0] };

static ehc_sm4_key secret_key(uint8_t seed)
{
    uint8_t raw[16];
    ehc_sm4_key key;
    memset(raw, seed, sizeof raw);
    secret(raw, sizeof raw);
    ehc_sm4_set_key(&key, raw);
    return key;
}

static void key_schedule(void)
{
    secret_key(0x21);
}

static void sm4(void)
{
    static uint8_t blocks[16 * ROWS];
    ehc_sm4_key key = secret_key(0x12);
    secret(blocks, sizeof blocks);
    for (size_t k = 0; k < COUNT; k++) {
        ehc_sm4_encrypt(&key, blocks, blocks, COUNTS[k]);
        ehc_sm4_decrypt(&key, blocks, blocks, COUNTS[k]);
    }
}

static void sm3(void)
{
    uint8_t message[300], digest[32];
    secret(message, sizeof message);
    for (size_t length = 0; length <= sizeof message; length += 11)
        ehc_sm3(message, length, digest);
}

static void hmac(void)
{
    uint8_t key[100], message[100], mac[32];
    secret(key, sizeof key);
    secret(message, sizeof message);
    for (size_t length = 0; length <= sizeof key; length += 20)
        ehc_hmac_sm3(key, length, message, length, mac);
}

static void equal(void)
{
    uint8_t a[40], b[40];
    memset(a, 1, sizeof a);
    memset(b, 1, sizeof b);
    secret(a, sizeof a);
    secret(b, sizeof b);
    for (size_t length = 0; length <= sizeof a; length++)
        ehc_equal(a, b, length);
}

/* Rows of one, two and more SM3 blocks, every byte of them secret; their lengths are not. */
typedef struct {
    uint8_t data[ROWS * ROW], id_lengths[ROWS], first[ROWS][32], second[ROWS][32], status[ROWS];
    uint32_t offsets[ROWS + 1];
} rows;

static rows *secret_rows(void)
{
    static const uint32_t LENGTHS[] = {3, 35, 55, 56, 90, 119, 120};
    static rows r;
    memset(r.data, 'A', sizeof r.data);
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t length = LENGTHS[i % 7];
        r.offsets[i + 1] = r.offsets[i] + length;
        r.id_lengths[i] = (uint8_t)(length < 32 ? 3 : i % 2 ? 20 : 32);
    }
    secret(r.data, sizeof r.data);
    return &r;
}

static void derive(void)
{
    ehc_sm4_key root = secret_key(0x34);
    rows *r = secret_rows();
    for (size_t k = 0; k < COUNT; k++)
        ehc_derive_batch(&root, r->data, r->offsets, r->id_lengths, COUNTS[k], r->first[0], r->second[0], r->status);
}

static void rekey(void)
{
    ehc_sm4_key old_key = secret_key(0x34), new_key = secret_key(0x35);
    rows *r = secret_rows();
    for (size_t k = 0; k < COUNT; k++)
        ehc_rekey_batch(&old_key, &new_key, r->data, r->offsets, r->id_lengths, COUNTS[k], r->first[0], r->second[0],
                        r->status);
}

/* The text is public, the key and what the block decrypts to are not. One right token among forged ones. */
static void token_check(void)
{
    static const ehc_window WINDOW = {.now = 1516161003, .tolerance = 60, .validity = 300};
    static char texts[ROWS * TEXT + 1];
    static int64_t expiry[ROWS];
    static ehc_checked out;
    static uint8_t status[ROWS];
    uint8_t token[32];
    uint32_t offsets[ROWS + 1] = {0};
    ehc_sm4_key key = secret_key(0x56);
    ehc_make_token(&key, WINDOW.now, token);
    declassify(token, sizeof token);
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(texts + (size_t)i * TEXT, TEXT + 1, "%064u:0:%.32s", i, (const char *)token);
        texts[(size_t)i * TEXT + TEXT - 1] = i % 3 == 0 ? texts[(size_t)i * TEXT + TEXT - 1] : 'A';
        offsets[i + 1] = (i + 1) * TEXT;
    }
    const uint8_t *data = (const uint8_t *)texts;
    for (size_t i = 0; i < 4; i++)
        ehc_check_token(&key, data + offsets[i], TEXT, &WINDOW, &out);
    for (size_t k = 0; k < COUNT; k++)
        ehc_check_batch(&key, data, offsets, COUNTS[k], &WINDOW, expiry, status);
}

/* Card-bound tokens of every third row are right, the others forged. */
static void bound_check(void)
{
    static const ehc_window WINDOW = {.now = 1516161003, .tolerance = 60, .profiles = EHC_PROFILE_BOUND};
    static const ehc_bound FIELDS = {.expiry = 1516161003};
    static char texts[ROWS * TEXT + 1];
    static int64_t expiry[ROWS];
    static ehc_checked out;
    static uint8_t status[ROWS];
    uint8_t token[32], card_id[32];
    uint32_t offsets[ROWS + 1] = {0};
    ehc_sm4_key key = secret_key(0x57);
    memset(card_id, 0x11, sizeof card_id);
    ehc_make_bound(&key, card_id, &FIELDS, token);
    declassify(token, sizeof token);
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(texts + (size_t)i * TEXT, TEXT + 1, "%.64s:0:%.32s",
                 "1111111111111111111111111111111111111111111111111111111111111111", (const char *)token);
        texts[(size_t)i * TEXT + TEXT - 1] = i % 3 == 0 ? texts[(size_t)i * TEXT + TEXT - 1] : 'A';
        offsets[i + 1] = (i + 1) * TEXT;
    }
    const uint8_t *data = (const uint8_t *)texts;
    for (size_t i = 0; i < 4; i++)
        ehc_check_token(&key, data + offsets[i], TEXT, &WINDOW, &out);
    for (size_t k = 0; k < COUNT; k++)
        ehc_check_batch(&key, data, offsets, COUNTS[k], &WINDOW, expiry, status);
}

/* Compact codes made and opened; the mac of two in three is wrong. */
static void compact_check(void)
{
    static ehc_compact codes[ROWS], out;
    static uint8_t texts[ROWS * EHC_COMPACT_LENGTH], status[ROWS];
    static uint64_t account[ROWS];
    static int64_t expiry[ROWS];
    uint32_t offsets[ROWS + 1] = {0};
    uint8_t raw[16];
    size_t at;
    ehc_compact_key key;
    memset(raw, 0x58, sizeof raw);
    secret(raw, sizeof raw);
    ehc_compact_set_key(&key, raw, 1);
    for (uint32_t i = 0; i < ROWS; i++) {
        codes[i].issued_at = EHC_COMPACT_EPOCH + i;
        codes[i].account = i;
        secret(&codes[i].account, sizeof codes[i].account);
        offsets[i + 1] = (i + 1) * EHC_COMPACT_LENGTH;
    }
    ehc_make_compact_batch(&key, codes, ROWS, texts, status);
    for (uint32_t i = 0; i < ROWS; i++)
        texts[offsets[i + 1] - 3] = i % 3 == 0 ? texts[offsets[i + 1] - 3] : '0';
    for (size_t i = 0; i < 4; i++)
        ehc_check_compact(&key, texts + offsets[i], EHC_COMPACT_LENGTH, EHC_COMPACT_EPOCH, 60, &out, expiry, &at);
    for (size_t k = 0; k < COUNT; k++)
        ehc_check_compact_batch(&key, texts, offsets, COUNTS[k], EHC_COMPACT_EPOCH, 60, account, expiry, status);
}

static void token_kernels(void)
{
    static uint8_t keys[16 * ROWS], blocks[16 * ROWS], messages[32 * ROWS], macs[32 * ROWS];
    static uint32_t inner[8], outer[8], decrypt_key[32];
    static uint8_t authentic[ROWS];
    static int64_t at[ROWS];
    const ehc_token_kernels *token = &__real_ehc_tier_current()->token;
    secret(keys, sizeof keys);
    secret(blocks, sizeof blocks);
    secret(messages, sizeof messages);
    secret(inner, sizeof inner);
    secret(outer, sizeof outer);
    secret(decrypt_key, sizeof decrypt_key);
    for (size_t k = 0; k < COUNT; k++) {
        token->sm4_many_keys(keys, blocks, blocks, COUNTS[k], k % 2);
        token->hmac_many(inner, outer, messages, COUNTS[k], macs);
        token->times(decrypt_key, blocks, COUNTS[k], at, authentic);
    }
}

/* The test of the test: both must be reported. */
static volatile unsigned sink;

static void branch_on_a_secret(void)
{
    volatile uint8_t byte = 1;
    secret((const void *)(uintptr_t)&byte, 1);
    if (byte == 1)
        sink++;
}

static void look_up_by_a_secret(void)
{
    static const uint8_t TABLE[256] = {1};
    volatile uint8_t byte = 1;
    secret((const void *)(uintptr_t)&byte, 1);
    sink += TABLE[byte];
}

static const struct {
    const char *name;
    void (*run)(void);
} SUBJECTS[] = {
    {"key_schedule", key_schedule},
    {"sm4", sm4},
    {"sm3", sm3},
    {"hmac", hmac},
    {"equal", equal},
    {"derive", derive},
    {"rekey", rekey},
    {"token_check", token_check},
    {"bound_check", bound_check},
    {"compact_check", compact_check},
    {"token_kernels", token_kernels},
    {"branch_on_a_secret", branch_on_a_secret},
    {"look_up_by_a_secret", look_up_by_a_secret},
};

int main(int argc, char **argv)
{
    if (argc != 2 || !RUNNING_ON_VALGRIND) {
        fprintf(stderr, "run as: valgrind --error-limit=no %s TIER\n", argv[0]);
        return 2;
    }
    int status = ehc_init(argv[1]);
    if (status == EHC_E_TIER_UNSUPPORTED)
        return 3;
    if (status != EHC_OK)
        return 4;
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof SUBJECTS[0]; i++) {
        unsigned before = (unsigned)VALGRIND_COUNT_ERRORS;
        SUBJECTS[i].run();
        printf("%s %u\n", SUBJECTS[i].name, (unsigned)VALGRIND_COUNT_ERRORS - before);
    }
    return 0;
}
