/* ehc.c: our own kernels, on the tier that the driver chooses. */
#include "ehc.h"

#include <stdio.h>
#include <stdlib.h>

#include "dispatch.h"
#include "job.h"

static ehc_sm4_key security, protection;
static ehc_compact_key compact_key;

static const ehc_window NATIONAL = {.now = NOW, .tolerance = TOLERANCE};
static const ehc_window BOUND = {.now = NOW, .tolerance = TOLERANCE, .profiles = EHC_PROFILE_BOUND, .key_version = 1};

_Static_assert(sizeof(bound_fields) == sizeof(ehc_bound), "an item of make_bound is an ehc_bound");
_Static_assert(sizeof(compact_fields) == sizeof(ehc_compact), "an item of make_compact is an ehc_compact");

static const char *open_ours(void)
{
    ehc_sm4_set_key(&security, SECURITY_KEY);
    ehc_sm4_set_key(&protection, PROTECTION_KEY);
    ehc_compact_set_key(&compact_key, PROTECTION_KEY, 1);
    return "ehc";
}

static const char *tier(size_t i)
{
    for (size_t row = 0; ehc_tier_name(row) != NULL; row++)
        if (ehc_tier_supported(row) && i-- == 0)
            return ehc_tier_name(row);
    return NULL;
}

/* Room that a job needs beside its answer, kept from run to run: callers reuse theirs too. */
static void *room(size_t bytes)
{
    static void *kept;
    static size_t size;
    if (bytes > size) {
        free(kept);
        kept = malloc(size = bytes);
    }
    if (kept == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return kept;
}

static size_t length_of(const job *work, size_t i)
{
    return work->offsets[i + 1] - work->offsets[i];
}

static const uint8_t *item(const job *work, size_t i)
{
    return work->data + work->offsets[i];
}

static size_t all_bytes(const job *work)
{
    return work->offsets[work->items];
}

/* ---- identifiers ---- */

static void ours_derive(const job *work, uint8_t *card_ids)
{
    uint8_t *mindex = room(33 * work->items);
    ehc_derive_batch(&security, work->data, work->offsets, work->id_lengths, work->items, mindex, card_ids,
                     mindex + 32 * work->items);
}

static void ours_rekey(const job *work, uint8_t *card_ids)
{
    ehc_rekey_batch(&security, &protection, work->data, work->offsets, work->id_lengths, work->items, card_ids,
                    card_ids + 32 * work->items, room(work->items));
}

/* ---- codes checked ---- */

static void check_many(const job *work, const ehc_window *window, uint8_t *accepted)
{
    ehc_check_batch(&protection, work->data, work->offsets, work->items, window, room(8 * work->items), accepted);
    for (size_t i = 0; i < work->items; i++)
        accepted[i] = accepted[i] == EHC_OK;
}

static void check_each(const job *work, const ehc_window *window, uint8_t *accepted)
{
    ehc_checked found;
    for (size_t i = 0; i < work->items; i++)
        accepted[i] = ehc_check_token(&protection, item(work, i), length_of(work, i), window, &found) == EHC_OK;
}

static void ours_check(const job *work, uint8_t *accepted)
{
    check_many(work, &NATIONAL, accepted);
}

static void ours_check_one(const job *work, uint8_t *accepted)
{
    check_each(work, &NATIONAL, accepted);
}

static void ours_bound(const job *work, uint8_t *accepted)
{
    check_many(work, &BOUND, accepted);
}

static void ours_bound_one(const job *work, uint8_t *accepted)
{
    check_each(work, &BOUND, accepted);
}

static void ours_compact(const job *work, uint8_t *accepted)
{
    uint64_t *account = room(16 * work->items);
    ehc_check_compact_batch(&compact_key, work->data, work->offsets, work->items, COMPACT_NOW, TOLERANCE, account,
                            (int64_t *)(account + work->items), accepted);
    for (size_t i = 0; i < work->items; i++)
        accepted[i] = accepted[i] == EHC_OK;
}

static void ours_compact_one(const job *work, uint8_t *accepted)
{
    ehc_compact found;
    int64_t expiry;
    size_t offset;
    for (size_t i = 0; i < work->items; i++)
        accepted[i] = ehc_check_compact(&compact_key, item(work, i), length_of(work, i), COMPACT_NOW, TOLERANCE, &found,
                                        &expiry, &offset) == EHC_OK;
}

/* ---- codes made ---- */

static void ours_make(const job *work, uint8_t *texts)
{
    ehc_make_batch(&protection, (const int64_t *)(const void *)work->data, work->items, texts, room(work->items));
}

static void ours_make_one(const job *work, uint8_t *texts)
{
    const int64_t *times = (const int64_t *)(const void *)work->data;
    for (size_t i = 0; i < work->items; i++)
        ehc_make_token(&protection, times[i], texts + 32 * i);
}

static void ours_make_bound(const job *work, uint8_t *texts)
{
    ehc_make_bound_batch(&protection, work->more, (const ehc_bound *)(const void *)work->data, work->items, texts,
                         room(work->items));
}

static void ours_make_bound_one(const job *work, uint8_t *texts)
{
    const ehc_bound *fields = (const ehc_bound *)(const void *)work->data;
    for (size_t i = 0; i < work->items; i++)
        ehc_make_bound(&protection, work->more + 32 * i, &fields[i], texts + 32 * i);
}

static void ours_make_compact(const job *work, uint8_t *texts)
{
    ehc_make_compact_batch(&compact_key, (const ehc_compact *)(const void *)work->data, work->items, texts,
                           room(work->items));
}

static void ours_make_compact_one(const job *work, uint8_t *texts)
{
    const ehc_compact *codes = (const ehc_compact *)(const void *)work->data;
    for (size_t i = 0; i < work->items; i++)
        ehc_make_compact(&compact_key, &codes[i], texts + EHC_COMPACT_LENGTH * i);
}

/* ---- text ---- */

static void ours_hex(const job *work, uint8_t *digits)
{
    ehc_hex(work->data, all_bytes(work), digits);
}

static void ours_unhex(const job *work, uint8_t *bytes)
{
    ehc_unhex(work->data, all_bytes(work) / 2, bytes);
}

static void ours_base45(const job *work, uint8_t *texts)
{
    for (size_t i = 0; i < work->items; i++)
        ehc_base45_encode(item(work, i), 48, texts + 72 * i);
}

static void ours_unbase45(const job *work, uint8_t *bytes)
{
    uint8_t decoded[49];
    size_t n, offset;
    for (size_t i = 0; i < work->items; i++) {
        ehc_base45_decode(item(work, i), 72, decoded, &n, &offset);
        memcpy(bytes + 48 * i, decoded, 48);
    }
}

/* ---- primitives ---- */

static void ours_ecb(const job *work, uint8_t *out)
{
    ehc_sm4_encrypt(&security, work->data, out, work->items);
}

static void ours_keys(const job *work, uint8_t *block)
{
    static const uint8_t zero[16] = {0};
    ehc_sm4_key key;
    for (size_t i = 0; i < work->items; i++)
        ehc_sm4_set_key(&key, item(work, i));
    ehc_sm4_encrypt(&key, zero, block, 1);
}

static void ours_hash(const job *work, uint8_t *digests)
{
    for (size_t i = 0; i < work->items; i++)
        ehc_sm3(item(work, i), length_of(work, i), digests + 32 * i);
}

/* The tier's kernel below the compact codes: two compressions a message, across lanes. */
static void ours_mac(const job *work, uint8_t *macs)
{
    ehc_tier_current()->token.hmac_many(compact_key.inner, compact_key.outer, work->data, work->items, macs);
}

/* For kernel.py: the kernel below Python's derive_batch, on the best tier; 0 when it runs. */
EXPORT int best_tier(void)
{
    open_ours();
    return ehc_init(NULL);
}

EXPORT void derive_rows(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t n,
                        uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    ehc_derive_batch(&security, data, offsets, id_lengths, n, mindex, card_id, status);
}

EXPORT const contender CONTENDER = {open_ours,
                                    tier,
                                    ehc_init,
                                    {{"derive", ours_derive},
                                     {"rekey", ours_rekey},
                                     {"check", ours_check},
                                     {"check_one", ours_check_one},
                                     {"bound", ours_bound},
                                     {"bound_one", ours_bound_one},
                                     {"compact", ours_compact},
                                     {"compact_one", ours_compact_one},
                                     {"make", ours_make},
                                     {"make_one", ours_make_one},
                                     {"make_bound", ours_make_bound},
                                     {"make_bound_one", ours_make_bound_one},
                                     {"make_compact", ours_make_compact},
                                     {"make_compact_one", ours_make_compact_one},
                                     {"hex", ours_hex},
                                     {"unhex", ours_unhex},
                                     {"base45", ours_base45},
                                     {"unbase45", ours_unbase45},
                                     {"ecb", ours_ecb},
                                     {"keys", ours_keys},
                                     {"hash", ours_hash},
                                     {"mac", ours_mac},
                                     {NULL, NULL}}};
