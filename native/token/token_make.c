/* token_make.c: many validity tokens of profile N; ehc_make_token says what one is. */
#include "bcd_time.h"

enum { GROUP = 512 };

static size_t make_group(const ehc_sm4_key *protection_key, const int64_t *times, size_t n, uint8_t *texts,
                         uint8_t *status)
{
    uint8_t blocks[GROUP][16] = {{0}};
    ehc_bcd_day day = {0};
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        status[i] = ehc_write_bcd_time(times[i], &day, blocks[i]) ? EHC_OK : EHC_TOKEN_FORGED;
        bad += status[i] != EHC_OK;
    }
    ehc_sm4_encrypt(protection_key, blocks[0], blocks[0], n);
    ehc_hex(blocks[0], 16 * n, texts);
    return bad;
}

size_t ehc_make_batch(const ehc_sm4_key *protection_key, const int64_t *times, size_t n, uint8_t *texts,
                      uint8_t *status)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i += GROUP)
        bad += make_group(protection_key, times + i, n - i < GROUP ? n - i : GROUP, texts + 32 * i, status + i);
    for (size_t i = 0; bad > 0 && i < n; i++)
        if (status[i] != EHC_OK)
            memset(texts + 32 * i, '0', 32);
    return bad;
}
