/* fuzz_batch.c: any offsets, lengths and bytes as a batch of persons, of payloads and of compact codes, on any tier: as the
 * portable tier and as single calls say. The first byte chooses the tier, the second the number of rows; then each row
 * has two bytes (its end in the data, forwards or backwards; the length of its id), and the data follow. */
#include "fuzz.h"

enum { MOST = 200, KEY = 16 };

typedef struct {
    size_t n, size;
    uint8_t *data, *id_lengths;
    uint32_t *offsets;
} batch;

static batch take_batch(fuzz_input *in)
{
    batch b = {.n = fuzz_byte(in) % MOST};
    unsigned ends[MOST];
    b.id_lengths = fuzz_room(b.n);
    b.offsets = fuzz_room((b.n + 1) * sizeof *b.offsets);
    for (size_t i = 0; i < b.n; i++) {
        ends[i] = fuzz_byte(in);
        b.id_lengths[i] = (uint8_t)fuzz_byte(in);
    }
    b.size = in->left;
    b.data = fuzz_room(b.size);
    if (b.size > 0)
        memcpy(b.data, in->at, b.size);
    int64_t at = 0;
    b.offsets[0] = 0;
    for (size_t i = 0; i < b.n; i++) {
        at += ends[i] < 224 ? ends[i] : (int)ends[i] - 256; /* some run backwards */
        at = at<0 ? 0 : at>(int64_t) b.size ? (int64_t)b.size : at;
        b.offsets[i + 1] = (uint32_t)at;
    }
    return b;
}

typedef struct {
    uint8_t *first, *second, *status;
    size_t bad;
} ids;

static ids room_for_ids(size_t n)
{
    ids r = {fuzz_room(32 * n), fuzz_room(32 * n), fuzz_room(n), 0};
    memset(r.first, 0xA5, 32 * n);
    memset(r.second, 0xA5, 32 * n);
    memset(r.status, 0xA5, n);
    return r;
}

static void free_ids(ids *r)
{
    free(r->first);
    free(r->second);
    free(r->status);
}

static void expect_same(const ids *a, const ids *b, size_t n)
{
    EXPECT(a->bad == b->bad);
    EXPECT(memcmp(a->status, b->status, n) == 0);
    EXPECT(memcmp(a->first, b->first, 32 * n) == 0);
    EXPECT(memcmp(a->second, b->second, 32 * n) == 0);
}

static ids derive(const batch *b, const uint8_t raw[KEY])
{
    ids r = room_for_ids(b->n);
    ehc_sm4_key root;
    ehc_sm4_set_key(&root, raw);
    r.bad = ehc_derive_batch(&root, b->data, b->offsets, b->id_lengths, b->n, r.first, r.second, r.status);
    return r;
}

static ids rekey(const batch *b, const uint8_t raw[KEY])
{
    static const uint8_t OTHER[KEY] = {1};
    ids r = room_for_ids(b->n);
    ehc_sm4_key old_key, new_key;
    ehc_sm4_set_key(&old_key, raw);
    ehc_sm4_set_key(&new_key, OTHER);
    r.bad = ehc_rekey_batch(&old_key, &new_key, b->data, b->offsets, b->id_lengths, b->n, r.first, r.second, r.status);
    return r;
}

static void compare_tiers(const batch *b, unsigned tier, ids (*make)(const batch *, const uint8_t[KEY]))
{
    static const uint8_t RAW[KEY] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                     0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
    fuzz_tier(tier);
    ids found = make(b, RAW);
    EXPECT(ehc_init("portable") == EHC_OK);
    ids expected = make(b, RAW);
    expect_same(&found, &expected, b->n);
    free_ids(&found);
    free_ids(&expected);
}

/* Each row of a batch of payloads as it is alone. */
static void check_payloads(const batch *b, unsigned tier)
{
    static const uint8_t RAW[KEY] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                     0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    const ehc_window window = {.now = 1516161003, .tolerance = 60, .validity = 300, .profiles = tier >> 6};
    int64_t *expiry = fuzz_room(b->n * sizeof *expiry);
    ehc_checked one;
    uint8_t *status = fuzz_room(b->n);
    size_t refused = 0;
    ehc_sm4_key key;
    fuzz_tier(tier);
    ehc_sm4_set_key(&key, RAW);
    size_t found = ehc_check_batch(&key, b->data, b->offsets, b->n, &window, expiry, status);
    EXPECT(ehc_init("portable") == EHC_OK);
    for (size_t i = 0; i < b->n; i++) {
        size_t length = b->offsets[i + 1] < b->offsets[i] ? 0 : b->offsets[i + 1] - b->offsets[i];
        EXPECT(status[i] == ehc_check_token(&key, b->data + b->offsets[i], length, &window, &one));
        EXPECT(expiry[i] == one.expiry);
        refused += status[i] != EHC_OK;
    }
    EXPECT(found == refused);
    free(expiry);
    free(status);
}

static void check_compact_codes(const batch *b, unsigned tier)
{
    static const uint8_t RAW[KEY] = {0x11};
    int64_t *expiry = fuzz_room(b->n * sizeof *expiry), end;
    uint64_t *account = fuzz_room(b->n * sizeof *account);
    uint8_t *status = fuzz_room(b->n);
    size_t refused = 0, at;
    ehc_compact_key key;
    ehc_compact one;
    fuzz_tier(tier);
    ehc_compact_set_key(&key, RAW, 1);
    size_t found = ehc_check_compact_batch(&key, b->data, b->offsets, b->n, 0, 0, account, expiry, status);
    for (size_t i = 0; i < b->n; i++) {
        size_t length = b->offsets[i + 1] < b->offsets[i] ? 0 : b->offsets[i + 1] - b->offsets[i];
        EXPECT(status[i] == ehc_check_compact(&key, b->data + b->offsets[i], length, 0, 0, &one, &end, &at));
        EXPECT(expiry[i] == end && account[i] == one.account);
        refused += status[i] != EHC_OK;
    }
    EXPECT(found == refused);
    free(expiry);
    free(account);
    free(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    unsigned tier = fuzz_byte(&in);
    batch b = take_batch(&in);
    compare_tiers(&b, tier, derive);
    compare_tiers(&b, tier, rekey);
    check_payloads(&b, tier);
    check_compact_codes(&b, tier);
    free(b.data);
    free(b.id_lengths);
    free(b.offsets);
    return 0;
}
