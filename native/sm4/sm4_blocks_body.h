/* sm4_blocks_body.h: SM4-ECB of many blocks under one key, and the schedule of one key, written once. Needs
 * sm4_lanes_body.h or sm4_slices_body.h before it, and the two names EXPAND and BLOCKS. */
#include "sm4_one_body.h"
#include "sm4_words_body.h"

enum { GROUP_BYTES = 16 * LANES * STREAMS };

static void crypt_group(const sm4_uniform_key round_keys[32], const uint8_t *in, uint8_t *out)
{
    vec x[4][STREAMS];
    sm4_load_state(in, x);
    sm4_rounds_one_key(round_keys, x);
    sm4_store_state(x, out);
}

void BLOCKS(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks)
{
    size_t bytes = 16 * blocks;
    sm4_uniform_key keys[32];
    if (blocks == 1) {
        uint32_t words[4];
        sm4_one(round_keys, in, words);
        for (size_t i = 0; i < 4; i++)
            store32(out + 4 * i, words[i]);
        return;
    }
    sm4_broadcast_keys(round_keys, keys);
    for (; bytes >= GROUP_BYTES; bytes -= GROUP_BYTES, in += GROUP_BYTES, out += GROUP_BYTES)
        crypt_group(keys, in, out);
    if (bytes > 0) {
        uint8_t last[GROUP_BYTES] = {0};
        memcpy(last, in, bytes);
        crypt_group(keys, last, last);
        memcpy(out, last, bytes);
        ehc_wipe(last, sizeof last);
    }
    ehc_wipe(keys, sizeof keys);
}

/* One key, all lanes alike: as constant in time as the batch. */
void EXPAND(const uint8_t raw[16], uint32_t round_keys[32])
{
    vec k[4];
    for (int w = 0; w < 4; w++)
        k[w] = sm4_enter_key(v_set(load32(raw + 4 * w) ^ SM4_FK[w]));
    for (int i = 0; i < 32; i += 4) {
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            vec others = v_xor(v_xor(k[(j + 1) % 4], k[(j + 2) % 4]), sm4_enter(v_set(SM4_CK[i + j])));
            k[j] = v_xor(k[j], sm4_t_key_alike(v_xor(others, k[(j + 3) % 4])));
            round_keys[i + j] = v_first(sm4_leave_key(k[j]));
        }
    }
    ehc_wipe(k, sizeof k);
}
