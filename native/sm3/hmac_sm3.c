/* hmac_sm3.c: RFC 2104 over SM3 (GB/T 15852.2), block 64 bytes, tag 32 bytes. */
#include "base.h"

static void start(ehc_sm3_ctx *ctx, const uint8_t key[64], uint8_t pad)
{
    uint8_t block[64];
    for (size_t i = 0; i < 64; i++)
        block[i] = key[i] ^ pad;
    ehc_sm3_init(ctx);
    ehc_sm3_update(ctx, block, 64);
    ehc_wipe(block, sizeof block);
}

void ehc_hmac_sm3(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length, uint8_t mac[32])
{
    uint8_t padded[64] = {0}, inner[32];
    ehc_sm3_ctx ctx;
    if (key_length > 64)
        ehc_sm3(key, key_length, padded);
    else if (key_length > 0)
        memcpy(padded, key, key_length);

    start(&ctx, padded, 0x36);
    ehc_sm3_update(&ctx, data, length);
    ehc_sm3_final(&ctx, inner);

    start(&ctx, padded, 0x5C);
    ehc_sm3_update(&ctx, inner, sizeof inner);
    ehc_sm3_final(&ctx, mac);

    ehc_wipe(padded, sizeof padded);
    ehc_wipe(inner, sizeof inner);
}
