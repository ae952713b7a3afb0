/* bcd_words_body.h: blocks of profile N decrypted and their times read, for tiers whose rounds take words (sm4_words_body.h). */
#include "bcd_time.h"

/* The lanes as an array; a vector that is no row of words (lanes_portable_ct.h) has its own way. */
#ifndef v_store_words
#define v_store_words(word, to) memcpy(to, &(word), sizeof(vec))
#endif

static inline void crypt_group(const sm4_uniform_key round_keys[32], const uint8_t *blocks, uint32_t words[4][GROUP])
{
    vec x[4][STREAMS];
    sm4_load_state(blocks, x);
    sm4_rounds_one_key(round_keys, x);
    for (int s = 0; s < STREAMS; s++)
        for (int i = 0; i < 4; i++) {
            vec word = sm4_leave(x[3 - i][s]);
            v_store_words(word, &words[i][LANES * s]);
        }
}

/* The compiler makes lanes of the loops. */
static void read_group(const sm4_uniform_key round_keys[32], const uint8_t *blocks, int64_t *times, uint8_t *authentic)
{
    uint32_t words[4][GROUP], right[GROUP];
    int32_t days[GROUP], second[GROUP];
    crypt_group(round_keys, blocks, words);
    for (size_t i = 0; i < GROUP; i++) {
        uint32_t outside = read_bcd_time(words[0][i], words[1][i], &days[i], &second[i]);
        right[i] = (outside | (words[1][i] & 255) | words[2][i] | words[3][i]) == 0;
    }
    for (size_t i = 0; i < GROUP; i++)
        times[i] = time_of(days[i], second[i]) & -(int64_t)right[i];
    for (size_t i = 0; i < GROUP; i++)
        authentic[i] = (uint8_t)right[i];
}
