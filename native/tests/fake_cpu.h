/* fake_cpu.h: included in front of base/cpu.c by cpu_answers.c, it puts a processor of our choice behind CPUID (x86-64) and
 * HWCAP (AArch64). */
#ifndef EHC_FAKE_CPU_H
#define EHC_FAKE_CPU_H

#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>

typedef struct {
    int avx2, avx512f, avx512bw, avx512vl; /* what __builtin_cpu_supports says: the operating system saves them too */
    int bmi, bmi2;
    int has_leaf;
    unsigned leaf1_ecx, leaf7_ecx, leaf7_1_eax;
} fake_cpu;

static fake_cpu cpu;

static int fake_supports(const char *name)
{
    return strcmp(name, "avx2") == 0       ? cpu.avx2
           : strcmp(name, "bmi") == 0      ? cpu.bmi
           : strcmp(name, "bmi2") == 0     ? cpu.bmi2
           : strcmp(name, "avx512f") == 0  ? cpu.avx512f
           : strcmp(name, "avx512bw") == 0 ? cpu.avx512bw
           : strcmp(name, "avx512vl") == 0 ? cpu.avx512vl
                                           : 0;
}

static int fake_cpuid(unsigned leaf, unsigned sub, unsigned *eax, unsigned *ecx)
{
    if (cpu.has_leaf) {
        *eax = leaf == 7 && sub == 1 ? cpu.leaf7_1_eax : 0;
        *ecx = leaf == 1 ? cpu.leaf1_ecx : sub == 0 ? cpu.leaf7_ecx : 0;
    }
    return cpu.has_leaf;
}

#define __builtin_cpu_supports(name) fake_supports(name)
#define __get_cpuid(leaf, a, b, c, d) ((void)(b), (void)(d), fake_cpuid(leaf, 0, a, c))
#define __get_cpuid_count(leaf, sub, a, b, c, d) ((void)(b), (void)(d), fake_cpuid(leaf, sub, a, c))

#else

#include <sys/auxv.h>

typedef struct {
    unsigned long hwcap;
} fake_cpu;

static fake_cpu cpu;

#define getauxval(type) (cpu.hwcap)

#endif

#endif
