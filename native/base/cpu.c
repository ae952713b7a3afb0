/* cpu.c: the only CPUID and the only HWCAP in the house. gcc's and clang's builtin also checks that the operating system saves the
 * wide registers (XGETBV). */
#include "cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

static unsigned leaf7_ecx(void)
{
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ? ecx : 0;
}

/* SM3 is bit 1, SM4 bit 2 (Intel SDM volume 2, CPUID); the compilers' cpuid.h has no names for them yet. */
enum { LEAF7_1_SM3_BIT = 1 << 1, LEAF7_1_SM4_BIT = 1 << 2 };

static unsigned leaf7_1_eax(void)
{
    unsigned eax = 0, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) ? eax : 0;
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
        bits |= __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") ? CPU_BMI2 : 0u;
        bits |= leaf1_ecx() & bit_AES ? CPU_AESNI : 0u;
        bits |= leaf7_ecx() & bit_VAES ? CPU_VAES : 0u;
        bits |= leaf7_ecx() & bit_GFNI ? CPU_GFNI : 0u;
        bits |= leaf7_1_eax() & LEAF7_1_SM3_BIT ? CPU_SM3 : 0u;
        bits |= leaf7_1_eax() & LEAF7_1_SM4_BIT ? CPU_SM4 : 0u;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        bits |= CPU_AVX512;
    return bits;
}

#elif defined(__AARCH64EL__) && defined(__linux__)

#include <sys/auxv.h>

/* Bits of AT_HWCAP as the kernel's arch/arm64 asm/hwcap.h has them. */
enum { HWCAP_ASIMD_BIT = 1 << 1, HWCAP_AES_BIT = 1 << 3, HWCAP_SM3_BIT = 1 << 18, HWCAP_SM4_BIT = 1 << 19 };

unsigned ehc_cpu_features(void)
{
    unsigned long has = getauxval(AT_HWCAP);
    unsigned bits = 0;
    bits |= has & HWCAP_ASIMD_BIT ? CPU_NEON : 0u;
    bits |= has & HWCAP_AES_BIT ? CPU_NEON_AES : 0u;
    bits |= has & HWCAP_SM3_BIT ? CPU_NEON_SM3 : 0u;
    bits |= has & HWCAP_SM4_BIT ? CPU_NEON_SM4 : 0u;
    return bits;
}

#elif defined(__AARCH64EL__)

/* NEON is part of AArch64; what else there is, no other system of ours was there to ask. */
unsigned ehc_cpu_features(void)
{
    return CPU_NEON;
}

#else

unsigned ehc_cpu_features(void)
{
    return 0;
}

#endif
