/* dispatch.c: THE table. Tiers in order of priority; the first that this processor runs is chosen, once.
 *
 * portable_ct stands above portable, so a processor without any of the vector tiers gets constant time by default;
 * EHC_ISA=portable still forces the readable specification. sm_ni, which only a compiler with the SM3 and SM4 instructions
 * of x86-64 makes, stands below avx512: no processor has both yet, and avx512 has been measured. */
#include "dispatch.h"

#include "cpu.h"
#include "kernels.h"
#include "sm_ni.h"

static const ehc_tier TIERS[] = {
#if defined(__x86_64__)
    {"avx512", CPU_AVX512 | CPU_GFNI | CPU_BMI2, ehc_sm4_expand_avx512, ehc_sm4_x16_avx512, ehc_derive_x16_avx512,
     ehc_derive_few_avx512, ehc_rekey_avx512, TOKEN_KERNELS(avx512)},
#if defined(EHC_HAS_SM_NI)
    {"sm_ni", CPU_AVX2 | CPU_SM3 | CPU_SM4, ehc_sm4_expand_sm_ni, ehc_sm4_x8_sm_ni, ehc_derive_x8_sm_ni,
     ehc_derive_x8_sm_ni, ehc_rekey_sm_ni, TOKEN_KERNELS(sm_ni)},
#endif
    {"vaes", CPU_AVX2 | CPU_AESNI | CPU_VAES | CPU_BMI2, ehc_sm4_expand_vaes, ehc_sm4_x8_vaes, ehc_derive_x8_vaes,
     ehc_derive_few_vaes, ehc_rekey_vaes, TOKEN_KERNELS(vaes)},
    {"avx2", CPU_AVX2 | CPU_AESNI | CPU_BMI2, ehc_sm4_expand_aesni, ehc_sm4_x8_avx2, ehc_derive_x8_avx2,
     ehc_derive_few_avx2, ehc_rekey_avx2, TOKEN_KERNELS(avx2)},
#elif defined(__AARCH64EL__)
    {"armv8", CPU_NEON | CPU_NEON_SM3 | CPU_NEON_SM4, ehc_sm4_expand_armv8, ehc_sm4_x4_armv8, ehc_derive_x4_armv8,
     ehc_derive_x4_armv8, ehc_rekey_armv8, TOKEN_CIPHERS(armv8)},
    {"neon", CPU_NEON | CPU_NEON_AES, ehc_sm4_expand_neon, ehc_sm4_x4_neon, ehc_derive_x4_neon, ehc_derive_x4_neon,
     ehc_rekey_neon, TOKEN_CIPHERS(neon)},
    {"neon_tbl", CPU_NEON, ehc_sm4_expand_neon_tbl, ehc_sm4_x4_neon_tbl, ehc_derive_x4_neon_tbl, ehc_derive_x4_neon_tbl,
     ehc_rekey_neon_tbl, TOKEN_CIPHERS(neon_tbl)},
#endif
    {"portable_ct", 0, ehc_sm4_expand_portable_ct, ehc_sm4_x32_portable_ct, ehc_derive_x32_portable_ct,
     ehc_derive_x32_portable_ct, ehc_rekey_portable_ct, TOKEN_CIPHERS(portable_ct)},
    {"portable", 0, ehc_sm4_expand_portable, ehc_sm4_portable, ehc_derive_portable, ehc_derive_portable,
     ehc_rekey_portable, TOKEN_KERNELS(portable)},
};

enum { TIER_COUNT = sizeof TIERS / sizeof TIERS[0] };

static const ehc_tier *current = &TIERS[TIER_COUNT - 1];

const ehc_tier *ehc_tier_current(void)
{
    return current;
}

const char *ehc_tier_name(size_t i)
{
    return i < TIER_COUNT ? TIERS[i].name : NULL;
}

int ehc_tier_supported(size_t i)
{
    return i < TIER_COUNT && (TIERS[i].needs & ~ehc_cpu_features()) == 0;
}

const char *ehc_tier_chosen(void)
{
    return current->name;
}

static int choose(const char *forced_name)
{
    for (size_t i = 0; i < TIER_COUNT; i++) {
        if (forced_name != NULL && strcmp(forced_name, TIERS[i].name) != 0)
            continue;
        if (ehc_tier_supported(i)) {
            current = &TIERS[i];
            return EHC_OK;
        }
        if (forced_name != NULL)
            return EHC_E_TIER_UNSUPPORTED;
    }
    return EHC_E_TIER_UNKNOWN;
}

int ehc_init(const char *forced_name)
{
    int status = choose(forced_name);
    return status == EHC_OK ? ehc_selftest(current) : status;
}
