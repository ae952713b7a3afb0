/* token_check.c: the validity token (有效性信息) of profile N checked and made: SM4 under the protection key of the BCD
 * time YYYYMMDDhhmmss in China Standard Time and nine zero bytes; and profile A, which has the same syntax, where the
 * policy accepts it. Steps carry the numbers of verification (native/README.md). */
#include "bcd_time.h"
#include "bound.h"
#include "dispatch.h"
#include "window.h"

static int accepts(const ehc_window *window, unsigned profile)
{
    return ((window->profiles == 0 ? EHC_PROFILE_NATIONAL : window->profiles) & profile) != 0;
}

/* Bounds of what a national token gives as expiry, its time plus `shift`. */
static ehc_bounds national_bounds(const ehc_window *window, int64_t *shift)
{
    int bounded = window->issue || window->validity != 0;
    *shift = window->issue ? window->validity : 0;
    return bounds_of(window->now, window->tolerance, bounded ? window->validity : -1);
}

/* Steps 3 and 5 of an authentic card-bound token, which carries its expiry whatever the national ones do. */
static int judge_bound(const ehc_window *window, const ehc_bound *fields)
{
    if (window->key_version != 0 && fields->key_version != window->key_version)
        return EHC_TOKEN_KEY_VERSION;
    return judge(bounds_of(window->now, window->tolerance, window->validity != 0 ? window->validity : -1),
                 fields->expiry);
}

static int check_national(const ehc_sm4_key *protection_key, const ehc_window *window, ehc_checked *out)
{
    int64_t shift, time;
    uint8_t authentic;
    ehc_bounds bounds = national_bounds(window, &shift);
    ehc_tier_current()->token.times(protection_key->decrypt, out->payload.token_bytes, 1, &time, &authentic);
    if (!authentic)
        return EHC_TOKEN_FORGED;
    out->profile = EHC_PROFILE_NATIONAL;
    out->expiry = time + shift;
    return judge(bounds, out->expiry);
}

static int check_bound(const ehc_sm4_key *protection_key, const ehc_window *window, ehc_checked *out)
{
    uint8_t authentic;
    if (out->payload.card_id_length != 32)
        return EHC_TOKEN_FORGED;
    ehc_open_bound(protection_key, out->payload.card_id, out->payload.token_bytes, 1, &out->bound, &authentic);
    if (!authentic)
        return EHC_TOKEN_FORGED;
    out->profile = EHC_PROFILE_BOUND;
    out->expiry = out->bound.expiry;
    return judge_bound(window, &out->bound);
}

int ehc_check_token(const ehc_sm4_key *protection_key, const uint8_t *text, size_t length, const ehc_window *window,
                    ehc_checked *out)
{
    out->expiry = 0;
    out->profile = 0;

    /* 1 length and alphabet, 2 grammar and profile */
    int status = ehc_parse_payload(text, length, &out->payload);
    if (status != EHC_OK)
        return status;
    if (out->payload.flag != EHC_FLAG_DYNAMIC)
        return EHC_TOKEN_NONE;

    /* 4 authenticity, 5 time window; 3 key version, where a token names one */
    status = EHC_TOKEN_FORGED;
    if (accepts(window, EHC_PROFILE_NATIONAL))
        status = check_national(protection_key, window, out);
    if (out->profile == 0 && accepts(window, EHC_PROFILE_BOUND))
        status = check_bound(protection_key, window, out);
    return status;
}

/* Rows of a batch go through the steps in groups, so that the cipher runs in lanes. */
enum { GROUP = 512 };

typedef struct {
    uint8_t blocks[GROUP][16];
    uint8_t canonical[GROUP], authentic[GROUP];
    int64_t times[GROUP];
} group;

/* Steps 1 and 2 of the rows that are not of the one form that the scan knows. */
static void parse_others(group *g, const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *status)
{
    ehc_payload payload;
    memset(status, EHC_OK, n);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *other = memchr(g->canonical + i, 0, n - i);
        if (other == NULL)
            return;
        i = (size_t)(other - g->canonical);
        size_t length = offsets[i + 1] < offsets[i] ? 0 : offsets[i + 1] - offsets[i];
        status[i] = (uint8_t)ehc_parse_payload(data + offsets[i], length, &payload);
        if (status[i] == EHC_OK && payload.flag != EHC_FLAG_DYNAMIC)
            status[i] = EHC_TOKEN_NONE;
        memcpy(g->blocks[i], payload.token_bytes, 16);
    }
}

typedef struct {
    size_t row[EHC_BOUND_GROUP];
    uint8_t card_ids[EHC_BOUND_GROUP][32], blocks[EHC_BOUND_GROUP][16];
    size_t count;
} bound_rows;

static void flush_bound(const ehc_sm4_key *protection_key, const ehc_window *window, bound_rows *rows, int64_t *expiry,
                        uint8_t *status)
{
    ehc_bound fields[EHC_BOUND_GROUP];
    uint8_t authentic[EHC_BOUND_GROUP];
    ehc_open_bound(protection_key, rows->card_ids[0], rows->blocks[0], rows->count, fields, authentic);
    for (size_t i = 0; i < rows->count; i++)
        if (authentic[i]) {
            expiry[rows->row[i]] = fields[i].expiry;
            status[rows->row[i]] = (uint8_t)judge_bound(window, &fields[i]);
        }
    rows->count = 0;
}

/* Tries profile A for the rows that are not national ones. */
static void try_bound(const group *g, const ehc_sm4_key *protection_key, const ehc_window *window, const uint8_t *data,
                      const uint32_t *offsets, size_t n, int64_t *expiry, uint8_t *status)
{
    int (*decode)(const uint8_t *, size_t, uint8_t *) = ehc_tier_current()->token.hex_decode;
    bound_rows rows;
    ehc_payload payload;
    rows.count = 0;
    for (size_t i = 0; i < n; i++) {
        if (status[i] != EHC_TOKEN_FORGED)
            continue;
        if (g->canonical[i]) {
            decode(data + offsets[i], 32, rows.card_ids[rows.count]);
        } else {
            ehc_parse_payload(data + offsets[i], offsets[i + 1] - offsets[i], &payload);
            if (payload.card_id_length != 32)
                continue;
            memcpy(rows.card_ids[rows.count], payload.card_id, 32);
        }
        rows.row[rows.count] = i;
        memcpy(rows.blocks[rows.count++], g->blocks[i], 16);
        if (rows.count == EHC_BOUND_GROUP)
            flush_bound(protection_key, window, &rows, expiry, status);
    }
    flush_bound(protection_key, window, &rows, expiry, status);
}

static void check_group(const ehc_sm4_key *protection_key, const uint8_t *data, const uint32_t *offsets, size_t n,
                        const ehc_window *window, int64_t *expiry, uint8_t *status)
{
    const ehc_token_kernels *kernels = &ehc_tier_current()->token;
    group g;
    int64_t shift;
    ehc_bounds bounds = national_bounds(window, &shift);
    kernels->scan(data, offsets, n, g.blocks[0], g.canonical);
    parse_others(&g, data, offsets, n, status);
    if (accepts(window, EHC_PROFILE_NATIONAL))
        kernels->times(protection_key->decrypt, g.blocks[0], n, g.times, g.authentic);
    else
        memset(g.authentic, 0, n);
    kernels->judge(g.times, g.authentic, n, shift, bounds.low, bounds.high, expiry, status);
    if (accepts(window, EHC_PROFILE_BOUND))
        try_bound(&g, protection_key, window, data, offsets, n, expiry, status);
}

size_t ehc_check_batch(const ehc_sm4_key *protection_key, const uint8_t *data, const uint32_t *offsets, size_t n,
                       const ehc_window *window, int64_t *expiry, uint8_t *status)
{
    size_t refused = 0;
    for (size_t i = 0; i < n; i += GROUP)
        check_group(protection_key, data, offsets + i, n - i < GROUP ? n - i : GROUP, window, expiry + i, status + i);
    for (size_t i = 0; i < n; i++)
        refused += status[i] != EHC_OK;
    return refused;
}

int ehc_make_token(const ehc_sm4_key *protection_key, int64_t time, uint8_t text[32])
{
    uint8_t block[16] = {0};
    ehc_bcd_day day = {0};
    if (!ehc_write_bcd_time(time, &day, block))
        return EHC_TOKEN_FORGED;
    ehc_sm4_encrypt(protection_key, block, block, 1);
    ehc_hex(block, 16, text);
    return EHC_OK;
}
