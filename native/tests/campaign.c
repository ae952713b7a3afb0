/* campaign.c: every tier against the portable one on random input. Usage: campaign ROUNDS SEED [TIER]
 *
 * A round is 4,096 SM4 blocks encrypted under one key and decrypted under another, 4,096 rows of random length and
 * content (some refused) derived and re-keyed, and a call of every small size. Prints a line for each tier that this
 * processor runs, or for the one named; exit status 1 at the first byte that differs. The inputs are the same for the
 * same seed on every machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ehc.h"

enum { BLOCKS = 4096, ROWS = 4096, LONGEST = 200, SMALL = 40 };

typedef struct {
    uint8_t encrypted[16 * BLOCKS], decrypted[16 * BLOCKS];
    uint8_t mindex[32 * ROWS], card_id[32 * ROWS], status[ROWS];
    uint8_t old_card_id[32 * ROWS], new_card_id[32 * ROWS], rekey_status[ROWS];
    size_t bad, rekey_bad;
} answers;

static struct {
    uint8_t keys[2][16], blocks[16 * BLOCKS], data[LONGEST * ROWS], id_lengths[ROWS];
    uint32_t offsets[ROWS + 1];
} in;
static answers expected, found;
static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void fill(uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)next();
}

/* Printable ids of 3 to 32 bytes (one in 64 spoilt), then any bytes; most rows of one SM3 block, some of two, few longer. */
static void make_rows(void)
{
    uint32_t at = 0;
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t r = next();
        uint32_t id = 3 + (uint32_t)(r % 30), most = r >> 8 & 3 ? 56 : r >> 10 & 7 ? 120 : LONGEST;
        uint32_t length = id + (uint32_t)((r >> 16 & 0xFFFF) % (most - id));
        in.offsets[i] = at;
        in.id_lengths[i] = (uint8_t)id;
        for (uint32_t k = 0; k < length; k++)
            in.data[at + k] = (uint8_t)(k < id ? 0x20 + next() % 0x5F : next());
        if ((r >> 32 & 63) == 0)
            in.data[at + (r >> 40) % id] = 0x7F;
        at += length;
    }
    in.offsets[ROWS] = at;
}

static void compute(answers *a)
{
    ehc_sm4_key first, second;
    ehc_sm4_set_key(&first, in.keys[0]);
    ehc_sm4_set_key(&second, in.keys[1]);
    ehc_sm4_encrypt(&first, in.blocks, a->encrypted, BLOCKS);
    ehc_sm4_decrypt(&second, in.blocks, a->decrypted, BLOCKS);
    a->bad = ehc_derive_batch(&first, in.data, in.offsets, in.id_lengths, ROWS, a->mindex, a->card_id, a->status);
    a->rekey_bad = ehc_rekey_batch(&first, &second, in.data, in.offsets, in.id_lengths, ROWS, a->old_card_id,
                                   a->new_card_id, a->rekey_status);
}

/* A call of every size up to SMALL, at a place of its own, gives what the long call gave. */
static int small_calls(void)
{
    ehc_sm4_key key;
    size_t at = 0;
    uint8_t blocks[16 * SMALL], mindex[32 * SMALL], card_id[32 * SMALL], status[SMALL];
    ehc_sm4_set_key(&key, in.keys[0]);
    for (size_t n = 1; n <= SMALL; at += n++) {
        ehc_sm4_encrypt(&key, in.blocks + 16 * at, blocks, n);
        ehc_derive_batch(&key, in.data, in.offsets + at, in.id_lengths + at, n, mindex, card_id, status);
        if (memcmp(blocks, expected.encrypted + 16 * at, 16 * n) || memcmp(mindex, expected.mindex + 32 * at, 32 * n) ||
            memcmp(card_id, expected.card_id + 32 * at, 32 * n) || memcmp(status, expected.status + at, n))
            return 0;
    }
    return 1;
}

static int run_round(const char *tier)
{
    fill(in.keys[0], sizeof in.keys);
    fill(in.blocks, sizeof in.blocks);
    make_rows();
    if (ehc_init("portable") != EHC_OK)
        return 0;
    compute(&expected);
    memset(&found, 0xA5, sizeof found);
    found.bad = found.rekey_bad = 0;
    if (ehc_init(tier) != EHC_OK || strcmp(ehc_tier_chosen(), tier) != 0)
        return 0;
    compute(&found);
    return found.bad == expected.bad && found.rekey_bad == expected.rekey_bad &&
           memcmp(found.encrypted, expected.encrypted, offsetof(answers, bad)) == 0 && small_calls();
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: campaign ROUNDS SEED [TIER]\n", stderr);
        return 2;
    }
    unsigned long rounds = strtoul(argv[1], NULL, 10);
    for (size_t i = 0; ehc_tier_name(i) != NULL; i++) {
        const char *tier = ehc_tier_name(i);
        if (!ehc_tier_supported(i) || strcmp(tier, "portable") == 0 || (argc > 3 && strcmp(tier, argv[3]) != 0))
            continue;
        state = strtoull(argv[2], NULL, 10);
        for (unsigned long round = 0; round < rounds; round++)
            if (!run_round(tier)) {
                printf("tier %s differs from portable in round %lu\n", tier, round);
                return 1;
            }
        printf("tier %s: %lu blocks and %lu rows as portable\n", tier, 2 * BLOCKS * rounds, ROWS * rounds);
    }
    return 0;
}
