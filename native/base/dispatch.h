/* dispatch.h: what a tier offers. One row of the table in dispatch.c is one tier. */
#ifndef EHC_DISPATCH_H
#define EHC_DISPATCH_H

#include "base.h"

typedef struct {
    const char *name;
    unsigned needs; /* CPU_* bits of cpu.h */
    void (*sm4_expand)(const uint8_t raw[16], uint32_t round_keys[32]);
    void (*sm4_blocks)(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks);
    size_t (*derive)(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths,
                     size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status);
} ehc_tier;

/* The chosen tier; valid after ehc_init. */
const ehc_tier *ehc_tier_current(void);
int ehc_selftest(const ehc_tier *tier);

#endif
