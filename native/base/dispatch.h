/* dispatch.h: what a tier offers. One row of the table in dispatch.c is one tier. */
#ifndef EHC_DISPATCH_H
#define EHC_DISPATCH_H

#include "base.h"

/* What a tier offers for tokens; token/token_portable.c says what each does. Buffers of n rows have no room behind. */
typedef struct {
    /* n bytes to 2·n upper-case digits */
    void (*hex_encode)(const uint8_t *data, size_t n, uint8_t *text);
    /* 2·n digits of either case to n bytes; 0 when one is no digit (data then means nothing) */
    int (*hex_decode)(const uint8_t *text, size_t n, uint8_t *data);
    /* canonical[i] = 1 where row i is 64 digits, ":0:", 32 digits, and its token's bytes at blocks + 16·i */
    void (*scan)(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *blocks, uint8_t *canonical);
    /* profile N: n blocks under one key; times[i] is 0 where authentic[i] is 0 */
    void (*times)(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *times, uint8_t *authentic);
    /* steps 4 and 5 of n rows: a status of 0, for what passed step 2, becomes the verdict on times[i] + shift, an expiry
     * from `low` to `high`; expiry[i] is 0 unless authentic */
    void (*judge)(const int64_t *times, const uint8_t *authentic, size_t n, int64_t shift, int64_t low, int64_t high,
                  int64_t *expiry, uint8_t *status);
    /* SM4 of block i under key i; in place is allowed */
    void (*sm4_many_keys)(const uint8_t *keys, const uint8_t *in, uint8_t *out, size_t n, int decrypt);
    /* HMAC-SM3 of n messages of 32 bytes, 32 bytes each; inner and outer: the states behind the key's two pads */
    void (*hmac_many)(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *messages, size_t n,
                      uint8_t *macs);
    /* base45: n groups of 2 bytes to 3 characters each, and back; 0 when a character or a group is none (data then means
     * nothing) */
    void (*base45_encode)(const uint8_t *data, size_t n, uint8_t *text);
    int (*base45_decode)(const uint8_t *text, size_t n, uint8_t *data);
    /* compact[i] = 1 where row i is "EHC2:" and 24 groups: 32 bytes at messages, their second half also at aliases + 16·i,
     * 16 at macs */
    void (*compact_scan)(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *messages, uint8_t *aliases,
                         uint8_t *macs, uint8_t *compact);
    /* the way back: of n rows, 32 bytes at messages and the first 16 of 32 at macs to EHC_COMPACT_LENGTH characters */
    void (*compact_write)(const uint8_t *messages, const uint8_t *macs, size_t n, uint8_t *texts);
} ehc_token_kernels;

typedef struct {
    const char *name;
    unsigned needs; /* CPU_* bits of cpu.h */
    void (*sm4_expand)(const uint8_t raw[16], uint32_t round_keys[32]);
    void (*sm4_blocks)(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks);
    size_t (*derive)(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths,
                     size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status);
    /* the same with the shortest way through for EHC_FEW rows or fewer */
    size_t (*derive_few)(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets,
                         const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status);
    /* card ids under two keys: ehc_rekey_batch */
    size_t (*rekey)(const uint32_t old_root[32], const uint32_t new_root[32], const uint8_t *data,
                    const uint32_t *offsets, const uint8_t *id_lengths, size_t n, uint8_t *old_card_id,
                    uint8_t *new_card_id, uint8_t *status);
    ehc_token_kernels token;
} ehc_tier;

/* The chosen tier; valid after ehc_init. */
const ehc_tier *ehc_tier_current(void);
int ehc_selftest(const ehc_tier *tier);

#endif
