/* token_check.c: the validity token (有效性信息) of profile N: SM4 under the protection key of the BCD time
 * YYYYMMDDhhmmss in China Standard Time and nine zero bytes. Steps carry the numbers of verification;
 * step 3, the key version, is the caller's, who holds the keys. */
#include "base.h"

static const int64_t CST = 8 * 3600;

/* Days from 1970-01-01 of a date of the proleptic Gregorian calendar; years are counted from March. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
    static const uint8_t DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap);
}

static int from_bcd(uint8_t byte)
{
    return (byte >> 4) * 10 + (byte & 15);
}

/* Nine zero bytes behind fourteen decimal digits: all that authenticates profile N, so all of it is looked at before
 * anything is decided. */
static int is_token_block(const uint8_t plain[16])
{
    static const uint8_t ZEROS[9];
    unsigned outside = (unsigned)!ehc_equal(plain + 7, ZEROS, 9);
    for (size_t i = 0; i < 7; i++)
        outside |= (unsigned)(plain[i] >> 4 > 9) | (unsigned)((plain[i] & 15) > 9);
    return !outside;
}

/* The time in a decrypted block, in seconds since 1970. 0 when the block is not one of ours. */
static int read_time(const uint8_t plain[16], int64_t *time)
{
    if (!is_token_block(plain))
        return 0;
    int year = from_bcd(plain[0]) * 100 + from_bcd(plain[1]), month = from_bcd(plain[2]), day = from_bcd(plain[3]);
    int hour = from_bcd(plain[4]), minute = from_bcd(plain[5]), second = from_bcd(plain[6]);
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 ||
        second > 59)
        return 0;
    *time = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - CST;
    return 1;
}

/* Steps 4 and 5 on a decrypted block. */
static int check_block(const uint8_t plain[16], const ehc_window *window, int64_t *expiry)
{
    int64_t time;

    /* 4 authenticity */
    if (!read_time(plain, &time))
        return EHC_TOKEN_FORGED;
    *expiry = window->issue ? time + window->validity : time;

    /* 5 time window, both ends included */
    if (window->now > *expiry + window->tolerance)
        return EHC_TOKEN_EXPIRED;
    int bounded = window->issue || window->validity != 0;
    if (bounded && *expiry > window->now + window->validity + window->tolerance)
        return EHC_TOKEN_EARLY;
    return EHC_OK;
}

static int parse(const uint8_t *text, size_t length, ehc_checked *out)
{
    out->expiry = 0;
    int status = ehc_parse_payload(text, length, &out->payload);
    if (status == EHC_OK && out->payload.flag != EHC_FLAG_DYNAMIC)
        return EHC_TOKEN_NONE;
    return status;
}

int ehc_check_token(const ehc_sm4_key *protection_key, const uint8_t *text, size_t length, const ehc_window *window,
                    ehc_checked *out)
{
    uint8_t plain[16];
    int status = parse(text, length, out);
    if (status != EHC_OK)
        return status;
    ehc_sm4_decrypt(protection_key, out->payload.token_bytes, plain, 1);
    return check_block(plain, window, &out->expiry);
}

/* Tokens are decrypted in groups, so that the cipher runs in lanes. */
enum { GROUP = 64 };

static size_t check_group(const ehc_sm4_key *protection_key, const uint8_t *data, const uint32_t *offsets, size_t n,
                          const ehc_window *window, ehc_checked *out, uint8_t *status)
{
    uint8_t blocks[GROUP][16] = {{0}};
    size_t refused = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = offsets[i + 1] < offsets[i] ? 0 : offsets[i + 1] - offsets[i];
        status[i] = (uint8_t)parse(data + offsets[i], length, &out[i]);
        memcpy(blocks[i], out[i].payload.token_bytes, 16);
    }
    ehc_sm4_decrypt(protection_key, blocks[0], blocks[0], n);
    for (size_t i = 0; i < n; i++) {
        if (status[i] == EHC_OK)
            status[i] = (uint8_t)check_block(blocks[i], window, &out[i].expiry);
        refused += status[i] != EHC_OK;
    }
    return refused;
}

size_t ehc_check_batch(const ehc_sm4_key *protection_key, const uint8_t *data, const uint32_t *offsets, size_t n,
                       const ehc_window *window, ehc_checked *out, uint8_t *status)
{
    size_t refused = 0;
    for (size_t i = 0; i < n; i += GROUP)
        refused +=
            check_group(protection_key, data, offsets + i, n - i < GROUP ? n - i : GROUP, window, out + i, status + i);
    return refused;
}

/* The date of a day number; the inverse of days_from_civil. */
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

int ehc_make_token(const ehc_sm4_key *protection_key, int64_t time, uint8_t text[32])
{
    uint8_t block[16] = {0};
    int64_t year, month, day, local, second;
    if (time < -62167248000 || time > 253402271999) /* 0000-01-01T00:00:00 to 9999-12-31T23:59:59, CST */
        return EHC_TOKEN_FORGED;
    local = time + CST;
    second = (local % 86400 + 86400) % 86400;
    civil_from_days((local - second) / 86400, &year, &month, &day);
    block[0] = to_bcd(year / 100);
    block[1] = to_bcd(year % 100);
    block[2] = to_bcd(month);
    block[3] = to_bcd(day);
    block[4] = to_bcd(second / 3600);
    block[5] = to_bcd(second / 60 % 60);
    block[6] = to_bcd(second % 60);
    ehc_sm4_encrypt(protection_key, block, block, 1);
    ehc_hex(block, 16, text);
    return EHC_OK;
}
