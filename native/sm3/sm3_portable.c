/* sm3_portable.c: SM3 as GB/T 32905-2016 writes it, one message. The readable specification; constant time, since it
 * has neither tables nor branches on the message. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-vectorize") /* gcc 12 expands the message in pairs through memory: half the speed */
#endif

#include "base.h"
#include "cpu.h"
#include "dispatch.h"
#include "kernels.h"
#include "sm_ni.h"

/* 5.3.3, the compression function; j is the round, 4.2 T_j, 4.3 FF_j and GG_j, 4.4 P_0 and P_1. */
static uint32_t p0(uint32_t x)
{
    return x ^ rotl32(x, 9) ^ rotl32(x, 17);
}

static uint32_t p1(uint32_t x)
{
    return x ^ rotl32(x, 15) ^ rotl32(x, 23);
}

static uint32_t ff(unsigned j, uint32_t x, uint32_t y, uint32_t z)
{
    return j < 16 ? x ^ y ^ z : (x & y) | (x & z) | (y & z);
}

static uint32_t gg(unsigned j, uint32_t x, uint32_t y, uint32_t z)
{
    return j < 16 ? x ^ y ^ z : (x & y) | (~x & z);
}

static uint32_t round_constant(unsigned j)
{
    uint32_t t = j < 16 ? 0x79CC4519u : 0x7A879D8Au;
    return j % 32 == 0 ? t : rotl32(t, j % 32);
}

/* 5.3.2, message expansion. */
static void expand(const uint8_t block[64], uint32_t w[68])
{
    for (unsigned j = 0; j < 16; j++)
        w[j] = load32(block + 4 * j);
    for (unsigned j = 16; j < 68; j++)
        w[j] = p1(w[j - 16] ^ w[j - 9] ^ rotl32(w[j - 3], 15)) ^ rotl32(w[j - 13], 7) ^ w[j - 6];
}

static void compress(uint32_t v[8], const uint8_t block[64])
{
    uint32_t w[68];
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
    expand(block, w);
    for (unsigned j = 0; j < 64; j++) {
        uint32_t ss1 = rotl32(rotl32(a, 12) + e + round_constant(j), 7);
        uint32_t ss2 = ss1 ^ rotl32(a, 12);
        uint32_t tt1 = ff(j, a, b, c) + d + ss2 + (w[j] ^ w[j + 4]);
        uint32_t tt2 = gg(j, e, f, g) + h + ss1 + w[j];
        d = c;
        c = rotl32(b, 9);
        b = a;
        a = tt1;
        h = g;
        g = rotl32(f, 19);
        f = e;
        e = p0(tt2);
    }
    v[0] ^= a, v[1] ^= b, v[2] ^= c, v[3] ^= d;
    v[4] ^= e, v[5] ^= f, v[6] ^= g, v[7] ^= h;
    ehc_wipe(w, sizeof w);
}

/* As the chosen tier has it: on x86-64 one with the SM3 instructions takes sm3_sm_ni.c, one with BMI2 sm3_bmi2.c. */
void ehc_sm3_compress(uint32_t state[8], const uint8_t *blocks, size_t count)
{
#if defined(EHC_HAS_SM_NI)
    if (ehc_tier_current()->needs & CPU_SM3) {
        ehc_sm3_compress_sm_ni(state, blocks, count);
        return;
    }
#endif
#if defined(__x86_64__)
    if (ehc_tier_current()->needs & CPU_BMI2) {
        ehc_sm3_compress_bmi2(state, blocks, count);
        return;
    }
#endif
    for (; count > 0; count--, blocks += 64)
        compress(state, blocks);
}

void ehc_sm3_init(ehc_sm3_ctx *ctx)
{
    static const uint32_t IV[8] = {0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600,
                                   0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E}; /* 4.1 */
    memcpy(ctx->state, IV, sizeof IV);
    ctx->length = 0;
}

void ehc_sm3_update(ehc_sm3_ctx *ctx, const uint8_t *data, size_t length)
{
    size_t held = ctx->length % 64;
    if (length == 0) /* data may be NULL */
        return;
    ctx->length += length;
    if (held != 0) {
        size_t take = length < 64 - held ? length : 64 - held;
        memcpy(ctx->block + held, data, take);
        if (held + take < 64)
            return;
        ehc_sm3_compress(ctx->state, ctx->block, 1);
        data += take;
        length -= take;
    }
    ehc_sm3_compress(ctx->state, data, length / 64);
    if (length % 64 != 0)
        memcpy(ctx->block, data + length / 64 * 64, length % 64);
}

/* 5.2, padding: one bit, zeros, the length in bits. */
void ehc_sm3_final(ehc_sm3_ctx *ctx, uint8_t digest[32])
{
    uint8_t tail[128] = {0};
    size_t held = ctx->length % 64, total = held < 56 ? 64 : 128;
    memcpy(tail, ctx->block, held);
    tail[held] = 0x80;
    store64(tail + total - 8, ctx->length * 8);
    ehc_sm3_compress(ctx->state, tail, total / 64);
    for (size_t i = 0; i < 8; i++)
        store32(digest + 4 * i, ctx->state[i]);
    ehc_wipe(tail, sizeof tail);
    ehc_wipe(ctx, sizeof *ctx);
}

void ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32])
{
    ehc_sm3_ctx ctx;
    ehc_sm3_init(&ctx);
    ehc_sm3_update(&ctx, data, length);
    ehc_sm3_final(&ctx, digest);
}
