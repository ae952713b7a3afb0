/* derive_body.h: batch derivation across lanes, written once. Include a lanes_<isa>.h, define STREAMS and DERIVE, then
 * include sm3_lanes_body.h, sm4_lanes_body.h and this.
 *
 * Rows are put into buckets by the number of their SM3 blocks, so that every lane of a group does the same work. A
 * full bucket is a group of LANES·STREAMS rows: transposed into lanes from where they lie and padded there (V_PADS), or
 * staged into padded blocks first; hashed, folded, diversified, scheduled and encrypted without leaving L1, and stored at
 * each row's own place. */
#include "sm4_words_body.h"

enum { GROUP = LANES * STREAMS, BUCKETS = 3, LONG = 0 }; /* bucket 1: one block; 2: two; LONG: more, hashed alone */

typedef struct {
    const uint8_t *at[GROUP];
    uint32_t row[GROUP], bits[GROUP], id_bits[GROUP];
    size_t count;
    int near_end; /* 128 bytes of some row would be read past the end of data */
} bucket;

typedef struct {
    const uint8_t *data;
    const uint32_t *offsets;
    const uint8_t *id_lengths;
    uint32_t end; /* data is readable up to here */
    uint8_t *mindex, *card_id;
    bucket buckets[BUCKETS];
    uint8_t message[GROUP][128]; /* padded SM3 blocks, or rows near the end of data; digests of LONG rows */
    uint8_t spare[128];          /* what idle lanes read, and where they store */
#if !defined(V_PADS)
    uint8_t padded_id[GROUP][32]; /* id_type ‖ id_number */
#endif
    sm4_uniform_key root[32];      /* the security key's round keys */
    sm4_uniform_key constants[32]; /* of the key schedule */
    vec id[STREAMS][8];            /* words of the padded ids */
    vec digest[8][STREAMS];
    vec round_keys[32][STREAMS];
} batch;

#if defined(V_PADS)
static inline vec lanes_of(const uint32_t each[LANES])
{
    vec v;
    memcpy(&v, each, sizeof v);
    return v;
}

static inline void load_ids(batch *b, const bucket *rows, size_t s, const vec words[8])
{
    vec bits = lanes_of(rows->id_bits + LANES * s);
    for (int i = 0; i < 8; i++)
        b->id[s][i] = v_keep(words[i], v_sub(bits, v_set(32 * (uint32_t)i)));
}

/* Words 8k to 8k + 7 of the padded blocks of stream s, into every SM3_STREAMS-th of w. */
static inline void load_half(batch *b, const bucket *rows, size_t s, size_t k, vec left, vec *w)
{
    vec words[8];
    v_load_scattered(rows->at + LANES * s, 32 * k, words);
    if (k == 0)
        load_ids(b, rows, s, words);
    if (v_any_above(v_set(256), left))
        for (int i = 0; i < 8; i++) {
            vec here = v_sub(left, v_set(32 * (uint32_t)i));
            words[i] = v_xor(v_keep(words[i], here), v_one_bit(here));
        }
    for (int i = 0; i < 8; i++)
        w[SM3_STREAMS * i] = words[i];
}

/* Block k of `blocks`. Few rows are so long that its second half holds more than the length. */
static inline void load_message(batch *b, const bucket *rows, size_t s, size_t k, size_t blocks, vec *w)
{
    vec bits = lanes_of(rows->bits + LANES * s), left = v_sub(bits, v_set(512 * (uint32_t)k));
    load_half(b, rows, s, 2 * k, left, w);
    left = v_sub(left, v_set(256));
    if (v_any_above(left, v_set(0)))
        load_half(b, rows, s, 2 * k + 1, left, w + 8 * SM3_STREAMS);
    else {
        w[8 * SM3_STREAMS] = v_one_bit(left);
        for (int i = 9; i < 15; i++)
            w[SM3_STREAMS * i] = v_set(0);
    }
    if (k + 1 == blocks)
        w[15 * SM3_STREAMS] = bits;
}

static inline void load_only_ids(batch *b, const bucket *rows, size_t s)
{
    vec words[8];
    v_load_scattered(rows->at + LANES * s, 0, words);
    load_ids(b, rows, s, words);
}

/* Where the blocks of a row can be read whole. */
static void place_row(batch *b, bucket *rows, size_t lane)
{
    if (rows->at[lane] + sizeof b->message[lane] <= b->data + b->end)
        return;
    memset(b->message[lane], 0, sizeof b->message[lane]);
    rows->at[lane] = memcpy(b->message[lane], rows->at[lane], rows->bits[lane] / 8);
}

static void place(batch *b, bucket *rows, size_t blocks)
{
    if (blocks != LONG && rows->near_end)
        for (size_t lane = 0; lane < rows->count; lane++)
            place_row(b, rows, lane);
    for (size_t lane = rows->count; lane < GROUP; lane++)
        rows->at[lane] = b->spare;
}
#else
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

static void place(batch *b, bucket *rows, size_t blocks)
{
    for (size_t lane = 0; lane < rows->count; lane++) {
        const uint8_t *from = rows->at[lane];
        size_t length = rows->bits[lane] / 8, start = (size_t)(from - b->data);
        size_t available = b->end > start ? b->end - start : 0;
        stage(b->padded_id[lane], from, rows->id_bits[lane] / 8, 32, available);
        if (blocks == LONG)
            continue;
        stage(b->message[lane], from, length, 64 * blocks, available);
        b->message[lane][length] = 0x80;
        store64(b->message[lane] + 64 * blocks - 8, 8 * (uint64_t)length);
    }
}

static inline void load_only_ids(batch *b, const bucket *rows, size_t s)
{
    (void)rows;
    v_load_rows(b->padded_id[LANES * s], sizeof b->padded_id[0], b->id[s]);
}

static inline void load_message(batch *b, const bucket *rows, size_t s, size_t k, size_t blocks, vec *w)
{
    (void)blocks;
    for (size_t half = 0; half < 2; half++) {
        vec words[8];
        v_load_rows(b->message[LANES * s] + 64 * k + 32 * half, sizeof b->message[0], words);
        for (size_t i = 0; i < 8; i++)
            w[SM3_STREAMS * (8 * half + i)] = words[i];
    }
    if (k == 0)
        load_only_ids(b, rows, s);
}
#endif

/* mindex: SM3 of the rows of streams s to s + SM3_STREAMS - 1, and their padded ids. */
static void hash_streams(batch *b, const bucket *rows, size_t s, size_t blocks)
{
    static const uint32_t IV[8] = {0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600,
                                   0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E};
    vec v[8][SM3_STREAMS], w[68][SM3_STREAMS];
    for (int i = 0; i < 8; i++)
        for (int t = 0; t < SM3_STREAMS; t++)
            v[i][t] = v_set(IV[i]);
    for (size_t k = 0; k < blocks; k++) {
        for (size_t t = 0; t < SM3_STREAMS; t++)
            load_message(b, rows, s + t, k, blocks, &w[0][t]);
        sm3_compress_lanes(v, w);
    }
    for (size_t t = 0; t < SM3_STREAMS; t++) {
        vec words[8];
        for (size_t i = 0; i < 8; i++)
            words[i] = v[i][t];
        if (blocks == LONG) {
            load_only_ids(b, rows, s + t);
            v_load_rows(b->message[LANES * (s + t)], sizeof b->message[0], words);
        }
        for (size_t i = 0; i < 8; i++)
            b->digest[i][s + t] = words[i];
    }
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
    memcpy(card, b->id, sizeof b->id);
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

/* mindex and padded ids of a bucket's rows; lanes past its count work on nothing. */
static void hash_group(batch *b, bucket *rows, size_t blocks)
{
    place(b, rows, blocks);
    if (blocks == LONG)
        for (size_t lane = 0; lane < rows->count; lane++) {
            const uint32_t *of = b->offsets + rows->row[lane];
            ehc_sm3(rows->at[lane], of[1] - of[0], b->message[lane]);
        }
    for (size_t s = 0; s < STREAMS; s += SM3_STREAMS)
        hash_streams(b, rows, s, blocks);
}

/* One bucket as a group. */
static void flush(batch *b, size_t blocks)
{
    bucket *rows = &b->buckets[blocks];
    vec card[STREAMS][8];
    hash_group(b, rows, blocks);
    schedule(b);
    encrypt_ids(b, card);
    store(b, rows->count, rows->row, card);
    rows->count = 0;
}

static size_t blocks_of(size_t length)
{
    return length <= 55 ? 1 : length <= 119 ? 2 : LONG;
}

/* Row i into its bucket; the bucket's number if it is full then, else BUCKETS. */
static inline size_t add_row(batch *b, size_t i)
{
    uint32_t start = b->offsets[i], length = b->offsets[i + 1] - start;
    size_t blocks = blocks_of(length);
    bucket *rows = &b->buckets[blocks];
    rows->at[rows->count] = b->data + start;
    rows->row[rows->count] = (uint32_t)i;
    rows->bits[rows->count] = 8 * length;
    rows->id_bits[rows->count] = 8 * (uint32_t)b->id_lengths[i];
    rows->near_end |= start + (uint64_t)sizeof b->message[0] > b->end;
    return ++rows->count == GROUP ? blocks : (size_t)BUCKETS;
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
        size_t full = add_row(&b, i);
        if (full < BUCKETS)
            flush(&b, full);
    }
    for (size_t blocks = 0; blocks < BUCKETS; blocks++)
        if (b.buckets[blocks].count > 0)
            flush(&b, blocks);
    ehc_wipe(&b, sizeof b);
    return bad;
}
