#ifndef EHC_CPU_H
#define EHC_CPU_H

/* Instruction-set bits a tier may need. */
enum {
    CPU_AVX2 = 1 << 0,
    CPU_AESNI = 1 << 1,
    CPU_VAES = 1 << 2,
    CPU_AVX512 = 1 << 3, /* F, BW, VL */
    CPU_GFNI = 1 << 4
};

/* What this processor and its operating system offer. */
unsigned ehc_cpu_features(void);

#endif
