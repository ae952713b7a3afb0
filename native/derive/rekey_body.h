/* rekey_body.h: card ids under two security keys across lanes. Include derive_body.h first, whose groups it takes: SM3
 * and staging once, then root block, schedule and card-id blocks for either key. Needs the name REKEY. */
typedef struct {
    batch b;
    sm4_uniform_key roots[2][32]; /* round keys of the old and the new security key */
    uint8_t *card_id[2];          /* under either */
} rekeying;

static void store_cards(batch *b, size_t count, const uint32_t row[GROUP], vec card[STREAMS][8], uint8_t *card_id)
{
    for (size_t s = 0; s < STREAMS; s++) {
        uint8_t *at[LANES];
        for (size_t i = 0; i < LANES; i++) {
            size_t lane = LANES * s + i;
            at[i] = lane < count ? card_id + 32 * (size_t)row[lane] : b->spare;
        }
        v_store_rows(card[s], at);
    }
}

/* One bucket as a group, like flush. */
static void rekey_group(rekeying *r, size_t blocks)
{
    batch *b = &r->b;
    bucket *rows = &b->buckets[blocks];
    vec card[STREAMS][8];
    hash_group(b, rows, blocks);
    for (int k = 0; k < 2; k++) {
        memcpy(b->root, r->roots[k], sizeof b->root);
        schedule(b);
        encrypt_ids(b, card);
        store_cards(b, rows->count, rows->row, card, r->card_id[k]);
    }
    rows->count = 0;
}

size_t REKEY(const uint32_t old_root[32], const uint32_t new_root[32], const uint8_t *data, const uint32_t *offsets,
             const uint8_t *id_lengths, size_t n, uint8_t *old_card_id, uint8_t *new_card_id, uint8_t *status)
{
    rekeying r;
    batch *b = &r.b;
    memset(&r, 0, sizeof r);
    sm4_broadcast_keys(old_root, r.roots[0]);
    sm4_broadcast_keys(new_root, r.roots[1]);
    sm4_broadcast_constants(b->constants);
    r.card_id[0] = old_card_id, r.card_id[1] = new_card_id;
    b->data = data, b->offsets = offsets, b->id_lengths = id_lengths, b->end = offsets[n];

    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        status[i] = (uint8_t)row_status(b, i);
        if (status[i] != EHC_OK) {
            memset(old_card_id + 32 * i, 0, 32);
            memset(new_card_id + 32 * i, 0, 32);
            bad++;
            continue;
        }
        size_t full = add_row(b, i);
        if (full < BUCKETS)
            rekey_group(&r, full);
    }
    for (size_t blocks = 0; blocks < BUCKETS; blocks++)
        if (b->buckets[blocks].count > 0)
            rekey_group(&r, blocks);
    ehc_wipe(&r, sizeof r);
    return bad;
}
