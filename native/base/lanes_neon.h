/* lanes_neon.h: four 32-bit lanes on NEON (AArch64, little-endian). The SM4 S-box is AESE; with LANES_TBL defined, for
 * processors without the AES instructions, it is four look-ups in registers. With LANES_ARMV8 the SM3 and SM4
 * instructions do the work (sm3_armv8_body.h, sm4_instructions_body.h). Included by the x4 kernels only.
 *
 * A vector holds one 32-bit word of four independent rows. The affine maps around AESE and their constants are those of
 * lanes_avx2.h, where they are explained; tests/native/test_aarch64.py holds the two against each other. No memory is
 * indexed by a secret. */
#ifndef EHC_LANES_NEON_H
#define EHC_LANES_NEON_H

#if defined(__clang__) && defined(LANES_ARMV8)
#pragma clang attribute push(__attribute__((target("sm4"))), apply_to = function)
#elif defined(__clang__) && !defined(LANES_TBL)
#pragma clang attribute push(__attribute__((target("aes"))), apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("neon"))), apply_to = function)
#elif defined(LANES_ARMV8)
#pragma GCC target("arch=armv8.2-a+sm4")
#elif !defined(LANES_TBL)
#pragma GCC target("+crypto")
#endif

#include <arm_neon.h>

#include "base.h"
#include "kernels.h"

enum { LANES = 4 };
typedef uint32x4_t vec;

static inline uint8x16_t as_bytes(vec x)
{
    return vreinterpretq_u8_u32(x);
}

static inline vec as_words(uint8x16_t x)
{
    return vreinterpretq_u32_u8(x);
}

static inline vec v_xor(vec a, vec b)
{
    return veorq_u32(a, b);
}

static inline vec v_add(vec a, vec b)
{
    return vaddq_u32(a, b);
}

static inline vec v_set(uint32_t x)
{
    return vdupq_n_u32(x);
}

static inline uint32_t v_first(vec a)
{
    return vgetq_lane_u32(a, 0);
}

static inline vec v_not(vec a)
{
    return vmvnq_u32(a);
}

/* Where x and y differ z decides; BSL is the choice itself. */
static inline vec v_majority(vec x, vec y, vec z)
{
    return vbslq_u32(v_xor(x, y), z, y);
}

static inline vec v_choose(vec x, vec y, vec z)
{
    return vbslq_u32(x, y, z);
}

/* Shift left, then shift right and insert: the numbers of bits are immediates. */
#define v_rotl(x, n) vsriq_n_u32(vshlq_n_u32(x, n), x, 32 - (n))

#define TABLE(name, ...) static const uint8_t name[16] = {__VA_ARGS__};

TABLE(TURN_8, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)

static inline vec permute(vec x, const uint8_t table[16])
{
    return as_words(vqtbl1q_u8(as_bytes(x), vld1q_u8(table)));
}

static inline vec v_rotl8(vec x)
{
    return permute(x, TURN_8);
}

static inline vec swap_bytes(vec x)
{
    return as_words(vrev32q_u8(as_bytes(x)));
}

#if defined(LANES_ARMV8)

/* What sm4_instructions_body.h asks for: four rounds of SM4 (GB/T 32907 6.2), and of its key schedule (7.3). */
static inline vec v_sm4_rounds(vec block, vec round_keys)
{
    return vsm4eq_u32(block, round_keys);
}

static inline vec v_sm4_keys(vec key, vec constants)
{
    return vsm4ekeyq_u32(key, constants);
}

static inline vec v_quad(const uint32_t words[4])
{
    return vld1q_u32(words);
}

static inline void v_first_quad(vec x, uint32_t words[4])
{
    vst1q_u32(words, x);
}

static inline vec v_turn_words(vec x)
{
    return vextq_u32(vrev64q_u32(x), vrev64q_u32(x), 2);
}

/* Byte order of a whole block, so that the words turn round too. */
static inline vec v_turn_blocks(vec x)
{
    return v_turn_words(swap_bytes(x));
}

static inline vec v_load_bytes(const uint8_t *from)
{
    return as_words(vld1q_u8(from));
}

static inline void v_store_bytes(vec x, uint8_t *to)
{
    vst1q_u8(to, as_bytes(x));
}

#elif defined(LANES_TBL)

/* Sixteen registers hold the S-box; a look-up gives 0 (TBL) or leaves the byte (TBX) past its 64 entries. */
static inline vec sbox(vec x)
{
    const uint8x16_t step = vdupq_n_u8(64);
    uint8x16_t at = as_bytes(x), found = vqtbl4q_u8(vld1q_u8_x4(ehc_sm4_sbox), at);
    for (int quarter = 1; quarter < 4; quarter++) {
        at = vsubq_u8(at, step);
        found = vqtbx4q_u8(found, vld1q_u8_x4(ehc_sm4_sbox + 64 * quarter), at);
    }
    return as_words(found);
}

/* Words stay in the field of SM4. */
#define sm4_enter(x) (x)
#define sm4_leave(x) (x)
#define sm4_enter_key(x) (x)
#define sm4_leave_key(x) (x)

/* T and T' of GB/T 32907 6.2 and 7.3; rotations by 2, 10 and 18 are one by 2 behind the sum of those by 0, 8 and 16. */
static inline vec sm4_t(vec x)
{
    vec b = sbox(x), b8 = v_rotl8(b);
    vec b16 = vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(b)));
    vec sum = v_xor(b, v_xor(b8, b16));
    return v_xor(v_xor(b, v_rotl8(b16)), v_rotl(sum, 2));
}

static inline vec sm4_t_key(vec x)
{
    vec b = sbox(x);
    return v_xor(b, v_xor(v_rotl(b, 13), v_rotl(b, 23)));
}

#else

/* Byte b of every 32-bit word, taken from where AESE's ShiftRows put the wanted byte: these undo it and rotate. */
TABLE(ROTATE_0, 0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3)
TABLE(ROTATE_8, 7, 0, 13, 10, 11, 4, 1, 14, 15, 8, 5, 2, 3, 12, 9, 6)
TABLE(ROTATE_16, 10, 7, 0, 13, 14, 11, 4, 1, 2, 15, 8, 5, 6, 3, 12, 9)
TABLE(ROTATE_24, 13, 10, 7, 0, 1, 14, 11, 4, 5, 2, 15, 8, 9, 6, 3, 12)

TABLE(ENTER_LOW, 0x00, 0x8C, 0x30, 0xBC, 0x85, 0x09, 0xB5, 0x39, 0x9F, 0x13, 0xAF, 0x23, 0x1A, 0x96, 0x2A, 0xA6)
TABLE(ENTER_HIGH, 0x00, 0xDC, 0x2E, 0xF2, 0xC5, 0x19, 0xEB, 0x37, 0x08, 0xD4, 0x26, 0xFA, 0xCD, 0x11, 0xE3, 0x3F)
TABLE(LEAVE_LOW, 0x00, 0x85, 0xD9, 0x5C, 0x2E, 0xAB, 0xF7, 0x72, 0x80, 0x05, 0x59, 0xDC, 0xAE, 0x2B, 0x77, 0xF2)
TABLE(LEAVE_HIGH, 0x00, 0x55, 0x57, 0x02, 0x44, 0x11, 0x13, 0x46, 0xAF, 0xFA, 0xF8, 0xAD, 0xEB, 0xBE, 0xBC, 0xE9)
TABLE(POST_LOW, 0x6C, 0xD4, 0xA6, 0x1E, 0x52, 0xEA, 0x98, 0x20, 0x0B, 0xB3, 0xC1, 0x79, 0x35, 0x8D, 0xFF, 0x47)
TABLE(POST_HIGH, 0x00, 0xE0, 0x50, 0xB0, 0x9D, 0x7D, 0xCD, 0x2D, 0xC0, 0x20, 0x90, 0x70, 0x5D, 0xBD, 0x0D, 0xED)
TABLE(POST_P_LOW, 0x0B, 0x8D, 0xD8, 0x5E, 0x73, 0xF5, 0xA0, 0x26, 0x17, 0x91, 0xC4, 0x42, 0x6F, 0xE9, 0xBC, 0x3A)
TABLE(POST_P_HIGH, 0x00, 0xEB, 0xDC, 0x37, 0xF0, 0x1B, 0x2C, 0xC7, 0xCD, 0x26, 0x11, 0xFA, 0x3D, 0xD6, 0xE1, 0x0A)
TABLE(POST_Q_LOW, 0x76, 0xA5, 0x7B, 0xA8, 0xD6, 0x05, 0xDB, 0x08, 0x34, 0xE7, 0x39, 0xEA, 0x94, 0x47, 0x99, 0x4A)
TABLE(POST_Q_HIGH, 0x00, 0xB4, 0x49, 0xFD, 0x82, 0x36, 0xCB, 0x7F, 0xBC, 0x08, 0xF5, 0x41, 0x3E, 0x8A, 0x77, 0xC3)
enum { KEY_CONSTANT = 0x3E };

typedef struct {
    uint8x16_t low, high;
} nibbles;

static inline nibbles split(uint8x16_t x)
{
    return (nibbles){vandq_u8(x, vdupq_n_u8(15)), vshrq_n_u8(x, 4)};
}

/* An affine map of every byte: the image of its low nibble plus that of its high one. */
static inline vec look_up(nibbles x, const uint8_t low[16], const uint8_t high[16])
{
    return as_words(veorq_u8(vqtbl1q_u8(vld1q_u8(low), x.low), vqtbl1q_u8(vld1q_u8(high), x.high)));
}

/* SubBytes and ShiftRows; gcc folds the sum before it into AESE's key operand. */
static inline nibbles aes_sub_bytes(vec x)
{
    return split(vaeseq_u8(as_bytes(x), vdupq_n_u8(0)));
}

/* Words in the AES field: a block enters once, stays there through all rounds, and leaves once. */
static inline vec sm4_enter(vec x)
{
    return look_up(split(as_bytes(x)), ENTER_LOW, ENTER_HIGH);
}

static inline vec sm4_leave(vec x)
{
    return look_up(split(as_bytes(x)), LEAVE_LOW, LEAVE_HIGH);
}

/* Keys carry the constant of PRE, so that three state words plus a round key are PRE of their sum. */
static inline vec sm4_enter_key(vec x)
{
    return v_xor(sm4_enter(x), as_words(vdupq_n_u8(KEY_CONSTANT)));
}

static inline vec sm4_leave_key(vec x)
{
    return sm4_leave(v_xor(x, as_words(vdupq_n_u8(KEY_CONSTANT))));
}

/* T of GB/T 32907 6.2 inside the AES field, as in lanes_avx2.h. */
static inline vec sm4_t(vec x)
{
    nibbles z = aes_sub_bytes(x);
    vec p = look_up(z, POST_P_LOW, POST_P_HIGH), q = look_up(z, POST_Q_LOW, POST_Q_HIGH);
    vec near = v_xor(permute(p, ROTATE_0), permute(q, ROTATE_8));
    return v_xor(near, v_xor(permute(q, ROTATE_16), permute(v_xor(p, q), ROTATE_24)));
}

/* T' of 7.3: L'(B) = B ^ B<<<13 ^ B<<<23. */
static inline vec sm4_t_key(vec x)
{
    vec b = permute(look_up(aes_sub_bytes(x), POST_LOW, POST_HIGH), ROTATE_0);
    return sm4_enter(v_xor(b, v_xor(v_rotl(b, 13), v_rotl(b, 23))));
}

#endif

/* 4×4 transpose of 32-bit words: row i in r[i] to word i of all rows. */
static inline void transpose(vec r[4])
{
    uint32x4x2_t even = vtrnq_u32(r[0], r[1]), odd = vtrnq_u32(r[2], r[3]);
    for (int i = 0; i < 2; i++) {
        r[i] = vcombine_u32(vget_low_u32(even.val[i]), vget_low_u32(odd.val[i]));
        r[i + 2] = vcombine_u32(vget_high_u32(even.val[i]), vget_high_u32(odd.val[i]));
    }
}

/* Words 0..7 (big-endian, 32 bytes) of LANES rows that lie `stride` bytes apart, into w[word], lane = row. */
static inline void v_load_rows(const uint8_t *rows, size_t stride, vec w[8])
{
    for (size_t half = 0; half < 2; half++) {
        for (size_t i = 0; i < 4; i++)
            w[4 * half + i] = swap_bytes(as_words(vld1q_u8(rows + i * stride + 16 * half)));
        transpose(w + 4 * half);
    }
}

/* The way back, row by row to its own place. */
static inline void v_store_rows(const vec w[8], uint8_t *const rows[4])
{
    for (size_t half = 0; half < 2; half++) {
        vec r[4];
        memcpy(r, w + 4 * half, sizeof r);
        transpose(r);
        for (size_t i = 0; i < 4; i++)
            vst1q_u8(rows[i] + 16 * half, as_bytes(swap_bytes(r[i])));
    }
}

/* 32 bytes of `from` where `keep` is all ones, zero where it is zero. */
static inline void v_stage32(uint8_t *to, const uint8_t *from, const uint8_t *keep)
{
    for (size_t i = 0; i < 32; i += 16)
        vst1q_u8(to + i, vandq_u8(vld1q_u8(from + i), vld1q_u8(keep + i)));
}

/* Words 0..3 of LANES 16-byte blocks in a row, and back. */
static inline void v_load_blocks(const uint8_t *blocks, vec w[4])
{
    for (size_t i = 0; i < 4; i++)
        w[i] = swap_bytes(as_words(vld1q_u8(blocks + 16 * i)));
    transpose(w);
}

static inline void v_store_blocks(const vec w[4], uint8_t *blocks)
{
    vec r[4];
    memcpy(r, w, sizeof r);
    transpose(r);
    for (size_t i = 0; i < 4; i++)
        vst1q_u8(blocks + 16 * i, as_bytes(swap_bytes(r[i])));
}

#endif
