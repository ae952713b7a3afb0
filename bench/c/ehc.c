/* ehc.c: our own kernels, on the tier that the driver chooses. */
#include "ehc.h"

#include <stdio.h>
#include <stdlib.h>

#include "job.h"

static ehc_sm4_key security, protection;

static const char *open_ours(void)
{
    ehc_sm4_set_key(&security, SECURITY_KEY);
    ehc_sm4_set_key(&protection, PROTECTION_KEY);
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

static void ours_derive(const job *work, uint8_t *card_ids)
{
    uint8_t *mindex = room(33 * work->items);
    ehc_derive_batch(&security, work->data, work->offsets, work->id_lengths, work->items, mindex, card_ids,
                     mindex + 32 * work->items);
}

static void ours_check(const job *work, uint8_t *accepted)
{
    const ehc_window window = {.now = NOW, .tolerance = TOLERANCE};
    ehc_check_batch(&protection, work->data, work->offsets, work->items, &window,
                    room(work->items * sizeof(int64_t)), accepted);
    for (size_t i = 0; i < work->items; i++)
        accepted[i] = accepted[i] == EHC_OK;
}

static void ours_ecb(const job *work, uint8_t *out)
{
    ehc_sm4_encrypt(&security, work->data, out, work->items);
}

static void ours_keys(const job *work, uint8_t *block)
{
    static const uint8_t zero[16] = {0};
    ehc_sm4_key key;
    for (size_t i = 0; i < work->items; i++)
        ehc_sm4_set_key(&key, work->data + work->offsets[i]);
    ehc_sm4_encrypt(&key, zero, block, 1);
}

static void ours_hash(const job *work, uint8_t *digests)
{
    for (size_t i = 0; i < work->items; i++)
        ehc_sm3(work->data + work->offsets[i], work->offsets[i + 1] - work->offsets[i], digests + 32 * i);
}

EXPORT const contender CONTENDER = {open_ours, tier, ehc_init, ours_derive, ours_check, ours_ecb, ours_keys, ours_hash};
