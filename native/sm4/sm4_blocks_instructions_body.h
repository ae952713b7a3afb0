/* sm4_blocks_instructions_body.h: sm4_blocks_body.h for processors with SM4 instructions: blocks go through as they lie in
 * memory, without lanes. Needs sm4_instructions_body.h before it, and the two names EXPAND and BLOCKS. */
enum { IN_FLIGHT = 8, VECTOR_BYTES = sizeof(vec), GROUP_BYTES = IN_FLIGHT * VECTOR_BYTES };

/* `count` vectors of blocks, at most IN_FLIGHT, side by side. */
static inline void crypt_vectors(const vec keys[8], const uint8_t *in, uint8_t *out, size_t count)
{
    vec x[IN_FLIGHT];
    for (size_t v = 0; v < count; v++)
        x[v] = swap_bytes(v_load_bytes(in + VECTOR_BYTES * v));
    for (int i = 0; i < 8; i++)
        for (size_t v = 0; v < count; v++)
            x[v] = v_sm4_rounds(x[v], keys[i]);
    for (size_t v = 0; v < count; v++)
        v_store_bytes(v_turn_blocks(x[v]), out + VECTOR_BYTES * v);
}

void BLOCKS(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks)
{
    size_t bytes = 16 * blocks;
    vec keys[32];
    sm4_broadcast_keys(round_keys, keys);
    for (; bytes >= GROUP_BYTES; bytes -= GROUP_BYTES, in += GROUP_BYTES, out += GROUP_BYTES)
        crypt_vectors(keys, in, out, IN_FLIGHT);
    if (bytes > 0) {
        uint8_t last[GROUP_BYTES] = {0};
        memcpy(last, in, bytes);
        crypt_vectors(keys, last, last, (bytes + VECTOR_BYTES - 1) / VECTOR_BYTES);
        memcpy(out, last, bytes);
        ehc_wipe(last, sizeof last);
    }
    ehc_wipe(keys, sizeof keys);
}

void EXPAND(const uint8_t raw[16], uint32_t round_keys[32])
{
    uint32_t words[4];
    for (int i = 0; i < 4; i++)
        words[i] = load32(raw + 4 * i) ^ SM4_FK[i];
    vec key = v_quad(words);
    for (int i = 0; i < 32; i += 4) {
        key = v_sm4_keys(key, v_quad(SM4_CK + i));
        v_first_quad(key, round_keys + i);
    }
    ehc_wipe(words, sizeof words);
    ehc_wipe(&key, sizeof key);
}
