/* cpu_answers.c: what base/cpu.c makes of CPUID, or of HWCAP, on processors that this one is not. Exit status 0 when all is
 * right, else the number of the line of EXPECTED that is not. */
#include "fake_cpu.h"

#include "cpu.c"

static const struct {
    fake_cpu cpu;
    unsigned bits;
} EXPECTED[] = {
    {{0}, 0},
#if defined(__x86_64__)
    {{.has_leaf = 1, .leaf1_ecx = ~0u, .leaf7_ecx = ~0u, .leaf7_1_eax = ~0u},
     0}, /* the system does not save the wide registers */
    {{.avx2 = 1}, CPU_AVX2},
    {{.avx2 = 1, .has_leaf = 1}, CPU_AVX2},
    {{.avx2 = 1, .bmi = 1}, CPU_AVX2},
    {{.avx2 = 1, .bmi = 1, .bmi2 = 1}, CPU_AVX2 | CPU_BMI2},
    {{.avx2 = 1, .has_leaf = 1, .leaf1_ecx = bit_AES}, CPU_AVX2 | CPU_AESNI},
    {{.avx2 = 1, .has_leaf = 1, .leaf7_ecx = bit_VAES}, CPU_AVX2 | CPU_VAES},
    {{.avx2 = 1, .has_leaf = 1, .leaf7_ecx = bit_GFNI}, CPU_AVX2 | CPU_GFNI},
    {{.avx2 = 1, .has_leaf = 1, .leaf7_1_eax = 1 << 1}, CPU_AVX2 | CPU_SM3},
    {{.avx2 = 1, .has_leaf = 1, .leaf7_1_eax = 1 << 2}, CPU_AVX2 | CPU_SM4},
    {{.avx512f = 1}, 0},
    {{.avx512f = 1, .avx512bw = 1}, 0},
    {{.avx512f = 1, .avx512bw = 1, .avx512vl = 1}, CPU_AVX512},
#else
    {{.hwcap = HWCAP_ASIMD_BIT}, CPU_NEON},
    {{.hwcap = HWCAP_ASIMD_BIT | HWCAP_AES_BIT}, CPU_NEON | CPU_NEON_AES},
    {{.hwcap = HWCAP_SM3_BIT}, CPU_NEON_SM3},
    {{.hwcap = HWCAP_SM4_BIT}, CPU_NEON_SM4},
#endif
};

int main(void)
{
    for (size_t i = 0; i < sizeof EXPECTED / sizeof EXPECTED[0]; i++) {
        cpu = EXPECTED[i].cpu;
        if (ehc_cpu_features() != EXPECTED[i].bits)
            return (int)i + 1;
    }
    return 0;
}
