/* kernels.h: the functions that the dispatch table names, one group a tier. */
#ifndef EHC_KERNELS_H
#define EHC_KERNELS_H

#include "base.h"

#define DECLARE_EXPAND(name) void name(const uint8_t raw[16], uint32_t round_keys[32]);
#define DECLARE_BLOCKS(name) void name(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks);
#define DECLARE_DERIVE(name)                                                                                      \
    size_t name(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, \
                size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status);

DECLARE_EXPAND(ehc_sm4_expand_portable)
DECLARE_BLOCKS(ehc_sm4_portable)
DECLARE_DERIVE(ehc_derive_portable)

#if defined(__x86_64__)
DECLARE_EXPAND(ehc_sm4_expand_avx512)
DECLARE_BLOCKS(ehc_sm4_x16_avx512)
DECLARE_DERIVE(ehc_derive_x16_avx512)
DECLARE_EXPAND(ehc_sm4_expand_vaes)
DECLARE_BLOCKS(ehc_sm4_x8_vaes)
DECLARE_DERIVE(ehc_derive_x8_vaes)
DECLARE_EXPAND(ehc_sm4_expand_aesni)
DECLARE_BLOCKS(ehc_sm4_x8_avx2)
DECLARE_DERIVE(ehc_derive_x8_avx2)
#endif

/* SM3 of one message of any length, used by every tier for rows of more than two blocks. SM3 has no secret-indexed
 * table: the portable form is constant time in the message. */
void ehc_sm3_compress(uint32_t state[8], const uint8_t *blocks, size_t count);

/* The row check shared by every tier: EHC_OK or EHC_ROW_*. */
int ehc_row_status(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i);

#endif
