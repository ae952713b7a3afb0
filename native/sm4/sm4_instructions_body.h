/* sm4_instructions_body.h: sm4_lanes_body.h for processors with SM4 instructions (AArch64's SM4E and SM4EKEY, x86-64's
 * VSM4RNDS4 and VSM4KEY4: four rounds each). They work on blocks, not on lanes: the lanes are turned into blocks, which
 * go through the rounds side by side with those of all other streams, and are turned back. So the bodies above it
 * (derivation, tokens) are the same as for every tier.
 *
 * Needs a lanes header with v_sm4_rounds, v_sm4_keys and the moves of whole blocks. Words stay in SM4's own field, since
 * the instructions are in it. Round keys lie as the instructions take them: those of rounds 4·i .. 4·i + 3 are element i
 * of a uniform schedule (of 32 only 8 are used), and elements 4·i .. 4·i + 3 of one with a key a block, block by block. */
enum { BLOCKS_A_VECTOR = LANES / 4 };

#define sm4_enter(x) (x)
#define sm4_leave(x) (x)

static inline void sm4_broadcast_keys(const uint32_t round_keys[32], vec out[32])
{
    for (int i = 0; i < 8; i++)
        out[i] = v_quad(round_keys + 4 * i);
}

static inline void sm4_broadcast_constants(vec out[32])
{
    sm4_broadcast_keys(SM4_CK, out);
}

/* blocks[s][b]: the four words of block b of stream s (with two blocks a vector, of blocks b and b + 4). */
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

static inline void sm4_rounds_one_key(const vec round_keys[32], vec x[4][STREAMS])
{
    vec blocks[STREAMS][4];
    lanes_to_blocks(x, blocks);
    for (int i = 0; i < 8; i++)
        for (int s = 0; s < STREAMS; s++)
            for (int b = 0; b < 4; b++)
                blocks[s][b] = v_sm4_rounds(blocks[s][b], round_keys[i]);
    blocks_to_lanes(blocks, x);
}

static inline void sm4_rounds_many_keys(const vec (*round_keys)[STREAMS], vec x[4][STREAMS])
{
    vec blocks[STREAMS][4];
    lanes_to_blocks(x, blocks);
    for (int i = 0; i < 32; i += 4)
        for (int s = 0; s < STREAMS; s++)
            for (int b = 0; b < 4; b++)
                blocks[s][b] = v_sm4_rounds(blocks[s][b], round_keys[i + b][s]);
    blocks_to_lanes(blocks, x);
}

static inline void sm4_expand_lanes(const vec constants[32], vec k[4][STREAMS], vec (*round_keys)[STREAMS])
{
    vec keys[STREAMS][4];
    for (int w = 0; w < 4; w++)
        for (int s = 0; s < STREAMS; s++)
            k[w][s] = v_xor(k[w][s], v_set(SM4_FK[w]));
    lanes_to_blocks(k, keys);
    for (int i = 0; i < 8; i++)
        for (int s = 0; s < STREAMS; s++)
            for (int b = 0; b < 4; b++)
                round_keys[4 * i + b][s] = keys[s][b] = v_sm4_keys(keys[s][b], constants[i]);
}

/* For decryption: the last round's key first. */
static inline void sm4_reverse_keys(vec (*round_keys)[STREAMS])
{
    for (int i = 0; i < 16; i++)
        for (int s = 0; s < STREAMS; s++) {
            int other = 28 - i / 4 * 4 + i % 4;
            vec key = v_turn_words(round_keys[i][s]);
            round_keys[i][s] = v_turn_words(round_keys[other][s]);
            round_keys[other][s] = key;
        }
}

#define SM4_ONE /* instead of sm4_one_body.h */

/* One block, in every place of a vector; its words come out in the cipher's order. */
static inline void sm4_one(const uint32_t round_keys[32], const uint8_t *in, uint32_t out[4])
{
    uint32_t words[4];
    for (int i = 0; i < 4; i++)
        words[i] = load32(in + 4 * i);
    vec x = v_quad(words);
    for (int i = 0; i < 32; i += 4)
        x = v_sm4_rounds(x, v_quad(round_keys + i));
    v_first_quad(v_turn_words(x), out);
}
