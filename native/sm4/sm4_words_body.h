/* sm4_words_body.h: the state of SM4 for tiers whose rounds take the words of rows as they are. The bodies above it
 * (blocks, derivation) name only what stands here; sm4_slices_body.h is the other form. Needs a body of rounds
 * (sm4_lanes_body.h or one of its kind) before it. */
#if !defined(EHC_SM4_STATE)
#define EHC_SM4_STATE

typedef vec sm4_uniform_key; /* a round key, or constant of the schedule, that all rows share */

/* Words of rows into the form that the rounds compute in. */
static inline void sm4_enter_state(vec x[4][STREAMS])
{
    for (int w = 0; w < 4; w++)
        for (int s = 0; s < STREAMS; s++)
            x[w][s] = sm4_enter(x[w][s]);
}

static inline void sm4_load_state(const uint8_t *blocks, vec x[4][STREAMS])
{
    for (int s = 0; s < STREAMS; s++) {
        vec w[4];
        v_load_blocks(blocks + 16 * LANES * s, w);
        for (int i = 0; i < 4; i++)
            x[i][s] = sm4_enter(w[i]);
    }
}

/* The way back, last word first, as the cipher ends (GB/T 32907 6.1). */
static inline void sm4_store_state(vec x[4][STREAMS], uint8_t *blocks)
{
    for (int s = 0; s < STREAMS; s++) {
        vec w[4];
        for (int i = 0; i < 4; i++)
            w[i] = sm4_leave(x[3 - i][s]);
        v_store_blocks(w, blocks + 16 * LANES * s);
    }
}

/* Two blocks of every row, words 0 to 3 and 4 to 7, encrypted under the row's key in place. */
static inline void sm4_encrypt_pairs(const vec (*round_keys)[STREAMS], vec rows[STREAMS][8])
{
    for (int half = 0; half < 2; half++) {
        vec x[4][STREAMS];
        for (int s = 0; s < STREAMS; s++)
            for (int i = 0; i < 4; i++)
                x[i][s] = sm4_enter(rows[s][4 * half + i]);
        sm4_rounds_many_keys(round_keys, x);
        for (int s = 0; s < STREAMS; s++)
            for (int i = 0; i < 4; i++)
                rows[s][4 * half + i] = sm4_leave(x[3 - i][s]);
    }
}
#endif
