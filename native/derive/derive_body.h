/* derive_body.h: batch derivation across lanes, written once. Include a lanes_<isa>.h, define STREAMS and DERIVE, then
 * include sm3_lanes_body.h, sm4_lanes_body.h and this.
 *
 * Rows are put into buckets by the number of their SM3 blocks, so that every lane of a group does the same work. A
 * full bucket is a group of LANES·STREAMS rows: staged into padded blocks, transposed into lanes, hashed, folded,
 * diversified, scheduled and encrypted without leaving L1, and stored at each row's own place. */
#include "sm4_words_body.h"

enum { GROUP = LANES * STREAMS, BUCKETS = 3, LONG = 0 }; /* bucket 1: one block; 2: two; LONG: more, hashed alone */

typedef struct {
    uint32_t row[GROUP];
    size_t count;
} bucket;

typedef struct {
    const uint8_t *data;
    const uint32_t *offsets;
    const uint8_t *id_lengths;
    uint32_t end; /* data is readable up to here */
    uint8_t *mindex, *card_id;
    bucket buckets[BUCKETS];
    uint8_t message[GROUP][128];   /* padded SM3 blocks */
    uint8_t id[GROUP][32];         /* padded id_type ‖ id_number */
    uint8_t spare[32];             /* where idle lanes store */
    sm4_uniform_key root[32];      /* the security key's round keys */
    sm4_uniform_key constants[32]; /* of the key schedule */
    vec digest[8][STREAMS];
    vec round_keys[32][STREAMS];
} batch;

/* The first `length` bytes at `from`, then zeros up to `room` (a multiple of 32). Reads whole vectors where the
 * batch's data allows it. */
static inline void stage(uint8_t *to, const uint8_t *from, size_t length, size_t room, size_t available)
{
    static const uint8_t KEEP[256] = {
#define FF16 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
        FF16, FF16, FF16, FF16, FF16, FF16, FF16, FF16,
#undef FF16
    };
    if (available >= room) {
        for (size_t i = 0; i < room; i += 32)
            v_stage32(to + i, from + i, KEEP + 128 - length + i);
        return;
    }
    memset(to, 0, room);
    memcpy(to, from, length);
}

static inline void stage_row(batch *b, size_t lane, size_t row, size_t blocks)
{
    const uint8_t *from = b->data + b->offsets[row];
    size_t length = b->offsets[row + 1] - b->offsets[row];
    size_t available = b->end > b->offsets[row] ? b->end - b->offsets[row] : 0;
    stage(b->id[lane], from, b->id_lengths[row], 32, available);
    if (blocks == LONG) {
        ehc_sm3(from, length, b->message[lane]);
        return;
    }
    stage(b->message[lane], from, length, 64 * blocks, available);
    b->message[lane][length] = 0x80;
    store64(b->message[lane] + 64 * blocks - 8, 8 * (uint64_t)length);
}

/* mindex: SM3 of the staged rows of streams s and s + 1. */
static void hash_streams(batch *b, size_t s, size_t blocks)
{
    static const uint32_t IV[8] = {0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600,
                                   0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E};
    vec v[8][SM3_STREAMS], w[68][SM3_STREAMS], words[8];
    for (int i = 0; i < 8; i++)
        for (int t = 0; t < SM3_STREAMS; t++)
            v[i][t] = v_set(IV[i]);
    for (size_t k = 0; k < (blocks == LONG ? 1 : 2 * blocks); k++) {
        for (size_t t = 0; t < SM3_STREAMS; t++) {
            v_load_rows(b->message[LANES * (s + t)] + 32 * k, sizeof b->message[0], words);
            for (size_t i = 0; i < 8; i++)
                w[8 * (k % 2) + i][t] = words[i];
        }
        if (k % 2 == 1)
            sm3_compress_lanes(v, w);
    }
    for (size_t t = 0; t < SM3_STREAMS; t++)
        for (size_t i = 0; i < 8; i++)
            b->digest[i][s + t] = blocks == LONG ? w[i][t] : v[i][t];
}

/* user key: SM4 under the root key of factor ‖ NOT factor, the factor being the XOR of the digest's four pairs of
 * words; then its round keys. */
static void schedule(batch *b)
{
    vec x[4][STREAMS], key[4][STREAMS];
    for (int s = 0; s < STREAMS; s++)
        for (int i = 0; i < 2; i++) {
            x[i][s] =
                v_xor(v_xor(b->digest[i][s], b->digest[i + 2][s]), v_xor(b->digest[i + 4][s], b->digest[i + 6][s]));
            x[i + 2][s] = v_not(x[i][s]);
        }
    sm4_enter_state(x);
    sm4_rounds_one_key(b->root, x);
    for (int s = 0; s < STREAMS; s++)
        for (int i = 0; i < 4; i++)
            key[i][s] = x[3 - i][s];
    sm4_expand_lanes(b->constants, key, b->round_keys);
}

/* card id: the two blocks of the padded id under the user key; card[s][0..7] are its words. */
static void encrypt_ids(batch *b, vec card[STREAMS][8])
{
    for (int s = 0; s < STREAMS; s++)
        v_load_rows(b->id[LANES * s], 32, card[s]);
    sm4_encrypt_pairs(b->round_keys, card);
}

static void store(batch *b, size_t count, const uint32_t row[GROUP], vec card[STREAMS][8])
{
    for (size_t s = 0; s < STREAMS; s++) {
        uint8_t *mindex[LANES], *card_id[LANES];
        vec digest[8];
        for (size_t i = 0; i < LANES; i++) {
            size_t lane = LANES * s + i;
            mindex[i] = lane < count ? b->mindex + 32 * (size_t)row[lane] : b->spare;
            card_id[i] = lane < count ? b->card_id + 32 * (size_t)row[lane] : b->spare;
        }
        for (int i = 0; i < 8; i++)
            digest[i] = b->digest[i][s];
        v_store_rows(digest, mindex);
        v_store_rows(card[s], card_id);
    }
}

/* One bucket as a group; lanes past its count work on what the group before left there. */
static void flush(batch *b, size_t blocks)
{
    bucket *rows = &b->buckets[blocks];
    vec card[STREAMS][8];
    for (size_t lane = 0; lane < rows->count; lane++)
        stage_row(b, lane, rows->row[lane], blocks);
    for (size_t s = 0; s < STREAMS; s += SM3_STREAMS)
        hash_streams(b, s, blocks);
    schedule(b);
    encrypt_ids(b, card);
    store(b, rows->count, rows->row, card);
    rows->count = 0;
}

static size_t blocks_of(size_t length)
{
    return length <= 55 ? 1 : length <= 119 ? 2 : LONG;
}

#if !defined(EHC_PUBLIC)
#define EHC_PUBLIC(value) (void)(value) /* tests/ctgrind_public.h: this may decide a branch */
#endif

/* ehc_row_status; where the tier can, the usual row's without a call and its id by vector. */
static inline int row_status(const batch *b, size_t row)
{
#if defined(V_PRINTABLE)
    uint32_t start = b->offsets[row], end = b->offsets[row + 1], id_length = b->id_lengths[row];
    if (end >= start && end - start >= id_length && id_length - 3 <= 29 && start + (uint64_t)32 <= b->end) {
        uint64_t printable = v_printable(b->data + start) | ~(uint64_t)0 << id_length;
        EHC_PUBLIC(printable);
        if (~printable == 0)
            return EHC_OK;
    }
#endif
    return ehc_row_status(b->data, b->offsets, b->id_lengths, row);
}

static void refuse_row(batch *b, size_t row)
{
    memset(b->mindex + 32 * row, 0, 32);
    memset(b->card_id + 32 * row, 0, 32);
}

size_t DERIVE(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths,
              size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    batch b;
    memset(&b, 0, sizeof b);
    sm4_broadcast_keys(root, b.root);
    sm4_broadcast_constants(b.constants);
    b.data = data, b.offsets = offsets, b.id_lengths = id_lengths;
    b.end = offsets[n], b.mindex = mindex, b.card_id = card_id;

    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        status[i] = (uint8_t)row_status(&b, i);
        if (status[i] != EHC_OK) {
            refuse_row(&b, i);
            bad++;
            continue;
        }
        size_t blocks = blocks_of(offsets[i + 1] - offsets[i]);
        bucket *rows = &b.buckets[blocks];
        rows->row[rows->count++] = (uint32_t)i;
        if (rows->count == GROUP)
            flush(&b, blocks);
    }
    for (size_t blocks = 0; blocks < BUCKETS; blocks++)
        if (b.buckets[blocks].count > 0)
            flush(&b, blocks);
    ehc_wipe(&b, sizeof b);
    return bad;
}
