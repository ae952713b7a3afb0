/* cpu.c: the only CPUID in the house. gcc's and clang's builtin also checks that the operating system saves the
 * wide registers (XGETBV). */
#include "cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

static unsigned leaf7_ecx(void)
{
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ? ecx : 0;
}

static unsigned leaf1_ecx(void)
{
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) ? ecx : 0;
}

unsigned ehc_cpu_features(void)
{
    unsigned bits = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) {
        bits |= CPU_AVX2;
        bits |= leaf1_ecx() & bit_AES ? CPU_AESNI : 0u;
        bits |= leaf7_ecx() & bit_VAES ? CPU_VAES : 0u;
        bits |= leaf7_ecx() & bit_GFNI ? CPU_GFNI : 0u;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        bits |= CPU_AVX512;
    return bits;
}

#else

unsigned ehc_cpu_features(void)
{
    return 0;
}

#endif
