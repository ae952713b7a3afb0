/* host.h: what the two ends of the host protocol share (native/README.md, "Frames"). */
#ifndef EHC_HOST_H
#define EHC_HOST_H

#include "base.h"

enum {
    LENGTH_FIELD = 2,     /* big-endian, in front of each body */
    FACTOR_DIGITS = 32,   /* factor ‖ NOT factor */
    KEY_NUMBER_ZERO = 102 /* key K0102 + 2·version */
};

static inline uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t n)
{
    memcpy(to, bytes, n);
    return to + n;
}

static inline uint8_t *put16(uint8_t *to, size_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return to + 2;
}

static inline uint8_t *put_decimal(uint8_t *to, size_t value, size_t digits)
{
    for (size_t i = digits; i-- > 0; value /= 10)
        to[i] = (uint8_t)('0' + value % 10);
    return to + digits;
}

static inline uint8_t *put_hex16(uint8_t *to, size_t value)
{
    uint8_t bytes[2];
    put16(bytes, value);
    ehc_hex(bytes, 2, to);
    return to + 4;
}

static inline size_t load16(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* A number of decimal digits; -1 when a character is none. */
static inline int read_decimal(const uint8_t *at, size_t digits)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value = 10 * value + (at[i] - '0');
    }
    return value;
}

#endif
