/* check.h: one macro, one count. */
#ifndef EHC_CHECK_H
#define EHC_CHECK_H

#include <stdio.h>
#include <string.h>

#include "ehc.h"

extern unsigned long checks, failures;

#define CHECK(condition)                                                                                \
    do {                                                                                                \
        checks++;                                                                                       \
        if (!(condition)) {                                                                             \
            failures++;                                                                                 \
            fprintf(stderr, "%s:%d: tier %s: %s\n", __FILE__, __LINE__, ehc_tier_chosen(), #condition); \
        }                                                                                               \
    } while (0)

/* xorshift32: bytes that look random and are the same in every run. */
static inline uint8_t next_byte(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (uint8_t)(*state >> 11);
}

void test_dispatch(void);
void test_primitives(void);
void test_derive(void);
void test_columns(void);
void test_payload(void);
void test_token(void);
void test_token_kernels(void);
void test_codes(void);
void test_claims(void);
void test_host(void);

#endif
