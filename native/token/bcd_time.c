/* bcd_time.c: times into BCD. */
#include "bcd_time.h"

static const int64_t FIRST = -62167248000, LAST = 253402271999; /* 0000-01-01T00:00:00 to 9999-12-31T23:59:59, CST */

static uint32_t to_bcd(uint32_t value)
{
    return value + 6 * (value / 10);
}

/* YYYYMMDD of a day of the proleptic Gregorian calendar, counted from 0000-01-01. Years are counted from March, and 400
 * more, so that February's leap day is the last of a year and nothing is negative. */
static uint32_t date_of(uint32_t day)
{
    day += 146097 - 60;
    uint32_t era = day / 146097, day_of_era = day - era * 146097;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t from_march = (5 * day_of_year + 2) / 153;
    uint32_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    uint32_t year = year_of_era + era * 400 - 400 + (month <= 2);
    uint32_t of_month = day_of_year - (153 * from_march + 2) / 5 + 1;
    return to_bcd(year / 100) << 24 | to_bcd(year % 100) << 16 | to_bcd(month) << 8 | to_bcd(of_month);
}

int ehc_write_bcd_time(int64_t time, ehc_bcd_day *last, uint8_t bcd[7])
{
    if (time < FIRST || time > LAST)
        return 0;
    uint64_t local = (uint64_t)(time - FIRST);
    uint32_t day = (uint32_t)(local / 86400), second = (uint32_t)(local - (uint64_t)day * 86400), minute = second / 60;
    if (day + 1 != last->number)
        *last = (ehc_bcd_day){day + 1, date_of(day)};
    store32(bcd, last->date);
    bcd[4] = (uint8_t)to_bcd(minute / 60);
    bcd[5] = (uint8_t)to_bcd(minute % 60);
    bcd[6] = (uint8_t)to_bcd(second % 60);
    return 1;
}
