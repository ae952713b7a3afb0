/* sdf_aead.c: SM4-GCM (GB/T 36624, SP 800-38D) and SM4-CCM (RFC 3610). GHASH goes bit by bit, without a table: slow, and the
 * same time for every key and text. */
#include "sdf_modes.h"
#include "sgd.h"

static uint64_t load64(const uint8_t *p)
{
    return (uint64_t)load32(p) << 32 | load32(p + 4);
}

/* sum = sum · H in GF(2^128), 6.3 of SP 800-38D. */
static void multiply(uint8_t sum[16], const uint8_t h[16])
{
    uint64_t z0 = 0, z1 = 0, v0 = load64(h), v1 = load64(h + 8);
    for (unsigned i = 0; i < 128; i++) {
        uint64_t taken = 0 - (uint64_t)(sum[i / 8] >> (7 - i % 8) & 1), reduced = 0 - (v1 & 1);
        z0 ^= v0 & taken;
        z1 ^= v1 & taken;
        v1 = v1 >> 1 | v0 << 63;
        v0 = v0 >> 1 ^ (reduced & UINT64_C(0xE100000000000000));
    }
    store64(sum, z0);
    store64(sum + 8, z1);
}

static void next_block(sdf_aead *a)
{
    if (a->ccm)
        ehc_sm4_encrypt(&a->stream.key, a->sum, a->sum, 1);
    else
        multiply(a->sum, a->h);
    a->pending = 0;
}

static void absorb(sdf_aead *a, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        a->sum[a->pending++] ^= data[i];
        if (a->pending == 16)
            next_block(a);
    }
}

static void fill_block(sdf_aead *a)
{
    if (a->pending > 0)
        next_block(a);
}

static void absorb_lengths(sdf_aead *a, uint64_t aad, uint64_t text)
{
    uint8_t block[16];
    store64(block, 8 * aad);
    store64(block + 8, 8 * text);
    absorb(a, block, 16);
}

static void start_gcm(sdf_aead *a, const uint8_t *nonce, size_t nonce_length, const uint8_t *aad, size_t aad_length)
{
    uint8_t first[16] = {0};
    ehc_sm4_encrypt(&a->stream.key, first, a->h, 1);
    if (nonce_length == 12) {
        memcpy(first, nonce, 12);
        first[15] = 1;
    } else {
        absorb(a, nonce, nonce_length);
        fill_block(a);
        absorb_lengths(a, 0, nonce_length);
        memcpy(first, a->sum, 16);
        memset(a->sum, 0, 16);
    }
    ehc_sm4_encrypt(&a->stream.key, first, a->mask, 1);
    memcpy(a->stream.iv, first, 16);
    store32(a->stream.iv + 12, load32(first + 12) + 1);
    absorb(a, aad, aad_length);
    fill_block(a);
}

static void start_ccm(sdf_aead *a, const uint8_t *nonce, size_t nonce_length, const uint8_t *aad, size_t aad_length,
                      size_t tag_length)
{
    uint8_t block[16] = {0};
    store64(block + 8, a->left);
    block[0] = (uint8_t)((aad_length > 0 ? 0x40u : 0u) | (tag_length - 2) / 2 << 3 | (14 - nonce_length));
    memcpy(block + 1, nonce, nonce_length);
    absorb(a, block, 16);
    if (aad_length > 0) {
        uint8_t head[6] = {0xFF,
                           0xFE,
                           (uint8_t)(aad_length >> 24),
                           (uint8_t)(aad_length >> 16),
                           (uint8_t)(aad_length >> 8),
                           (uint8_t)aad_length};
        int is_short = aad_length < 0xFF00;
        absorb(a, is_short ? head + 4 : head, is_short ? 2 : 6);
        absorb(a, aad, aad_length);
        fill_block(a);
    }
    memset(block, 0, sizeof block);
    block[0] = (uint8_t)(14 - nonce_length);
    memcpy(block + 1, nonce, nonce_length);
    ehc_sm4_encrypt(&a->stream.key, block, a->mask, 1);
    block[15] = 1;
    memcpy(a->stream.iv, block, 16);
}

static int lengths_fit(int ccm, size_t nonce, uint64_t aad, uint64_t length, size_t tag)
{
    if (!ccm)
        return nonce >= 1 && tag >= 12 && tag <= 16;
    if (nonce < 7 || nonce > 13 || tag < 4 || tag > 16 || tag % 2 != 0 || aad > UINT32_MAX)
        return 0;
    return nonce == 7 || length >> 8 * (15 - nonce) == 0;
}

int sdf_aead_start(sdf_aead *a, const uint8_t key[16], int ccm, int decrypt, const uint8_t *nonce, size_t nonce_length,
                   const uint8_t *aad, size_t aad_length, uint64_t length, size_t tag_length)
{
    memset(a, 0, sizeof *a);
    if (length > UINT32_MAX || !lengths_fit(ccm, nonce_length, aad_length, length, tag_length))
        return 0;
    sdf_cipher_start(&a->stream, key, SGD_CTR, 0, NULL);
    a->ccm = ccm;
    a->decrypt = decrypt;
    a->aad_length = aad_length;
    a->left = length;
    if (ccm)
        start_ccm(a, nonce, nonce_length, aad, aad_length, tag_length);
    else
        start_gcm(a, nonce, nonce_length, aad, aad_length);
    return 1;
}

/* GCM counts in the last four bytes alone: up to where they wrap, then on from zero. */
static void run_stream(sdf_aead *a, const uint8_t *in, size_t length, uint8_t *out)
{
    while (length > 0) {
        uint64_t before_wrap = 16 * (UINT64_C(0x100000000) - load32(a->stream.iv + 12));
        uint64_t ready = a->stream.ready - a->stream.used;
        size_t part = a->ccm || length <= before_wrap + ready ? length : (size_t)(before_wrap + ready);
        uint8_t kept[12];
        memcpy(kept, a->stream.iv, 12);
        sdf_cipher_update(&a->stream, in, part, out);
        if (!a->ccm)
            memcpy(a->stream.iv, kept, 12);
        in += part;
        out += part;
        length -= part;
    }
}

int sdf_aead_update(sdf_aead *a, const uint8_t *in, size_t length, uint8_t *out)
{
    if (length > a->left)
        return 0;
    a->left -= length;
    a->length += length;
    int of_input = a->ccm != a->decrypt; /* CCM sums the clear text, GCM the ciphertext */
    if (of_input)
        absorb(a, in, length);
    run_stream(a, in, length, out);
    if (!of_input)
        absorb(a, out, length);
    return 1;
}

int sdf_aead_finish(sdf_aead *a, uint8_t tag[16])
{
    if (a->left > 0)
        return 0;
    fill_block(a);
    if (!a->ccm)
        absorb_lengths(a, a->aad_length, a->length);
    for (size_t i = 0; i < 16; i++)
        tag[i] = a->sum[i] ^ a->mask[i];
    return 1;
}
