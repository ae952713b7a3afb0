/* job.h: what a contender of the C bench can do. Each is a shared object of its own that exports one `contender`;
 * the driver loads it, so that a library that is not installed costs nobody else anything. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Items i = 0..items-1 are data[offsets[i] .. offsets[i+1]); of a row the first id_lengths[i] bytes are the id. Behind the
 * last item stands what else the job needs: `more`. */
typedef struct {
    size_t items;
    const uint32_t *offsets;
    const uint8_t *id_lengths;
    const uint8_t *data;
    const uint8_t *more;
} job;

/* The published sample keys, and the time at which tokens are checked: 2018-01-17 11:50:03 in China, tolerance 60 s. */
static const uint8_t SECURITY_KEY[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                         0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
static const uint8_t PROTECTION_KEY[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                           0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
enum { NOW = 1516161003, TOLERANCE = 60 };
static const uint8_t OLDEST[7] = {0x20, 0x18, 0x01, 0x17, 0x11, 0x49, 0x03}; /* NOW - TOLERANCE as a token says it */

/* What PROTECTION_KEY gives for compact codes (profile E2), and the time at which those are checked. */
static const uint8_t ALIAS_KEY[16] = {0xEF, 0x02, 0xB6, 0xC0, 0x94, 0xC0, 0xB8, 0xED,
                                      0x24, 0x27, 0x18, 0x06, 0x95, 0x9F, 0xCA, 0x1C};
static const uint8_t MAC_KEY[32] = {0x17, 0xFB, 0x99, 0xE8, 0xA7, 0x51, 0xD9, 0xBF, 0xDE, 0x78, 0xBC,
                                    0x64, 0x33, 0x87, 0x17, 0xE3, 0x4C, 0x34, 0x60, 0x94, 0x48, 0x0B,
                                    0x99, 0x3C, 0x64, 0x0B, 0x85, 0x69, 0xD0, 0xF1, 0xAF, 0xC4};
enum { COMPACT_NOW = 1767225600, COMPACT_EPOCH = 1577836800 };

/* The fields of a card-bound token to be made; an item of "make_bound". Its card id stands at more + 32·i. */
typedef struct {
    int64_t expiry;
    uint8_t key_version, channel, scene;
    uint32_t sequence;
} bound_fields;

/* The fields of a compact code to be made; an item of "make_compact". */
typedef struct {
    uint32_t issuer;
    uint8_t node, key_version, ttl, channel;
    int64_t issued_at;
    uint64_t serial, account;
} compact_fields;

typedef void run_job(const job *work, uint8_t *answer);

typedef struct {
    const char *kind;
    run_job *run;
} ability;

/* Contexts are made in `open`, off the clock. */
typedef struct {
    const char *(*open)(void);       /* the library's name and version */
    const char *(*tier)(size_t i);   /* ours only: the tiers that this processor runs, NULL past the end */
    int (*choose)(const char *tier); /* ours only: 0 when it now runs */
    ability can[32];                 /* the kinds of jobs that it does, below; up to one without a name */
} contender;

/* kind          item -> answer
 * derive        a row -> 32 bytes, the card id under SECURITY_KEY
 * rekey         a row -> the card ids under SECURITY_KEY of all rows, then those under PROTECTION_KEY
 * check         the text of a code (N) -> 1 when accepted at NOW, else 0; check_one: a call each
 * bound         the text of a code (A) -> likewise; bound_one: a call each
 * compact       the text of a code (E2) -> likewise, at COMPACT_NOW; compact_one: a call each
 * make          a time (int64_t) -> 32 digits; make_one: a call each
 * make_bound    bound_fields -> 32 digits; make_bound_one
 * make_compact  compact_fields -> 77 characters; make_compact_one
 * hex, unhex    bytes -> digits and back, all items in one go
 * base45, unbase45  48 bytes -> 72 characters and back
 * ecb           16-byte blocks, all in one go under SECURITY_KEY
 * keys          16-byte keys, each expanded -> a zero block under the last
 * hash          messages -> SM3, 32 bytes each
 * mac           messages of 32 bytes -> HMAC-SM3 under MAC_KEY, 32 bytes each */

#if defined(__cplusplus)
#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT const contender CONTENDER;
#else
#define EXPORT __attribute__((visibility("default")))
extern EXPORT const contender CONTENDER;
#endif

#endif
