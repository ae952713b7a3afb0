/* bcd_time.h: a time as the tokens carry it, YYYYMMDDhhmmss in BCD and China Standard Time, and back.
 *
 * Reading is arithmetic alone, without branch, table or division: it runs in lanes (written once for all tiers) and its
 * duration tells nothing of a decrypted block that turned out not to be one of ours. */
#ifndef EHC_BCD_TIME_H
#define EHC_BCD_TIME_H

#include "base.h"

enum { EHC_CST = 8 * 3600 };

/* Four BCD bytes to four binary ones: a byte is 16·tens + ones, so six times the tens go. */
static inline uint32_t bcd_to_binary(uint32_t x)
{
    return x - 6 * (x >> 4 & 0x0F0F0F0F);
}

/* Not zero when one of eight digits is over 9: its bit 3 is set, and bit 2 or 1. */
static inline uint32_t bcd_outside(uint32_t x)
{
    return x >> 3 & (x >> 2 | x >> 1) & 0x11111111;
}

/* date = YYYYMMDD, clock = hhmmss and a byte that is not looked at. Gives the days since 1970-01-01 and the second of
 * the day; not zero when there is no such time, and then both mean nothing.
 *
 * Years are counted from March, and 400 more, so that February's leap day is the last of a year and nothing is negative:
 * a year has 365 days and one more every 4, a century 36524 and one more every 4, and the months before m (3..14) have
 * (979·m - 2919) / 32. 865565 is 1970-01-01 counted in this way. */
static inline uint32_t read_bcd_time(uint32_t date, uint32_t clock, int32_t *days, int32_t *second)
{
    uint32_t d = bcd_to_binary(date), c = bcd_to_binary(clock);
    uint32_t century = d >> 24, year = d >> 16 & 255, month = d >> 8 & 255, day = d & 255;
    uint32_t hour = c >> 24, minute = c >> 16 & 255, s = c >> 8 & 255;

    uint32_t leap = ((year | (century & (0u - (uint32_t)(year == 0)))) & 3) == 0;
    uint32_t last = 30 + ((month ^ month >> 3) & 1) - (uint32_t)(month == 2) * (2 - leap);
    uint32_t outside = bcd_outside(date) | bcd_outside(clock & 0xFFFFFF00);
    outside |= (uint32_t)(month - 1 > 11) | (uint32_t)(day - 1 >= last);
    outside |= (uint32_t)(hour > 23) | (uint32_t)(minute > 59) | (uint32_t)(s > 59);

    uint32_t before_march = month <= 2, borrow = before_march & (uint32_t)(year == 0);
    century += 4 - borrow;
    year += 100 * borrow - before_march;
    month += 12 * before_march;
    *days = (int32_t)(36524 * century + (century >> 2) + 365 * year + (year >> 2) + ((979 * month - 2919) >> 5) + day -
                      1 - 865565);
    *second = (int32_t)(3600 * hour + 60 * minute + s);
    return outside;
}

static inline int64_t time_of(int32_t days, int32_t second)
{
    return (int64_t)days * 86400 + second - EHC_CST;
}

/* A day and its date in BCD: that of a time is mostly that of the time before. */
typedef struct {
    uint32_t number, date; /* from 0000-01-01, which is 1; 0: none yet */
} ehc_bcd_day;

/* The seven bytes of a time; 0 when its year is not 0 to 9999. Times of codes to come are no secret. */
int ehc_write_bcd_time(int64_t time, ehc_bcd_day *last, uint8_t bcd[7]);

#endif
