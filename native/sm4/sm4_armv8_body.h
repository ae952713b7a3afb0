/* sm4_armv8_body.h: sm4_lanes_body.h for processors with the SM4 instructions. They work on a block, not on lanes: four
 * lanes are turned into four blocks, go through SM4E or SM4EKEY (four rounds each) side by side with all other streams,
 * and are turned back. So the bodies above it (blocks, derivation, tokens) are the same as for every tier.
 *
 * Needs lanes_neon.h with LANES_ARMV8, whose words stay in SM4's own field, since the instructions are in it. */
static inline void sm4_broadcast_keys(const uint32_t round_keys[32], vec out[32])
{
    for (int i = 0; i < 32; i++)
        out[i] = v_set(round_keys[i]);
}

static inline void sm4_broadcast_constants(vec out[32])
{
    for (int i = 0; i < 32; i++)
        out[i] = v_set(SM4_CK[i]);
}

/* blocks[s][b]: the four words of block b of stream s. */
static inline void lanes_to_blocks(vec x[4][STREAMS], vec blocks[STREAMS][4])
{
    for (int s = 0; s < STREAMS; s++) {
        for (int w = 0; w < 4; w++)
            blocks[s][w] = x[w][s];
        transpose(blocks[s]);
    }
}

static inline void blocks_to_lanes(vec blocks[STREAMS][4], vec x[4][STREAMS])
{
    for (int s = 0; s < STREAMS; s++) {
        transpose(blocks[s]);
        for (int w = 0; w < 4; w++)
            x[w][s] = blocks[s][w];
    }
}

/* All lanes of a round key are the same: four of them make SM4E's operand. */
static inline void sm4_rounds_one_key(const vec round_keys[32], vec x[4][STREAMS])
{
    vec blocks[STREAMS][4], keys[4];
    lanes_to_blocks(x, blocks);
    for (int i = 0; i < 32; i += 4) {
        memcpy(keys, round_keys + i, sizeof keys);
        transpose(keys);
        for (int s = 0; s < STREAMS; s++)
            for (int b = 0; b < 4; b++)
                blocks[s][b] = vsm4eq_u32(blocks[s][b], keys[0]);
    }
    blocks_to_lanes(blocks, x);
}

static inline void sm4_rounds_many_keys(const vec (*round_keys)[STREAMS], vec x[4][STREAMS])
{
    vec blocks[STREAMS][4];
    lanes_to_blocks(x, blocks);
    for (int i = 0; i < 32; i += 4)
        for (int s = 0; s < STREAMS; s++) {
            vec keys[4] = {round_keys[i][s], round_keys[i + 1][s], round_keys[i + 2][s], round_keys[i + 3][s]};
            transpose(keys);
            for (int b = 0; b < 4; b++)
                blocks[s][b] = vsm4eq_u32(blocks[s][b], keys[b]);
        }
    blocks_to_lanes(blocks, x);
}

static inline void sm4_expand_lanes(const vec constants[32], vec k[4][STREAMS], vec (*round_keys)[STREAMS])
{
    vec keys[STREAMS][4], constant[4];
    for (int w = 0; w < 4; w++)
        for (int s = 0; s < STREAMS; s++)
            k[w][s] = v_xor(k[w][s], v_set(SM4_FK[w]));
    lanes_to_blocks(k, keys);
    for (int i = 0; i < 32; i += 4) {
        memcpy(constant, constants + i, sizeof constant);
        transpose(constant);
        for (int s = 0; s < STREAMS; s++) {
            vec words[4];
            for (int b = 0; b < 4; b++)
                words[b] = keys[s][b] = vsm4ekeyq_u32(keys[s][b], constant[0]);
            transpose(words);
            for (int w = 0; w < 4; w++)
                round_keys[i + w][s] = words[w];
        }
    }
}
