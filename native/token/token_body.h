/* token_body.h: the token kernels across lanes, written once. Include a lanes_<isa>.h, define STREAMS, ISA(name) and
 * EXPAND, then include sm3_lanes_body.h, sm4_lanes_body.h and this. token_portable.c says what is computed. */
#include "bcd_time.h"
#include "sm4_one_body.h"

/* The lanes as an array; a vector that is no row of words (lanes_portable_ct.h) has its own way. */
#ifndef v_store_words
#define v_store_words(word, to) memcpy(to, &(word), sizeof(vec))
#endif

enum { GROUP = LANES * STREAMS };

static inline void crypt_group(const vec round_keys[32], const uint8_t *blocks, uint32_t words[4][GROUP])
{
    vec x[4][STREAMS], w[4];
    for (int s = 0; s < STREAMS; s++) {
        v_load_blocks(blocks + 16 * LANES * s, w);
        for (int i = 0; i < 4; i++)
            x[i][s] = sm4_enter(w[i]);
    }
    sm4_rounds_one_key(round_keys, x);
    for (int s = 0; s < STREAMS; s++)
        for (int i = 0; i < 4; i++) {
            vec word = sm4_leave(x[3 - i][s]);
            v_store_words(word, &words[i][LANES * s]);
        }
}

/* The compiler makes lanes of this loop. */
static inline void read_times(uint32_t words[4][GROUP], size_t n, int64_t *times, uint8_t *authentic)
{
    int32_t days[GROUP], second[GROUP];
    uint32_t right[GROUP];
    for (size_t i = 0; i < n; i++) {
        uint32_t outside = read_bcd_time(words[0][i], words[1][i], &days[i], &second[i]);
        right[i] = (outside | (words[1][i] & 255) | words[2][i] | words[3][i]) == 0;
    }
    for (size_t i = 0; i < n; i++)
        times[i] = time_of(days[i], second[i]) & -(int64_t)right[i];
    for (size_t i = 0; i < n; i++)
        authentic[i] = (uint8_t)right[i];
}

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
    vec keys[32];
    uint32_t words[4][GROUP];
    uint8_t last[16 * GROUP] = {0};
    sm4_broadcast_keys(decrypt, keys);
    size_t i = 0;
    for (; i + GROUP <= n; i += GROUP) {
        crypt_group(keys, blocks + 16 * i, words);
        read_times(words, GROUP, times + i, authentic + i);
    }
    if (i < n) {
        memcpy(last, blocks + 16 * i, 16 * (n - i));
        crypt_group(keys, last, words);
        read_times(words, n - i, times + i, authentic + i);
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

typedef struct {
    vec constants[32];
    vec round_keys[32][STREAMS];
    uint8_t keys[GROUP][16], in[GROUP][16], out[GROUP][16]; /* of a group that is not full */
} many;

static inline void enter_blocks(const uint8_t *blocks, vec x[4][STREAMS])
{
    for (int s = 0; s < STREAMS; s++) {
        vec w[4];
        v_load_blocks(blocks + 16 * LANES * s, w);
        for (int i = 0; i < 4; i++)
            x[i][s] = sm4_enter(w[i]);
    }
}

static inline void leave_blocks(vec x[4][STREAMS], uint8_t *blocks)
{
    for (int s = 0; s < STREAMS; s++) {
        vec w[4];
        for (int i = 0; i < 4; i++)
            w[i] = sm4_leave(x[3 - i][s]);
        v_store_blocks(w, blocks + 16 * LANES * s);
    }
}

static inline void many_group(many *m, const uint8_t *keys, const uint8_t *in, uint8_t *out, int decrypt)
{
    vec x[4][STREAMS];
    enter_blocks(keys, x);
    sm4_expand_lanes(m->constants, x, m->round_keys);
    if (decrypt)
        sm4_reverse_keys(m->round_keys);
    enter_blocks(in, x);
    sm4_rounds_many_keys(m->round_keys, x);
    leave_blocks(x, out);
}

/* One block under its own key. */
static void one_key(const uint8_t *key, const uint8_t *in, uint8_t *out, int decrypt)
{
    uint32_t schedule[32], reversed[32], words[4];
    EXPAND(key, schedule);
    for (size_t i = 0; i < 32; i++)
        reversed[i] = schedule[31 - i];
    sm4_one(decrypt ? reversed : schedule, in, words);
    for (size_t i = 0; i < 4; i++)
        store32(out + 4 * i, words[i]);
    ehc_wipe(schedule, sizeof schedule);
    ehc_wipe(reversed, sizeof reversed);
}

static void many_keys(const uint8_t *keys, const uint8_t *in, uint8_t *out, size_t n, int decrypt)
{
    many m;
    sm4_broadcast_constants(m.constants);
    for (; n >= GROUP; n -= GROUP, keys += 16 * GROUP, in += 16 * GROUP, out += 16 * GROUP)
        many_group(&m, keys, in, out, decrypt);
    if (n > 0) {
        memset(m.keys, 0, sizeof m.keys);
        memset(m.in, 0, sizeof m.in);
        memcpy(m.keys, keys, 16 * n);
        memcpy(m.in, in, 16 * n);
        many_group(&m, m.keys[0], m.in[0], m.out[0], decrypt);
        memcpy(out, m.out, 16 * n);
    }
    ehc_wipe(&m, sizeof m);
}

void ISA(ehc_sm4_many_keys)(const uint8_t *keys, const uint8_t *in, uint8_t *out, size_t n, int decrypt)
{
    if (n == 1)
        one_key(keys, in, out, decrypt);
    else
        many_keys(keys, in, out, n, decrypt);
}

enum { HMAC_GROUP = LANES * SM3_STREAMS };

/* One compression from `state` of 8 words that stand in w[0..7], padded as in token_portable.c. */
static inline void finish_lanes(const uint32_t state[8], vec w[68][SM3_STREAMS], vec v[8][SM3_STREAMS])
{
    for (int t = 0; t < SM3_STREAMS; t++) {
        for (int i = 0; i < 8; i++)
            v[i][t] = v_set(state[i]);
        w[8][t] = v_set(0x80000000);
        for (int i = 9; i < 15; i++)
            w[i][t] = v_set(0);
        w[15][t] = v_set(768);
    }
    sm3_compress_lanes(v, w);
}

static void hmac_group(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *messages, uint8_t *macs)
{
    vec v[8][SM3_STREAMS], w[68][SM3_STREAMS], words[8];
    for (size_t t = 0; t < SM3_STREAMS; t++) {
        v_load_rows(messages + 32 * LANES * t, 32, words);
        for (size_t i = 0; i < 8; i++)
            w[i][t] = words[i];
    }
    finish_lanes(inner, w, v);
    memcpy(w, v, sizeof v);
    finish_lanes(outer, w, v);
    for (size_t t = 0; t < SM3_STREAMS; t++) {
        uint8_t *rows[LANES];
        for (size_t i = 0; i < LANES; i++)
            rows[i] = macs + 32 * (LANES * t + i);
        for (size_t i = 0; i < 8; i++)
            words[i] = v[i][t];
        v_store_rows(words, rows);
    }
}

/* Below this many, one after the other is faster than a group however full. */
enum { HMAC_FEW = 2 };

void ISA(ehc_hmac_many)(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *messages, size_t n,
                        uint8_t *macs)
{
    uint8_t padded[HMAC_GROUP][32];
    for (; n >= HMAC_GROUP; n -= HMAC_GROUP, messages += 32 * HMAC_GROUP, macs += 32 * HMAC_GROUP)
        hmac_group(inner, outer, messages, macs);
    if (n <= HMAC_FEW) {
        ehc_hmac_many_portable(inner, outer, messages, n, macs);
        return;
    }
    memset(padded, 0, sizeof padded);
    memcpy(padded, messages, 32 * n);
    hmac_group(inner, outer, padded[0], padded[0]);
    memcpy(macs, padded, 32 * n);
}
