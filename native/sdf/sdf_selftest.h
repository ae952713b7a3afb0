/* sdf_selftest.h: what the machine asks itself before it opens its device. */
#ifndef EHC_SDF_SELFTEST_H
#define EHC_SDF_SELFTEST_H

/* The first check that failed, by name; NULL when all passed. Takes a few milliseconds; needs the tier and libcrypto. */
const char *ehc_sdf_self_test(void);

#endif
