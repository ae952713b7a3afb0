/* test_derive.c: the batch against the rule of native/README.md, "Identifiers" spelt out with the single calls; every array between
 * guard pages, so that neither a row's end nor the batch's is overrun. */
#include "check.h"
#include "dispatch.h"
#include "guarded.h"
#include "kernels.h"

enum { MOST = 150 };

static const uint8_t KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
static const uint32_t LENGTHS[] = {3,   20,  35,  54,  55,  56,  57,  63,  64,  65, 100,
                                   118, 119, 120, 127, 128, 183, 184, 247, 248, 600};
enum { KINDS = sizeof LENGTHS / sizeof LENGTHS[0] };

static void derive_alone(const ehc_sm4_key *root, const uint8_t *row, size_t length, size_t id_length,
                         uint8_t mindex[32], uint8_t card_id[32])
{
    uint8_t block[16], id[32] = {0};
    ehc_sm4_key user;
    ehc_sm3(row, length, mindex);
    for (size_t k = 0; k < 8; k++) {
        block[k] = mindex[k] ^ mindex[k + 8] ^ mindex[k + 16] ^ mindex[k + 24];
        block[k + 8] = (uint8_t)(0xFF ^ block[k]);
    }
    ehc_sm4_encrypt(root, block, block, 1);
    ehc_sm4_set_key(&user, block);
    memcpy(id, row, id_length);
    ehc_sm4_encrypt(&user, id, card_id, 2);
}

typedef struct {
    size_t n;
    uint8_t *data, *id_lengths, *mindex, *card_id, *status;
    uint32_t *offsets;
    guarded rooms[6];
} batch;

/* Arrays of n rows of the given lengths, each ending (or, `at_end` 0, beginning) at a guard page. Row i is printable. */
static batch make_batch(size_t n, const uint32_t *lengths, int at_end)
{
    batch b = {.n = n};
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += lengths[i];
    size_t sizes[6] = {total, n, 32 * n, 32 * n, n, 4 * (n + 1)};
    uint8_t *at[6];
    for (size_t k = 0; k < 6; k++) {
        b.rooms[k] = guarded_room(sizes[k]);
        at[k] = at_end ? b.rooms[k].last - sizes[k] : b.rooms[k].first;
    }
    b.data = at[0], b.id_lengths = at[1], b.mindex = at[2], b.card_id = at[3], b.status = at[4];
    b.offsets = (uint32_t *)(void *)at[5];
    uint32_t seed = (uint32_t)(n + total + 1);
    for (size_t i = 0; i < total; i++)
        b.data[i] = (uint8_t)(0x20 + next_byte(&seed) % 0x5F);
    b.offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        b.offsets[i + 1] = b.offsets[i] + lengths[i];
        uint32_t most = lengths[i] < 32 ? lengths[i] : 32;
        b.id_lengths[i] = (uint8_t)(3 + next_byte(&seed) % (most - 2));
    }
    return b;
}

/* Under two keys at once what comes out is what either gives alone; the arrays are written before the call. */
static void check_rekey(const batch *b, const ehc_sm4_key *root, size_t bad)
{
    static uint8_t expected[32 * MOST], old_card_id[32 * MOST], new_card_id[32 * MOST], mindex[32 * MOST], status[MOST];
    static const uint8_t OTHER[16] = {1, 2, 3};
    ehc_sm4_key other;
    ehc_sm4_set_key(&other, OTHER);
    memset(old_card_id, 0xA5, sizeof old_card_id);
    memset(new_card_id, 0xA5, sizeof new_card_id);
    memset(status, 0xA5, sizeof status);
    CHECK(ehc_rekey_batch(root, &other, b->data, b->offsets, b->id_lengths, b->n, old_card_id, new_card_id, status) ==
          bad);
    CHECK(memcmp(status, b->status, b->n) == 0);
    CHECK(memcmp(old_card_id, b->card_id, 32 * b->n) == 0);
    ehc_derive_batch(&other, b->data, b->offsets, b->id_lengths, b->n, mindex, expected, status);
    CHECK(memcmp(new_card_id, expected, 32 * b->n) == 0);
}

static size_t run(batch *b, const ehc_sm4_key *root)
{
    memset(b->mindex, 0xA5, 32 * b->n);
    memset(b->card_id, 0xA5, 32 * b->n);
    memset(b->status, 0xA5, b->n);
    size_t bad = ehc_derive_batch(root, b->data, b->offsets, b->id_lengths, b->n, b->mindex, b->card_id, b->status);
    check_rekey(b, root, bad);
    return bad;
}

/* Every row is right, or refused with its status and zeros. */
static void check_rows(const batch *b, const ehc_sm4_key *root, const uint8_t *expected_status)
{
    static const uint8_t ZEROS[32];
    for (size_t i = 0; i < b->n; i++) {
        uint8_t mindex[32] = {0}, card_id[32] = {0};
        CHECK(b->status[i] == expected_status[i]);
        if (expected_status[i] == EHC_OK)
            derive_alone(root, b->data + b->offsets[i], b->offsets[i + 1] - b->offsets[i], b->id_lengths[i], mindex,
                         card_id);
        CHECK(memcmp(b->mindex + 32 * i, expected_status[i] == EHC_OK ? mindex : ZEROS, 32) == 0);
        CHECK(memcmp(b->card_id + 32 * i, expected_status[i] == EHC_OK ? card_id : ZEROS, 32) == 0);
    }
}

static void release(batch *b)
{
    for (size_t k = 0; k < 6; k++)
        guarded_release(&b->rooms[k]);
}

static const uint8_t NONE_BAD[MOST];

/* All rows of one length, any number of rows. */
static void sizes(const ehc_sm4_key *root)
{
    uint32_t lengths[MOST];
    for (size_t n = 0; n < MOST; n++) {
        for (size_t i = 0; i < n; i++)
            lengths[i] = LENGTHS[n % KINDS];
        batch b = make_batch(n, lengths, 1);
        CHECK(run(&b, root) == 0);
        check_rows(&b, root, NONE_BAD);
        release(&b);
    }
}

/* Lengths mixed, so that every bucket fills and the last row is of every length. */
static void mixtures(const ehc_sm4_key *root)
{
    uint32_t lengths[MOST], seed = 3;
    for (size_t last = 0; last < KINDS; last++) {
        for (size_t i = 0; i < MOST; i++)
            lengths[i] = LENGTHS[next_byte(&seed) % KINDS];
        lengths[MOST - 1] = LENGTHS[last];
        batch b = make_batch(MOST, lengths, last % 2 == 0);
        CHECK(run(&b, root) == 0);
        check_rows(&b, root, NONE_BAD);
        release(&b);
    }
}

/* One bad row at each place of a batch of n rows: of every kind at its ends, of each in turn between them. */
static void bad_rows(const ehc_sm4_key *root, size_t n)
{
    uint32_t lengths[MOST];
    for (size_t i = 0; i < n; i++)
        lengths[i] = LENGTHS[i % KINDS] < 33 ? 40 : LENGTHS[i % KINDS];
    for (uint8_t kind = EHC_ROW_ID_SHORT; kind <= EHC_ROW_OFFSETS; kind++)
        for (size_t at = 0; at < n; at++) {
            if (at != 0 && at != n - 1 && (at - kind) % 4 != 0)
                continue;
            uint8_t status[MOST] = {0};
            batch b = make_batch(n, lengths, 1);
            status[at] = kind;
            if (kind == EHC_ROW_ID_SHORT)
                b.id_lengths[at] = (uint8_t)(at % 3);
            else if (kind == EHC_ROW_ID_LONG)
                b.id_lengths[at] = 33;
            else if (kind == EHC_ROW_ID_CHARACTER)
                b.data[b.offsets[at] + b.id_lengths[at] - 1] = at / 4 % 2 ? 0x1F : 0x7F;
            else
                b.id_lengths[at] = (uint8_t)(b.offsets[at + 1] - b.offsets[at] < 255 ? 255 : 0);
            if (kind == EHC_ROW_OFFSETS && b.id_lengths[at] == 0)
                status[at] = EHC_ROW_ID_SHORT;
            CHECK(run(&b, root) == 1);
            check_rows(&b, root, status);
            release(&b);
        }
}

/* Offsets that run backwards spoil their row only; rows may overlap. */
static void backward_offsets(const ehc_sm4_key *root)
{
    static const uint8_t EXPECTED[4] = {EHC_OK, EHC_ROW_OFFSETS, EHC_OK, EHC_OK};
    static const uint32_t LENGTH[4] = {50, 50, 50, 50};
    batch b = make_batch(4, LENGTH, 1);
    uint32_t offsets[5] = {0, 150, 40, 100, 200};
    memcpy(b.offsets, offsets, sizeof offsets);
    CHECK(run(&b, root) == 1);
    check_rows(&b, root, EXPECTED);
    release(&b);
}

/* The data end where the last offset says; rows that lie behind it are read to their own ends only. */
static void rows_behind_the_last_offset(const ehc_sm4_key *root)
{
    static const uint8_t EXPECTED[4] = {EHC_OK, EHC_OK, EHC_OK, EHC_ROW_OFFSETS};
    static const uint32_t LENGTH[4] = {50, 50, 50, 50};
    batch b = make_batch(4, LENGTH, 1);
    uint32_t offsets[5] = {0, 50, 100, 200, 20};
    memcpy(b.offsets, offsets, sizeof offsets);
    CHECK(run(&b, root) == 1);
    check_rows(&b, root, EXPECTED);
    release(&b);
}

/* The way for few rows takes any number of them. */
static void many_rows_by_the_way_for_few(const ehc_sm4_key *root)
{
    uint32_t lengths[MOST];
    for (size_t i = 0; i < MOST; i++)
        lengths[i] = 40;
    batch b = make_batch(MOST, lengths, 1);
    CHECK(ehc_tier_current()->derive_few(root->encrypt, b.data, b.offsets, b.id_lengths, MOST, b.mindex, b.card_id,
                                         b.status) == 0);
    check_rows(&b, root, NONE_BAD);
    release(&b);
}

/* The specification's sample person. */
static void sample_person(const ehc_sm4_key *root)
{
    static const char ROW[] = "0111010020171225006X电子健康卡";
    const uint32_t offsets[2] = {0, sizeof ROW - 1};
    uint8_t mindex[32], card_id[32], status, id_length = 20;
    char text[65] = {0};
    CHECK(ehc_derive_batch(root, (const uint8_t *)ROW, offsets, &id_length, 1, mindex, card_id, &status) == 0);
    ehc_hex(mindex, 32, (uint8_t *)text);
    CHECK(strcmp(text, "ABD17E7ED399EF68AB5660155D6E226D2C92EAC3254A4A66BED83AED0ADA1E9E") == 0);
    ehc_hex(card_id, 32, (uint8_t *)text);
    CHECK(strcmp(text, "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928") == 0);
}

/* Lines of CSV: numbers of every length, an id of 16 bytes, a row without a card. */
static void card_lines(void)
{
    static const int64_t NUMBERS[3] = {0, 5, INT64_MAX};
    static const uint8_t LENGTHS_OF_IDS[3] = {16, 0, 32};
    static const char SIXTEEN[] = "0101010101010101"
                                  "0101010101010101";
    uint8_t ids[3 * 32];
    char out[3 * EHC_CARD_LINE], expected[3 * EHC_CARD_LINE + 1];
    memset(ids, 1, sizeof ids);
    for (int with_mindex = 0; with_mindex < 2; with_mindex++) {
        char mindex[66] = "";
        if (with_mindex)
            snprintf(mindex, sizeof mindex, ",%s%s", SIXTEEN, SIXTEEN);
        int length = snprintf(expected, sizeof expected, "0%s,%s\n9223372036854775807%s,%s%s\n", mindex, SIXTEEN,
                              mindex, SIXTEEN, SIXTEEN);
        size_t written = ehc_card_lines(NUMBERS, with_mindex ? ids : NULL, ids, LENGTHS_OF_IDS, 3, (uint8_t *)out);
        CHECK(written == (size_t)length);
        CHECK(memcmp(out, expected, (size_t)length) == 0);
    }
}

void test_derive(void)
{
    ehc_sm4_key root;
    ehc_sm4_set_key(&root, KEY);
    sample_person(&root);
    card_lines();
    sizes(&root);
    mixtures(&root);
    bad_rows(&root, 70);
    bad_rows(&root, EHC_FEW);
    backward_offsets(&root);
    rows_behind_the_last_offset(&root);
    many_rows_by_the_way_for_few(&root);
}
