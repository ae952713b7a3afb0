/* sm_ni.h: EHC_HAS_SM_NI where the compiler has the SM3 and SM4 instructions of x86-64, or a header has them in plain C. */
#ifndef EHC_SM_NI_H
#define EHC_SM_NI_H

#if defined(__x86_64__) && defined(__has_include)
#if defined(EHC_SM_NI) || (__has_include(<sm3intrin.h>) && __has_include(<sm4intrin.h>))
#define EHC_HAS_SM_NI 1
#endif
#endif

#endif
