/* columns.c: three text columns into the packed rows of ehc_derive_batch, and results into hex. Only rows whose bytes
 * are already canonical (cards/identity.py has the rules) pass; the others are left to the slow, explaining path. */
#include "base.h"

typedef struct {
    const uint8_t *at;
    size_t length;
} text;

static text cell(const ehc_column *column, size_t i)
{
    int32_t begin = column->offsets[i], end = column->offsets[i + 1];
    return (text){column->data + begin, (size_t)(end - begin)};
}

static int is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') <= 9;
}

/* GB 11643-1999: ISO 7064 MOD 11-2 over 17 digits and the check character; then a plausible date of birth, whose
 * calendar (30 February, leap years) is left to the slow path by admitting days 1 to 28 only. */
static int is_resident_id(text t)
{
    static const uint8_t WEIGHT[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    unsigned sum = 0;
    if (t.length != 18)
        return 0;
    for (size_t k = 0; k < 17; k++) {
        if (!is_digit(t.at[k]))
            return 0;
        sum += (unsigned)(t.at[k] - '0') * WEIGHT[k];
    }
    if ((uint8_t)"10X98765432"[sum % 11] != t.at[17])
        return 0;
    unsigned century = (unsigned)(t.at[6] - '0') * 10 + (unsigned)(t.at[7] - '0');
    unsigned month = (unsigned)(t.at[10] - '0') * 10 + (unsigned)(t.at[11] - '0');
    unsigned day = (unsigned)(t.at[12] - '0') * 10 + (unsigned)(t.at[13] - '0');
    return (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 && day <= 28 && t.at[0] != '0';
}

/* Common ideographs U+4E00..U+9FA5 (three bytes, E4 B8 80 .. E9 BE A5), stable under NFC; at most 50 of them. */
static int is_plain_name(text t)
{
    if (t.length == 0 || t.length % 3 != 0 || t.length > 150)
        return 0;
    for (size_t k = 0; k < t.length; k += 3) {
        uint32_t c = (uint32_t)t.at[k] << 16 | (uint32_t)t.at[k + 1] << 8 | t.at[k + 2];
        if (c < 0xE4B880 || c > 0xE9BEA5 || (c & 0xC0C0) != 0x8080)
            return 0;
    }
    return 1;
}

size_t ehc_pack_columns(const ehc_column *id_type, const ehc_column *id_number, const ehc_column *name, size_t n,
                        uint8_t *out, uint32_t *offsets, uint8_t *id_lengths, uint8_t *status)
{
    size_t irregular = 0;
    uint32_t end = 0;
    offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        text type = cell(id_type, i), number = cell(id_number, i), person = cell(name, i);
        int regular = type.length == 2 && memcmp(type.at, "01", 2) == 0 && is_resident_id(number) && is_plain_name(person);
        status[i] = regular ? EHC_OK : EHC_ROW_IRREGULAR;
        id_lengths[i] = regular ? 20 : 0;
        if (regular) {
            memcpy(out + end, "01", 2);
            memcpy(out + end + 2, number.at, 18);
            memcpy(out + end + 20, person.at, person.length);
            end += (uint32_t)(20 + person.length);
        }
        irregular += !regular;
        offsets[i + 1] = end;
    }
    return irregular;
}

void ehc_hex(const uint8_t *data, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        unsigned high = data[i] >> 4, low = data[i] & 15;
        out[2 * i] = (uint8_t)(high + '0' + (high > 9 ? 7u : 0u));
        out[2 * i + 1] = (uint8_t)(low + '0' + (low > 9 ? 7u : 0u));
    }
}
