/* sdf_modes.c: ECB, CBC, CFB, OFB, CTR and CBC-MAC of SM4 (GB/T 17964), HMAC-SM3. No branch and no address depends on a key
 * or a text. */
#include "sdf_modes.h"
#include "sgd.h"

void sdf_cipher_start(sdf_cipher *c, const uint8_t key[16], unsigned mode, int decrypt, const uint8_t iv[16])
{
    memset(c, 0, sizeof *c);
    ehc_sm4_set_key(&c->key, key);
    c->mode = mode;
    c->decrypt = decrypt;
    if (iv != NULL)
        memcpy(c->iv, iv, 16);
}

static void xor_into(uint8_t *to, const uint8_t *a, const uint8_t *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = a[i] ^ b[i];
}

static void chain(sdf_cipher *c, const uint8_t *block)
{
    xor_into(c->iv, c->iv, block, 16);
    ehc_sm4_encrypt(&c->key, c->iv, c->iv, 1);
}

/* Up to 16 blocks of CBC backwards, last one first, so that `out` may be `in`. */
static void unchain(sdf_cipher *c, const uint8_t *in, uint8_t *out, size_t blocks)
{
    uint8_t clear[256], last[16];
    ehc_sm4_decrypt(&c->key, in, clear, blocks);
    memcpy(last, in + 16 * (blocks - 1), 16);
    for (size_t i = blocks - 1; i > 0; i--)
        xor_into(out + 16 * i, clear + 16 * i, in + 16 * (i - 1), 16);
    xor_into(out, clear, c->iv, 16);
    memcpy(c->iv, last, 16);
    ehc_wipe(clear, sizeof clear);
}

static void whole_blocks(sdf_cipher *c, const uint8_t *in, uint8_t *out, size_t blocks)
{
    if (c->mode == SGD_ECB) {
        (c->decrypt ? ehc_sm4_decrypt : ehc_sm4_encrypt)(&c->key, in, out, blocks);
        return;
    }
    for (size_t step; blocks > 0; in += 16 * step, out += out == NULL ? 0 : 16 * step, blocks -= step) {
        step = c->decrypt ? (blocks < 16 ? blocks : 16) : 1;
        if (c->decrypt) {
            unchain(c, in, out, step);
            continue;
        }
        chain(c, in);
        if (out != NULL)
            memcpy(out, c->iv, 16);
    }
}

static void count_up(uint8_t counter[16])
{
    unsigned carry = 1;
    for (size_t i = 16; i-- > 0;) {
        carry += counter[i];
        counter[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* Keystream for the next bytes, of at most `length`. CFB's next block needs the ciphertext of this one. */
static void more_pad(sdf_cipher *c, size_t length)
{
    size_t blocks = c->mode != SGD_CTR ? 1 : length >= 256 ? 16 : (length + 15) / 16;
    for (size_t i = 0; i < blocks; i++) {
        memcpy(c->pad + 16 * i, c->iv, 16);
        if (c->mode == SGD_CTR)
            count_up(c->iv);
    }
    ehc_sm4_encrypt(&c->key, c->pad, c->pad, blocks);
    if (c->mode == SGD_OFB)
        memcpy(c->iv, c->pad, 16);
    c->used = 0;
    c->ready = 16 * blocks;
}

static void stream(sdf_cipher *c, const uint8_t *in, size_t length, uint8_t *out)
{
    for (size_t part; length > 0; in += part, out += part, length -= part) {
        if (c->used == c->ready)
            more_pad(c, length);
        part = c->ready - c->used < length ? c->ready - c->used : length;
        if (c->mode == SGD_CFB && c->decrypt)
            memcpy(c->iv + c->used, in, part);
        xor_into(out, in, c->pad + c->used, part);
        if (c->mode == SGD_CFB && !c->decrypt)
            memcpy(c->iv + c->used, out, part);
        c->used += part;
    }
}

size_t sdf_cipher_update(sdf_cipher *c, const uint8_t *in, size_t length, uint8_t *out)
{
    if (c->mode == SGD_CFB || c->mode == SGD_OFB || c->mode == SGD_CTR) {
        stream(c, in, length, out);
        return length;
    }
    size_t written = 0;
    if (c->held_length > 0) {
        size_t part = 16 - c->held_length < length ? 16 - c->held_length : length;
        memcpy(c->held + c->held_length, in, part);
        c->held_length += part;
        in += part;
        length -= part;
        if (c->held_length < 16)
            return 0;
        whole_blocks(c, c->held, out, 1);
        c->held_length = 0;
        written = 16;
    }
    whole_blocks(c, in, out == NULL ? NULL : out + written, length / 16);
    c->held_length = length % 16;
    if (c->held_length > 0)
        memcpy(c->held, in + length - c->held_length, c->held_length);
    return written + length / 16 * 16;
}

void sdf_hmac_start(sdf_hmac *h, const uint8_t *key, size_t length)
{
    uint8_t padded[64] = {0};
    if (length > 64)
        ehc_sm3(key, length, padded);
    else
        memcpy(padded, key, length);
    for (size_t i = 0; i < 64; i++)
        padded[i] ^= 0x36;
    ehc_sm3_init(&h->inner);
    ehc_sm3_update(&h->inner, padded, 64);
    for (size_t i = 0; i < 64; i++)
        padded[i] ^= 0x36 ^ 0x5C;
    ehc_sm3_init(&h->outer);
    ehc_sm3_update(&h->outer, padded, 64);
    ehc_wipe(padded, sizeof padded);
}

void sdf_hmac_finish(sdf_hmac *h, uint8_t mac[32])
{
    ehc_sm3_final(&h->inner, mac);
    ehc_sm3_update(&h->outer, mac, 32);
    ehc_sm3_final(&h->outer, mac);
    ehc_wipe(h, sizeof *h);
}
