/* bcd_time.c: times into BCD. */
#include "bcd_time.h"

/* The date of a day number, counted from 1970-01-01, in the proleptic Gregorian calendar; years are counted from March. */
static void civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static uint8_t to_bcd(int64_t value)
{
    return (uint8_t)(value / 10 << 4 | value % 10);
}

int ehc_write_bcd_time(int64_t time, uint8_t bcd[7])
{
    int64_t year, month, day, local, second;
    if (time < -62167248000 || time > 253402271999) /* 0000-01-01T00:00:00 to 9999-12-31T23:59:59, CST */
        return 0;
    local = time + EHC_CST;
    second = (local % 86400 + 86400) % 86400;
    civil_from_days((local - second) / 86400, &year, &month, &day);
    bcd[0] = to_bcd(year / 100);
    bcd[1] = to_bcd(year % 100);
    bcd[2] = to_bcd(month);
    bcd[3] = to_bcd(day);
    bcd[4] = to_bcd(second / 3600);
    bcd[5] = to_bcd(second / 60 % 60);
    bcd[6] = to_bcd(second % 60);
    return 1;
}
