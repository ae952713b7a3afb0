/* broken.c: kernels that answer wrongly, and a processor without wide registers: what the self-test and the dispatch table
 * say. Linked without base/cpu.c and with -Wl,--wrap=ehc_sm3. Exit status 0 when all is right. */
#include "cpu.h"
#include "dispatch.h"

void __real_ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32]);
void __wrap_ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32]);

static int sm3_is_wrong;

void __wrap_ehc_sm3(const uint8_t *data, size_t length, uint8_t digest[32])
{
    __real_ehc_sm3(data, length, digest);
    digest[31] ^= (uint8_t)sm3_is_wrong;
}

unsigned ehc_cpu_features(void)
{
    return 0;
}

static void wrong_blocks(const uint32_t round_keys[32], const uint8_t *in, uint8_t *out, size_t blocks)
{
    (void)round_keys;
    memmove(out, in, 16 * blocks);
}

static size_t wrong_derive(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets,
                           const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    (void)root, (void)data, (void)offsets, (void)id_lengths, (void)mindex;
    memset(card_id, 0, 32 * n);
    memset(status, EHC_OK, n);
    return 0;
}

static size_t refusing_derive(const uint32_t root[32], const uint8_t *data, const uint32_t *offsets,
                              const uint8_t *id_lengths, size_t n, uint8_t *mindex, uint8_t *card_id, uint8_t *status)
{
    wrong_derive(root, data, offsets, id_lengths, n, mindex, card_id, status);
    return n;
}

int main(void)
{
    if (ehc_init(NULL) != EHC_OK || ehc_init("avx2") != EHC_E_TIER_UNSUPPORTED)
        return 1;
    ehc_tier tier = *ehc_tier_current();
    if (ehc_selftest(&tier) != EHC_OK)
        return 2;
    sm3_is_wrong = 1;
    if (ehc_init("portable") != EHC_E_SELFTEST)
        return 3;
    sm3_is_wrong = 0;
    tier.sm4_blocks = wrong_blocks;
    if (ehc_selftest(&tier) != EHC_E_SELFTEST)
        return 4;
    tier.sm4_blocks = ehc_tier_current()->sm4_blocks;
    tier.derive = wrong_derive;
    if (ehc_selftest(&tier) != EHC_E_SELFTEST)
        return 5;
    tier.derive = refusing_derive;
    return ehc_selftest(&tier) == EHC_E_SELFTEST ? 0 : 6;
}
