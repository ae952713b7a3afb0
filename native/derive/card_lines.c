/* card_lines.c: cards as the lines of a CSV file. */
#include "base.h"

/* Decimal digits of a line number from 0 on. */
static uint8_t *put_number(uint8_t *to, uint64_t number)
{
    uint8_t digits[20], *at = digits + sizeof digits;
    do
        *--at = (uint8_t)('0' + number % 10);
    while ((number /= 10) != 0);
    size_t length = (size_t)(digits + sizeof digits - at);
    memcpy(to, at, length);
    return to + length;
}

static uint8_t *put_hex(uint8_t *to, const uint8_t *id, size_t length)
{
    *to++ = ',';
    ehc_hex(id, length, to);
    return to + 2 * length;
}

size_t ehc_card_lines(const int64_t *lines, const uint8_t *mindex, const uint8_t *card_id,
                      const uint8_t *card_id_lengths, size_t n, uint8_t *out)
{
    uint8_t *to = out;
    for (size_t i = 0; i < n; i++) {
        if (card_id_lengths[i] == 0)
            continue;
        to = put_number(to, (uint64_t)lines[i]);
        if (mindex != NULL)
            to = put_hex(to, mindex + 32 * i, 32);
        to = put_hex(to, card_id + 32 * i, card_id_lengths[i]);
        *to++ = '\n';
    }
    return (size_t)(to - out);
}
