/* job.h: what a contender of the C bench can do. Each is a shared object of its own that exports one `contender`;
 * the driver loads it, so that a library that is not installed costs nobody else anything. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Items i = 0..items-1 are data[offsets[i] .. offsets[i+1]); of a row the first id_lengths[i] bytes are the id. */
typedef struct {
    size_t items;
    const uint32_t *offsets;
    const uint8_t *id_lengths;
    const uint8_t *data;
} job;

/* The published sample keys, and the time at which tokens are checked: 2018-01-17 11:50:03 in China, tolerance 60 s. */
static const uint8_t SECURITY_KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                         0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
static const uint8_t PROTECTION_KEY[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                           0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
enum { NOW = 1516161003, TOLERANCE = 60 };
static const uint8_t OLDEST[7] = {0x20, 0x18, 0x01, 0x17, 0x11, 0x49, 0x03}; /* NOW - TOLERANCE as a token says it */

typedef void run_job(const job *work, uint8_t *answer);

/* A function may be NULL: the library does not offer that. Contexts are made in `open`, off the clock. */
typedef struct {
    const char *(*open)(void);       /* the library's name and version */
    const char *(*tier)(size_t i);   /* ours only: the tiers that this processor runs, NULL past the end */
    int (*choose)(const char *tier); /* ours only: 0 when it now runs */
    run_job *derive;                 /* rows -> 32 bytes each, the card id */
    run_job *check;                  /* texts of codes -> 1 when accepted, else 0 */
    run_job *ecb;                    /* 16-byte blocks, all in one go under SECURITY_KEY */
    run_job *keys;                   /* 16-byte keys, each expanded -> a zero block under the last */
    run_job *hash;                   /* messages -> SM3, 32 bytes each */
} contender;

#if defined(__cplusplus)
#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT const contender CONTENDER;
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#endif
