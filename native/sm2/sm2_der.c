/* sm2_der.c: signatures and ciphertexts between their plain form and DER (GM/T 0009). Of every value one encoding only. */
#include "base.h"
#include "sm2_inside.h"

enum { INTEGER = 0x02, OCTETS = 0x04, SEQUENCE = 0x30 };

/* A tag and its length, the shortest way; returns the bytes written. */
static size_t put_head(uint8_t *to, uint8_t tag, size_t length)
{
    size_t bytes = 0;
    to[0] = tag;
    if (length < 0x80) {
        to[1] = (uint8_t)length;
        return 2;
    }
    while (length >> 8 * bytes != 0)
        bytes++;
    to[1] = (uint8_t)(0x80 | bytes);
    for (size_t i = 0; i < bytes; i++)
        to[2 + i] = (uint8_t)(length >> 8 * (bytes - 1 - i));
    return 2 + bytes;
}

/* A positive number of 32 bytes without its leading zeros. */
static size_t put_number(uint8_t *to, const uint8_t number[32])
{
    size_t skip = 0;
    while (skip < 31 && number[skip] == 0)
        skip++;
    size_t sign = number[skip] >> 7, length = 32 - skip + sign, head = put_head(to, INTEGER, length);
    to[head] = 0;
    memcpy(to + head + sign, number + skip, 32 - skip);
    return head + length;
}

static size_t put_octets(uint8_t *to, const uint8_t *octets, size_t length)
{
    size_t head = put_head(to, OCTETS, length);
    memcpy(to + head, octets, length);
    return head + length;
}

/* Puts the head of a sequence before `length` bytes that stand at to + 6; returns the length of all. */
static size_t enclose(uint8_t *to, size_t length)
{
    uint8_t head[8];
    size_t size = put_head(head, SEQUENCE, length);
    memmove(to + size, to + 6, length);
    memcpy(to, head, size);
    return size + length;
}

size_t ehc_sm2_to_der(const uint8_t signature[EHC_SM2_SIGNATURE], uint8_t der[EHC_SM2_DER_MAX])
{
    uint8_t out[6 + 2 * 35];
    size_t at = 6;
    at += put_number(out + at, signature);
    at += put_number(out + at, signature + 32);
    size_t length = enclose(out, at - 6);
    memcpy(der, out, length);
    return length;
}

size_t ehc_sm2_cipher_to_der(const uint8_t *ciphertext, size_t length, uint8_t *der)
{
    size_t at = 6;
    at += put_number(der + at, ciphertext);
    at += put_number(der + at, ciphertext + 32);
    at += put_octets(der + at, ciphertext + 64, 32);
    at += put_octets(der + at, ciphertext + 96, length - 96);
    return enclose(der, at - 6);
}

typedef struct {
    const uint8_t *at, *end;
} bytes;

/* The next value of this tag: its contents, and `from` moved behind it. 0 when there is none in its one form. */
static int take(bytes *from, uint8_t tag, bytes *contents)
{
    size_t left = (size_t)(from->end - from->at), length = 0, head = 2;
    if (left < 2 || from->at[0] != tag)
        return 0;
    if (from->at[1] < 0x80) {
        length = from->at[1];
    } else {
        size_t count = from->at[1] & 0x7F;
        if (count == 0 || count > 4 || left < 2 + count || from->at[2] == 0)
            return 0;
        for (size_t i = 0; i < count; i++)
            length = length << 8 | from->at[2 + i];
        head += count;
        if (length < 0x80)
            return 0;
    }
    if (length > left - head)
        return 0;
    contents->at = from->at + head;
    contents->end = from->at = contents->at + length;
    return 1;
}

static int take_number(bytes *from, uint8_t number[32])
{
    bytes digits;
    if (!take(from, INTEGER, &digits) || digits.at == digits.end)
        return 0;
    size_t length = (size_t)(digits.end - digits.at);
    if (digits.at[0] == 0 && length > 1) {
        if (digits.at[1] < 0x80)
            return 0; /* a zero too many */
        digits.at++;
        length--;
    } else if (digits.at[0] >= 0x80) {
        return 0; /* negative */
    }
    if (length > 32)
        return 0;
    memset(number, 0, 32 - length);
    memcpy(number + 32 - length, digits.at, length);
    return 1;
}

int ehc_sm2_of_der(const uint8_t *der, size_t length, uint8_t signature[EHC_SM2_SIGNATURE])
{
    bytes all = {der, der + length}, inside;
    int right = take(&all, SEQUENCE, &inside) && all.at == all.end && take_number(&inside, signature) &&
                take_number(&inside, signature + 32) && inside.at == inside.end;
    return right ? EHC_SM2_OK : EHC_SM2_FORM;
}

int ehc_sm2_cipher_of_der(const uint8_t *der, size_t length, uint8_t *ciphertext, size_t room, size_t *written)
{
    bytes all = {der, der + length}, inside, hash, text;
    uint8_t point[EHC_SM2_POINT];
    int right = take(&all, SEQUENCE, &inside) && all.at == all.end && take_number(&inside, point) &&
                take_number(&inside, point + 32) && take(&inside, OCTETS, &hash) && hash.end - hash.at == 32 &&
                take(&inside, OCTETS, &text) && inside.at == inside.end;
    size_t size = right ? (size_t)(text.end - text.at) : 0;
    if (!right || room < EHC_SM2_OVERHEAD || size > room - EHC_SM2_OVERHEAD)
        return EHC_SM2_FORM;
    memcpy(ciphertext, point, EHC_SM2_POINT);
    memcpy(ciphertext + 64, hash.at, 32);
    memcpy(ciphertext + 96, text.at, size);
    *written = size + EHC_SM2_OVERHEAD;
    return EHC_SM2_OK;
}
