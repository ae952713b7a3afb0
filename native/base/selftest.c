/* selftest.c: the standards' own known answers, run on the chosen tier before it is used. */
#include "dispatch.h"

static int sm3_answers(void)
{
    /* GB/T 32905-2016 A.1, "abc" */
    static const uint8_t EXPECTED[32] = {0x66, 0xC7, 0xF0, 0xF4, 0x62, 0xEE, 0xED, 0xD9, 0xD1, 0xF2, 0xD4,
                                         0x6B, 0xDC, 0x10, 0xE4, 0xE2, 0x41, 0x67, 0xC4, 0x87, 0x5C, 0xF2,
                                         0xF7, 0xA2, 0x29, 0x7D, 0xA0, 0x2B, 0x8F, 0x4B, 0xA8, 0xE0};
    uint8_t digest[32];
    ehc_sm3((const uint8_t *)"abc", 3, digest);
    return ehc_equal(digest, EXPECTED, 32);
}

static int sm4_answers(const ehc_tier *tier)
{
    /* GB/T 32907-2016 A.1; nine blocks, so that full lanes and a remainder both run */
    static const uint8_t KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                    0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
    static const uint8_t EXPECTED[16] = {0x68, 0x1E, 0xDF, 0x34, 0xD2, 0x06, 0x96, 0x5E,
                                         0x86, 0xB3, 0xE9, 0x4F, 0x53, 0x6E, 0x42, 0x46};
    uint8_t blocks[9][16];
    uint32_t round_keys[32];
    int right = 1;
    for (size_t i = 0; i < 9; i++)
        memcpy(blocks[i], KEY, 16);
    tier->sm4_expand(KEY, round_keys);
    tier->sm4_blocks(round_keys, blocks[0], blocks[0], 9);
    for (size_t i = 0; i < 9; i++)
        right &= ehc_equal(blocks[i], EXPECTED, 16);
    return right;
}

/* The specification's sample person (native/README.md, "Identifiers"), in nine rows. */
static int derive_answers(const ehc_tier *tier)
{
    static const uint8_t KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                    0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
    static const char ROW[] = "0111010020171225006X电子健康卡";
    static const uint8_t CARD_ID[32] = {0x98, 0xFF, 0x9F, 0x2C, 0x05, 0x14, 0x5C, 0xB9, 0x30, 0x5E, 0x9D,
                                        0x8A, 0x57, 0xE0, 0x72, 0xBB, 0x51, 0x18, 0x0C, 0xA4, 0x9E, 0x5B,
                                        0xE5, 0xE9, 0xD4, 0x1B, 0xCE, 0x3A, 0x9A, 0x57, 0x19, 0x28};
    enum { ROWS = 9, LENGTH = sizeof ROW - 1 };
    uint8_t data[ROWS * LENGTH], id_lengths[ROWS], mindex[ROWS][32], card_id[ROWS][32], status[ROWS];
    uint32_t offsets[ROWS + 1] = {0}, root[32];
    for (uint32_t i = 0; i < ROWS; i++) {
        memcpy(data + i * LENGTH, ROW, LENGTH);
        offsets[i + 1] = (i + 1) * LENGTH;
        id_lengths[i] = 20;
    }
    tier->sm4_expand(KEY, root);
    int right = tier->derive(root, data, offsets, id_lengths, ROWS, mindex[0], card_id[0], status) == 0;
    for (size_t i = 0; i < ROWS; i++)
        right &= ehc_equal(card_id[i], CARD_ID, 32);
    return right;
}

int ehc_selftest(const ehc_tier *tier)
{
    return sm3_answers() && sm4_answers(tier) && derive_answers(tier) ? EHC_OK : EHC_E_SELFTEST;
}
