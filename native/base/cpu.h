#ifndef EHC_CPU_H
#define EHC_CPU_H

/* Instruction-set bits a tier may need. */
enum {
    CPU_AVX2 = 1 << 0,
    CPU_AESNI = 1 << 1,
    CPU_VAES = 1 << 2,
    CPU_AVX512 = 1 << 3, /* F, BW, VL */
    CPU_GFNI = 1 << 4,
    CPU_NEON = 1 << 5,     /* AArch64 */
    CPU_NEON_AES = 1 << 6, /* AESE */
    CPU_NEON_SM3 = 1 << 7,
    CPU_NEON_SM4 = 1 << 8,
    CPU_BMI2 = 1 << 9, /* BMI1 and BMI2 */
    CPU_SM3 = 1 << 10, /* x86-64: VSM3RNDS2 and its like */
    CPU_SM4 = 1 << 11
};

#ifdef __cplusplus
extern "C" {
#endif

/* What this processor and its operating system offer. */
unsigned ehc_cpu_features(void);

#ifdef __cplusplus
}
#endif

#endif
