/* fuzz.h: what the libFuzzer targets share. An expectation that fails is a crash, which libFuzzer keeps the input of. */
#ifndef EHC_FUZZ_H
#define EHC_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ehc.h"

#define EXPECT(condition)                                                             \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly n bytes, so that the sanitizer sees the first one too many. */
static inline void *fuzz_room(size_t n)
{
    void *room = malloc(n);
    if (room == NULL)
        abort();
    return room;
}

/* The input is eaten from its front; zeros when it is used up. */
typedef struct {
    const uint8_t *at;
    size_t left;
} fuzz_input;

static inline unsigned fuzz_byte(fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

/* A tier of this processor, chosen by a byte. */
static inline void fuzz_tier(unsigned choice)
{
    size_t count = 0, supported = 0;
    while (ehc_tier_name(count) != NULL)
        supported += ehc_tier_supported(count++) != 0;
    size_t wanted = choice % supported;
    for (size_t i = 0;; i++)
        if (ehc_tier_supported(i) && wanted-- == 0) {
            EXPECT(ehc_init(ehc_tier_name(i)) == EHC_OK);
            return;
        }
}

#endif
