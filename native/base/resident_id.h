/* resident_id.h: the form of a resident id number (居民身份证号), GB 11643-1999. */
#ifndef EHC_RESIDENT_ID_H
#define EHC_RESIDENT_ID_H

#include "base.h"

static inline int is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* Of two digits. */
static inline unsigned two_digits(const uint8_t *at)
{
    return (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
}

/* The last day of a month, 1 to 12, that every year has. */
static inline unsigned last_day_of_any_year(unsigned month)
{
    return month == 2 ? 28 : 30 + ((month + month / 8) & 1);
}

/* 17 digits and the check character of ISO 7064 MOD 11-2 (an upper-case X for ten), around a month and a day. */
static inline int is_resident_id(const uint8_t *text, size_t length)
{
    static const uint8_t WEIGHT[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    unsigned sum = 0;
    if (length != 18)
        return 0;
    for (size_t i = 0; i < 17; i++) {
        if (!is_digit(text[i]))
            return 0;
        sum += (unsigned)(text[i] - '0') * WEIGHT[i];
    }
    unsigned month = two_digits(text + 10), day = two_digits(text + 12);
    return (uint8_t)"10X98765432"[sum % 11] == text[17] && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

#endif
