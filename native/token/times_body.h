/* times_body.h: the times of profile N, many blocks under one key, written once. token_portable.c says what is computed. Define
 * ISA(name); before it comes a body that has read_group, for GROUP blocks: bcd_words_body.h, bcd_slices_body.h. */
#include "bcd_time.h"

static void one_time(const uint32_t decrypt[32], const uint8_t *block, int64_t *time, uint8_t *authentic)
{
    uint32_t w[4];
    int32_t days, second;
    sm4_one(decrypt, block, w);
    uint32_t outside = read_bcd_time(w[0], w[1], &days, &second) | (w[1] & 255) | w[2] | w[3];
    *authentic = outside == 0;
    *time = time_of(days, second) & -(int64_t)*authentic;
}

static void many_times(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *times, uint8_t *authentic)
{
    sm4_uniform_key keys[32];
    sm4_broadcast_keys(decrypt, keys);
    for (; n >= GROUP; n -= GROUP, blocks += 16 * GROUP, times += GROUP, authentic += GROUP)
        read_group(keys, blocks, times, authentic);
    if (n > 0) {
        uint8_t last[16 * GROUP] = {0}, right[GROUP];
        int64_t at[GROUP];
        memcpy(last, blocks, 16 * n);
        read_group(keys, last, at, right);
        memcpy(times, at, sizeof at[0] * n);
        memcpy(authentic, right, n);
    }
    ehc_wipe(keys, sizeof keys);
}

void ISA(ehc_token_times)(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *times,
                          uint8_t *authentic)
{
    if (n == 1)
        one_time(decrypt, blocks, times, authentic);
    else
        many_times(decrypt, blocks, n, times, authentic);
}
