/* kernels.h: the functions that the dispatch table names, one group a tier. */
#ifndef EHC_KERNELS_H
#define EHC_KERNELS_H

#include "base.h"

#define DECLARE_EXPAND(name) void name(const uint8_t raw[16], uint32_t round_keys[32]);
#define DECLARE_BLOCKS(name) void name(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks);
#define DECLARE_DERIVE(name)                                                                                      \
    size_t name(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, \
                size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status);
#define DECLARE_REKEY(name)                                                                         \
    size_t name(const uint32_t old_root[32], const uint32_t new_root[32], const uint8_t *data,      \
                const uint32_t *offsets, const uint8_t *id_lengths, size_t n, uint8_t *old_card_id, \
                uint8_t *new_card_id, uint8_t *status);

/* The token kernels of a tier (dispatch.h says what each does). */
#define DECLARE_TOKEN(isa)                                                                                           \
    void ehc_hex_encode_##isa(const uint8_t *data, size_t n, uint8_t *text);                                         \
    int ehc_hex_decode_##isa(const uint8_t *text, size_t n, uint8_t *data);                                          \
    void ehc_token_scan_##isa(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *blocks,               \
                              uint8_t *canonical);                                                                   \
    void ehc_token_times_##isa(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *times,          \
                               uint8_t *authentic);                                                                  \
    void ehc_token_judge_##isa(const int64_t *times, const uint8_t *authentic, size_t n, int64_t shift, int64_t low, \
                               int64_t high, int64_t *expiry, uint8_t *status);                                      \
    void ehc_sm4_many_keys_##isa(const uint8_t *keys, const uint8_t *in, uint8_t *out, size_t n, int decrypt);       \
    void ehc_hmac_many_##isa(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *messages, size_t n,    \
                             uint8_t *macs);                                                                         \
    void ehc_base45_encode_##isa(const uint8_t *data, size_t n, uint8_t *text);                                      \
    int ehc_base45_decode_##isa(const uint8_t *text, size_t n, uint8_t *data);                                       \
    void ehc_compact_scan_##isa(const uint8_t *data, const uint32_t *offsets, size_t n, uint8_t *messages,           \
                                uint8_t *aliases, uint8_t *macs, uint8_t *compact);                                  \
    void ehc_compact_write_##isa(const uint8_t *messages, const uint8_t *macs, size_t n, uint8_t *texts);
#define TOKEN_KERNELS(isa)                                                                              \
    {ehc_hex_encode_##isa,    ehc_hex_decode_##isa,    ehc_token_scan_##isa,   ehc_token_times_##isa,   \
     ehc_token_judge_##isa,   ehc_sm4_many_keys_##isa, ehc_hmac_many_##isa,    ehc_base45_encode_##isa, \
     ehc_base45_decode_##isa, ehc_compact_scan_##isa,  ehc_compact_write_##isa}

/* The same for a tier that leaves the text to the portable kernels and has its ciphers in lanes. */
#define DECLARE_TOKEN_CIPHERS(isa)                                                                                \
    void ehc_token_times_##isa(const uint32_t decrypt[32], const uint8_t *blocks, size_t n, int64_t *times,       \
                               uint8_t *authentic);                                                               \
    void ehc_sm4_many_keys_##isa(const uint8_t *keys, const uint8_t *in, uint8_t *out, size_t n, int decrypt);    \
    void ehc_hmac_many_##isa(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *messages, size_t n, \
                             uint8_t *macs);
#define TOKEN_CIPHERS(isa)                                                                                         \
    {ehc_hex_encode_portable,    ehc_hex_decode_portable,   ehc_token_scan_portable,   ehc_token_times_##isa,      \
     ehc_token_judge_portable,   ehc_sm4_many_keys_##isa,   ehc_hmac_many_##isa,       ehc_base45_encode_portable, \
     ehc_base45_decode_portable, ehc_compact_scan_portable, ehc_compact_write_portable}

/* Up to so many rows take a tier's derive_few. */
enum { EHC_FEW = 16 };

/* Length of the one form that the scan knows; all others are payload.c's. */
enum { EHC_CANONICAL = 64 + 3 + 32 };

DECLARE_TOKEN(portable)
DECLARE_EXPAND(ehc_sm4_expand_portable)
DECLARE_BLOCKS(ehc_sm4_portable)
DECLARE_DERIVE(ehc_derive_portable)
DECLARE_EXPAND(ehc_sm4_expand_portable_ct)
DECLARE_BLOCKS(ehc_sm4_x32_portable_ct)
DECLARE_DERIVE(ehc_derive_x32_portable_ct)
DECLARE_REKEY(ehc_rekey_portable_ct)
DECLARE_TOKEN_CIPHERS(portable_ct)
DECLARE_REKEY(ehc_rekey_portable)

#if defined(__x86_64__)
DECLARE_TOKEN(avx512)
DECLARE_TOKEN(vaes)
DECLARE_TOKEN(avx2)
DECLARE_EXPAND(ehc_sm4_expand_avx512)
DECLARE_BLOCKS(ehc_sm4_x16_avx512)
DECLARE_DERIVE(ehc_derive_x16_avx512)
DECLARE_DERIVE(ehc_derive_few_avx512)
DECLARE_REKEY(ehc_rekey_avx512)
DECLARE_TOKEN(sm_ni)
DECLARE_EXPAND(ehc_sm4_expand_sm_ni)
DECLARE_BLOCKS(ehc_sm4_x8_sm_ni)
DECLARE_DERIVE(ehc_derive_x8_sm_ni)
DECLARE_REKEY(ehc_rekey_sm_ni)
DECLARE_EXPAND(ehc_sm4_expand_vaes)
DECLARE_BLOCKS(ehc_sm4_x8_vaes)
DECLARE_DERIVE(ehc_derive_x8_vaes)
DECLARE_DERIVE(ehc_derive_few_vaes)
DECLARE_REKEY(ehc_rekey_vaes)
DECLARE_EXPAND(ehc_sm4_expand_aesni)
DECLARE_BLOCKS(ehc_sm4_x8_avx2)
DECLARE_DERIVE(ehc_derive_x8_avx2)
DECLARE_DERIVE(ehc_derive_few_avx2)
DECLARE_REKEY(ehc_rekey_avx2)
#endif

#if defined(__AARCH64EL__)
DECLARE_TOKEN_CIPHERS(armv8)
DECLARE_EXPAND(ehc_sm4_expand_armv8)
DECLARE_BLOCKS(ehc_sm4_x4_armv8)
DECLARE_DERIVE(ehc_derive_x4_armv8)
DECLARE_REKEY(ehc_rekey_armv8)
DECLARE_TOKEN_CIPHERS(neon)
DECLARE_EXPAND(ehc_sm4_expand_neon)
DECLARE_BLOCKS(ehc_sm4_x4_neon)
DECLARE_DERIVE(ehc_derive_x4_neon)
DECLARE_REKEY(ehc_rekey_neon)
DECLARE_TOKEN_CIPHERS(neon_tbl)
DECLARE_EXPAND(ehc_sm4_expand_neon_tbl)
DECLARE_BLOCKS(ehc_sm4_x4_neon_tbl)
DECLARE_DERIVE(ehc_derive_x4_neon_tbl)
DECLARE_REKEY(ehc_rekey_neon_tbl)
#endif

/* 6.2 a) of GB/T 32907, for sm4_portable.c and for the tier that looks it up in registers. */
extern const uint8_t ehc_sm4_sbox[256];

/* SM3 of one message of any length, used by every tier for rows of more than two blocks. SM3 has no secret-indexed
 * table: the portable form is constant time in the message. */
void ehc_sm3_compress(uint32_t state[8], const uint8_t *blocks, size_t count);
void ehc_sm3_compress_bmi2(uint32_t state[8], const uint8_t *blocks, size_t count);
void ehc_sm3_compress_sm_ni(uint32_t state[8], const uint8_t *blocks, size_t count);

/* The row check shared by every tier: EHC_OK or EHC_ROW_*. */
int ehc_row_status(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i);

#endif
