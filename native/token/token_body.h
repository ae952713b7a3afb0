/* token_body.h: SM4 under many keys and HMAC-SM3 across lanes, written once. Include a lanes_<isa>.h, define STREAMS, ISA(name)
 * and EXPAND, then include sm3_lanes_body.h, sm4_lanes_body.h and this. token_portable.c says what is computed. */
#include "sm4_one_body.h"
#include "sm4_words_body.h"

enum { GROUP = LANES * STREAMS };

typedef struct {
    vec constants[32];
    vec round_keys[32][STREAMS];
    uint8_t keys[GROUP][16], in[GROUP][16], out[GROUP][16]; /* of a group that is not full */
} many;

static inline void many_group(many *m, const uint8_t *keys, const uint8_t *in, uint8_t *out, int decrypt)
{
    vec x[4][STREAMS];
    sm4_load_state(keys, x);
    sm4_expand_lanes(m->constants, x, m->round_keys);
    if (decrypt)
        sm4_reverse_keys(m->round_keys);
    sm4_load_state(in, x);
    sm4_rounds_many_keys(m->round_keys, x);
    sm4_store_state(x, out);
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
