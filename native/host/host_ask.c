/* host_ask.c: the client's end of the host protocol: rows of people into frames, answers back into rows. */
#include "host.h"
#include "kernels.h"

enum { LONGEST_MESSAGE = 9999, BEFORE_DATA = 54 }; /* of 3C: four decimal digits; bytes of an S3 body before its data */

static int status_of(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t i)
{
    int status = ehc_row_status(data, offsets, id_lengths, i);
    if (status != EHC_OK)
        return EHC_HOST_ROW + status;
    return offsets[i + 1] - offsets[i] > LONGEST_MESSAGE ? EHC_HOST_ROW : EHC_HOST_DONE;
}

size_t ehc_host_ask_digests(const uint8_t *data, const uint32_t *offsets, const uint8_t *id_lengths, size_t n,
                            uint8_t *codes, uint8_t *out)
{
    uint8_t *to = out;
    for (size_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)status_of(data, offsets, id_lengths, i);
        if (codes[i] != EHC_HOST_DONE)
            continue;
        size_t length = offsets[i + 1] - offsets[i];
        to = put_bytes(put16(to, 8 + length + 9), "3C20", 4);
        to = put_bytes(put_decimal(to, length, 4), data + offsets[i], length);
        to = put_bytes(to, ";00000000", 9);
    }
    return (size_t)(to - out);
}

static uint8_t *put_factor(uint8_t *to, const uint8_t mindex[32])
{
    uint8_t factor[16];
    for (size_t k = 0; k < 8; k++) {
        factor[k] = mindex[k] ^ mindex[k + 8] ^ mindex[k + 16] ^ mindex[k + 24];
        factor[k + 8] = (uint8_t)~factor[k];
    }
    ehc_hex(factor, 16, to);
    return to + FACTOR_DIGITS;
}

size_t ehc_host_ask_cards(const uint8_t *mindex, const uint8_t *data, const uint32_t *offsets,
                          const uint8_t *id_lengths, const uint8_t *card_id_lengths, size_t n, unsigned version,
                          const uint8_t *codes, uint8_t *out)
{
    uint8_t *to = out;
    for (size_t i = 0; i < n; i++) {
        if (codes[i] != EHC_HOST_DONE)
            continue;
        /* the machine fills up to whole blocks; what is to be longer than that is filled up here */
        size_t length = card_id_lengths[i] > (id_lengths[i] + 15u) / 16 * 16 ? card_id_lengths[i] : id_lengths[i];
        to = put_bytes(put16(to, BEFORE_DATA + length), "S30000AK", 8);
        to = put_bytes(put_decimal(to, KEY_NUMBER_ZERO + 2 * version, 4), "01", 2);
        to = put_bytes(put_factor(to, mindex + 32 * i), "0002", 4);
        to = put_hex16(to, length);
        memset(to, 0, length);
        memcpy(to, data + offsets[i], id_lengths[i]);
        to += length;
    }
    return (size_t)(to - out);
}

/* One answer's body, which carries so many bytes in a row of 32; -1: it is no answer to what was asked. */
static int read_answer(const uint8_t *body, size_t length, int is_digest, size_t carried, uint8_t row[32])
{
    uint8_t field[4] = "32";
    size_t head = is_digest ? 6 : 8;
    if (!is_digest)
        put_hex16(field, carried);
    if (length < 4 || memcmp(body, is_digest ? "3D" : "S4", 2) != 0)
        return -1;
    int code = read_decimal(body + 2, 2);
    if (code != EHC_HOST_DONE)
        return length == 4 ? code : -1;
    if (length != head + carried || memcmp(body + 4, field, head - 4) != 0)
        return -1;
    memset(row, 0, 32);
    memcpy(row, body + head, carried);
    return EHC_HOST_DONE;
}

int ehc_host_take(const uint8_t *in, size_t length, const uint8_t *card_id_lengths, size_t n, uint8_t *codes,
                  uint8_t *rows, size_t *row, size_t *taken)
{
    size_t at = 0, i = *row;
    int code = EHC_HOST_DONE;
    for (; i < n; i++) {
        if (codes[i] != EHC_HOST_DONE)
            continue;
        if (length - at < LENGTH_FIELD || length - at - LENGTH_FIELD < load16(in + at))
            break;
        size_t body = load16(in + at);
        code = read_answer(in + at + LENGTH_FIELD, body, card_id_lengths == NULL,
                           card_id_lengths == NULL ? 32 : card_id_lengths[i], rows + 32 * i);
        if (code < 0)
            break;
        codes[i] = (uint8_t)code;
        at += LENGTH_FIELD + body;
    }
    *row = i, *taken = at;
    return code >= 0;
}
