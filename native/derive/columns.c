/* columns.c: three text columns into the packed rows of ehc_derive_batch, and results into hex. Only rows whose bytes
 * are already canonical (cards/identity.py has the rules) pass; the others are left to the slow, explaining path. */
#include "resident_id.h"

typedef struct {
    const uint8_t *at;
    size_t length;
} text;

static text cell(const ehc_column *column, size_t i)
{
    int32_t begin = column->offsets[i], end = column->offsets[i + 1];
    return (text){column->data + begin, (size_t)(end - begin)};
}

static int is_upper(uint8_t c)
{
    return (uint8_t)(c - 'A') <= 'Z' - 'A';
}

/* Type 01 .. 08 or 99; returns 0 for anything else. */
static unsigned id_type_of(text t)
{
    if (t.length != 2 || !is_digit(t.at[0]) || !is_digit(t.at[1]))
        return 0;
    unsigned type = two_digits(t.at);
    return type <= 8 || type == 99 ? type : 0;
}

int ehc_is_plain_resident_id(const uint8_t *number, size_t length)
{
    if (!is_resident_id(number, length))
        return 0;
    unsigned century = two_digits(number + 6);
    return number[0] != '0' && (century == 19 || century == 20) &&
           two_digits(number + 12) <= last_day_of_any_year(two_digits(number + 10));
}

/* The other documents: 1 to 30 capital letters and digits; marks are left to the slow path. */
static int is_plain_number(text t)
{
    if (t.length == 0 || t.length > 30)
        return 0;
    for (size_t k = 0; k < t.length; k++)
        if (!is_digit(t.at[k]) && !is_upper(t.at[k]))
            return 0;
    return 1;
}

/* U+4E00..U+9FA5, three bytes E4 B8 80 .. E9 BE A5. */
static int is_ideograph(const uint8_t *at)
{
    uint32_t c = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
    return c >= 0xE4B880 && c <= 0xE9BEA5 && (c & 0xC0C0) == 0x8080;
}

/* At most 50 ideographs, ASCII letters, digits, interpuncts U+00B7 and single spaces inside, with at least one letter:
 * all stable under NFC. Bytes are read only inside the text. */
static int is_plain_name(text t)
{
    size_t k = 0, characters = 0, letters = 0;
    while (k < t.length) {
        uint8_t c = t.at[k];
        if (t.length - k >= 3 && is_ideograph(t.at + k))
            k += 3, letters++;
        else if (is_upper(c & 0xDF))
            k += 1, letters++;
        else if (is_digit(c))
            k += 1;
        else if (t.length - k >= 2 && c == 0xC2 && t.at[k + 1] == 0xB7)
            k += 2;
        else if (c == ' ' && k > 0 && k + 1 < t.length && t.at[k + 1] != ' ')
            k += 1;
        else
            return 0;
        characters++;
    }
    return letters > 0 && characters <= 50;
}

size_t ehc_pack_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                        uint8_t *out, uint32_t *offsets, uint8_t *id_lengths, uint8_t *status)
{
    size_t irregular = 0;
    uint32_t end = 0;
    offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        text type = cell(id_type, i), number = cell(id_number, i), person = cell(name, i);
        unsigned kind = id_type_of(type);
        int is_number = kind == 1 ? ehc_is_plain_resident_id(number.at, number.length) : is_plain_number(number);
        int regular = kind != 0 && is_number && is_plain_name(person);
        status[i] = regular ? EHC_OK : EHC_ROW_IRREGULAR;
        id_lengths[i] = regular ? (uint8_t)(2 + number.length) : 0;
        if (regular) {
            memcpy(out + end, type.at, 2);
            memcpy(out + end + 2, number.at, number.length);
            memcpy(out + end + 2 + number.length, person.at, person.length);
            end += (uint32_t)(2 + number.length + person.length);
        }
        irregular += !regular;
        offsets[i + 1] = end;
    }
    return irregular;
}

/* Copies a text, a short one with the bytes behind it where `room` bytes can be read: one move instead of a call. What
 * comes next overwrites them. */
static inline uint8_t *put(uint8_t *to, text t, size_t room)
{
    if (t.length <= EHC_JOIN_SLACK && room >= EHC_JOIN_SLACK)
        memcpy(to, t.at, EHC_JOIN_SLACK);
    else
        memcpy(to, t.at, t.length);
    return to + t.length;
}

size_t ehc_join_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                        uint8_t *out, uint32_t *offsets, uint8_t *id_lengths)
{
    const ehc_column *columns[3] = {id_type, id_number, name};
    const uint8_t *ends[3];
    uint8_t *to = out;
    for (size_t c = 0; c < 3; c++)
        ends[c] = columns[c]->data + columns[c]->offsets[n];
    offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        text type = cell(id_type, i), number = cell(id_number, i), person = cell(name, i);
        size_t id_length = type.length + number.length;
        to = put(to, type, (size_t)(ends[0] - type.at));
        to = put(to, number, (size_t)(ends[1] - number.at));
        to = put(to, person, (size_t)(ends[2] - person.at));
        id_lengths[i] = (uint8_t)(id_length < 255 ? id_length : 255);
        offsets[i + 1] = (uint32_t)(to - out);
    }
    return (size_t)(to - out);
}
