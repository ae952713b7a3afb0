/* isal_lanes.h: SM3 and HMAC-SM3 of a group of messages through isa-l_crypto's lanes (8 with AVX2, 16 with AVX-512). */
#ifndef BENCH_ISAL_LANES_H
#define BENCH_ISAL_LANES_H

#include <isa-l_crypto/isal_crypto_api.h>
#include <isa-l_crypto/sm3_mb.h>
#include <stdlib.h>

#include "job.h"

enum { LANES_CONTEXTS = 64 };

static ISAL_SM3_HASH_CTX_MGR *lanes_manager;
static ISAL_SM3_HASH_CTX *lanes_context, *lanes_inner, *lanes_outer; /* the last two: behind the pads of MAC_KEY */

static void lanes_finish(void)
{
    ISAL_SM3_HASH_CTX *done;
    do
        isal_sm3_ctx_mgr_flush(lanes_manager, &done);
    while (done != NULL);
}

static void lanes_submit(ISAL_SM3_HASH_CTX *context, const uint8_t *bytes, size_t length, ISAL_HASH_CTX_FLAG part)
{
    ISAL_SM3_HASH_CTX *done;
    isal_sm3_ctx_mgr_submit(lanes_manager, context, &done, bytes, (uint32_t)length, part);
}

static void lanes_digest(const ISAL_SM3_HASH_CTX *context, uint8_t digest[32])
{
    memcpy(digest, context->job.result_digest, 32); /* of a last part: the bytes in their order */
}

/* At most LANES_CONTEXTS messages. */
static void lanes_sm3(const uint8_t *const *messages, const size_t *lengths, size_t n, uint8_t *digests)
{
    for (size_t i = 0; i < n; i++) {
        isal_hash_ctx_init(&lanes_context[i]);
        lanes_submit(&lanes_context[i], messages[i], lengths[i], ISAL_HASH_ENTIRE);
    }
    lanes_finish();
    for (size_t i = 0; i < n; i++)
        lanes_digest(&lanes_context[i], digests + 32 * i);
}

static void lanes_from(const ISAL_SM3_HASH_CTX *state, const uint8_t *messages, size_t n, uint8_t *digests)
{
    for (size_t i = 0; i < n; i++) {
        lanes_context[i] = *state;
        lanes_submit(&lanes_context[i], messages + 32 * i, 32, ISAL_HASH_LAST);
    }
    lanes_finish();
    for (size_t i = 0; i < n; i++)
        lanes_digest(&lanes_context[i], digests + 32 * i);
}

/* At most LANES_CONTEXTS messages of 32 bytes: two compressions each. */
static void lanes_mac(const uint8_t *messages, size_t n, uint8_t *macs)
{
    uint8_t inner[32 * LANES_CONTEXTS];
    lanes_from(lanes_inner, messages, n, inner);
    lanes_from(lanes_outer, inner, n, macs);
}

static void lanes_pad(ISAL_SM3_HASH_CTX *state, uint8_t with)
{
    uint8_t pad[64];
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] = (uint8_t)((i < sizeof MAC_KEY ? MAC_KEY[i] : 0) ^ with);
    isal_hash_ctx_init(state);
    lanes_submit(state, pad, sizeof pad, ISAL_HASH_FIRST);
    lanes_finish();
}

static int lanes_open(void)
{
    lanes_manager = (ISAL_SM3_HASH_CTX_MGR *)aligned_alloc(64, (sizeof *lanes_manager + 63) / 64 * 64);
    size_t one = (sizeof *lanes_context + 63) / 64 * 64;
    lanes_context = (ISAL_SM3_HASH_CTX *)aligned_alloc(64, one * LANES_CONTEXTS);
    lanes_inner = (ISAL_SM3_HASH_CTX *)aligned_alloc(64, one);
    lanes_outer = (ISAL_SM3_HASH_CTX *)aligned_alloc(64, one);
    if (lanes_manager == NULL || lanes_context == NULL || lanes_inner == NULL || lanes_outer == NULL)
        return 1;
    isal_sm3_ctx_mgr_init(lanes_manager);
    lanes_pad(lanes_inner, 0x36);
    lanes_pad(lanes_outer, 0x5C);
    return 0;
}

#endif
