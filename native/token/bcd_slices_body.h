/* bcd_slices_body.h: blocks of profile N decrypted in slices (sm4_slices_body.h) and their times read there: a vector is one byte
 * of 32 blocks, so what bcd_time.h does with words takes a quarter of the operations, and only the seven bytes of a time leave the
 * AES field.
 *
 * A slice has the blocks of even number in its lower half and those of odd number in its upper one (sm4_load_state). */
#include "bcd_time.h"

enum { GROUP = LANES * STREAMS };

#define EACH(byte) _mm256_set1_epi8(byte)

/* Not zero where a byte is more than `most`. */
static inline vec over(vec x, vec most)
{
    return _mm256_subs_epu8(x, most);
}

/* Two digits to 0..165; `outside` is not zero where the ones are over 9. Where the tens are, the value is over 99. */
static inline vec from_bcd(vec x, vec *outside)
{
    const vec six_times = REPEAT16(0, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66, 72, 78, 84, 90);
    vec carry = v_xor(x, _mm256_add_epi8(x, EACH(6)));
    *outside = _mm256_or_si256(*outside, _mm256_and_si256(carry, EACH(0x10)));
    return _mm256_sub_epi8(x, _mm256_shuffle_epi8(six_times, split(x).high));
}

static inline vec quarter_of(vec x)
{
    return _mm256_and_si256(_mm256_srli_epi16(x, 2), EACH(0x3F));
}

/* Elements of two vectors side by side, from the lower or the upper part of each half. */
#define BESIDE(bits, upper, a, b) ((upper) ? _mm256_unpackhi_epi##bits(a, b) : _mm256_unpacklo_epi##bits(a, b))

/* a·x + y of 32 bytes, as words. */
#define BYTES_SUM(upper, a, x, y) _mm256_maddubs_epi16(BESIDE(8, upper, x, y), _mm256_set1_epi16(0x100 + (a)))
/* The same of words, as double words. */
#define WORDS_SUM(upper, a, x, y) _mm256_madd_epi16(BESIDE(16, upper, x, y), _mm256_set1_epi32(0x10000 + (a)))

/* What bcd_time.h computes; fields: century, year, month, day, hour, minute, second of 32 blocks in BCD. */
static inline void read_slices(vec fields[7], vec outside, int64_t *times, uint8_t *authentic)
{
    const vec last_days = REPEAT16(0, 30, 27, 30, 29, 30, 29, 30, 30, 29, 30, 29, 30, 0, 0, 0); /* by month, from 0 */
    /* (979·m - 2919) / 32, its lower byte; from month 12 on it is over 255 */
    const vec days_before = REPEAT16(0, 0, 0, 0, 31, 61, 92, 122, -103, -72, -42, -11, 19, 50, 81, 0);
    const vec zero = _mm256_setzero_si256(), one = EACH(1);
    for (int i = 0; i < 7; i++)
        fields[i] = from_bcd(fields[i], &outside);
    vec century = fields[0], year = fields[1], month = fields[2], day = _mm256_sub_epi8(fields[3], one);
    vec hour = fields[4], minute = fields[5], second = fields[6];

    vec round_year = _mm256_cmpeq_epi8(year, zero), february = _mm256_cmpeq_epi8(month, EACH(2));
    vec fours = _mm256_or_si256(year, _mm256_and_si256(round_year, century));
    vec leap = _mm256_cmpeq_epi8(_mm256_and_si256(fours, EACH(3)), zero);
    vec last_day = _mm256_sub_epi8(_mm256_shuffle_epi8(last_days, month), _mm256_and_si256(leap, february));
    outside = _mm256_or_si256(outside, _mm256_or_si256(over(century, EACH(99)), over(year, EACH(99))));
    outside =
        _mm256_or_si256(outside, _mm256_or_si256(over(_mm256_sub_epi8(month, one), EACH(11)), over(day, last_day)));
    outside = _mm256_or_si256(outside, _mm256_or_si256(over(hour, EACH(23)), over(minute, EACH(59))));
    outside = _mm256_or_si256(outside, over(second, EACH(59)));
    vec right = _mm256_cmpeq_epi8(outside, zero);

    vec before_march = _mm256_cmpgt_epi8(EACH(3), month), borrow = _mm256_and_si256(before_march, round_year);
    century = _mm256_add_epi8(century, _mm256_add_epi8(EACH(4), borrow));
    year = _mm256_add_epi8(year, _mm256_add_epi8(before_march, _mm256_and_si256(borrow, EACH(100))));
    month = _mm256_add_epi8(month, _mm256_and_si256(before_march, EACH(12)));
    vec rest = _mm256_add_epi8(day, _mm256_add_epi8(quarter_of(century), quarter_of(year)));
    vec low = _mm256_shuffle_epi8(days_before, month);
    vec high = _mm256_and_si256(_mm256_cmpgt_epi8(month, EACH(11)), one);

    __m128i even = _mm256_castsi256_si128(right), odd = _mm256_extracti128_si256(right, 1);
    int8_t masks[32];
    _mm_storeu_si128((__m128i *)(void *)masks, _mm_unpacklo_epi8(even, odd));
    _mm_storeu_si128((__m128i *)(void *)(masks + 16), _mm_unpackhi_epi8(even, odd));
    for (int i = 0; i < 32; i++)
        authentic[i] = (uint8_t)-masks[i];

    /* days = 365·(100·century + year) + 24·century + rest + those of the months before */
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        vec years = BYTES_SUM(h, 100, century, year);
        vec leaps = _mm256_add_epi16(BYTES_SUM(h, 24, century, rest), BESIDE(8, h, low, high));
        vec minutes = BYTES_SUM(h, 60, hour, minute), seconds = BESIDE(8, h, second, zero);
#pragma GCC unroll 2
        for (int q = 0; q < 2; q++) {
            vec days = WORDS_SUM(q, 365, years, leaps), of_day = WORDS_SUM(q, 60, minutes, seconds);
#pragma GCC unroll 2
            for (int e = 0; e < 2; e++) {
                int at = 16 * h + 8 * q + 4 * e;
                int32_t four;
                memcpy(&four, masks + at, sizeof four);
                vec both = BESIDE(32, e, days, of_day);
                vec time =
                    _mm256_add_epi64(_mm256_mul_epu32(both, _mm256_set1_epi64x(86400)), _mm256_srli_epi64(both, 32));
                time = _mm256_add_epi64(time, _mm256_set1_epi64x(time_of(-865565, 0)));
                time = _mm256_and_si256(_mm256_permute4x64_epi64(time, 0xD8),
                                        _mm256_cvtepi8_epi64(_mm_cvtsi32_si128(four)));
                _mm256_storeu_si256((__m256i *)(void *)(times + at), time);
            }
        }
    }
}

static void read_group(const sm4_uniform_key round_keys[32], const uint8_t *blocks, int64_t *times, uint8_t *authentic)
{
    vec x[4][STREAMS];
    sm4_load_state(blocks, x);
    sm4_rounds_one_key(round_keys, x);
#pragma GCC unroll 1
    for (int s = 0; s < STREAMS; s += 4) {
        vec fields[7], rest = x[2][s + 3]; /* all zero, as in the field */
        for (int b = 0; b < 4; b++)
            rest = _mm256_or_si256(rest, _mm256_or_si256(x[1][s + b], x[0][s + b]));
        for (int b = 0; b < 7; b++)
            fields[b] = sm4_leave(x[3 - b / 4][s + b % 4]);
        read_slices(fields, rest, times + LANES * s, authentic + LANES * s);
    }
}
