/* base45.c: RFC 9285. Two bytes are three characters, least significant first; a last byte alone is two. What is encoded
 * is public: tables are looked up by it. */
#include "dispatch.h"
#include "kernels.h"

static const char ALPHABET[45] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/* What a character adds to a group, at its first place; NONE for one outside the alphabet, which no sum hides. */
enum { NONE = 1 << 24 };
/* clang-format off */
static const uint32_t VALUE[256] = {
#define X NONE
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    36, X, X, X, 37, 38, X, X, X, X, 39, 40, X, 41, 42, 43, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 44, X, X, X, X, X,
    X, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
#undef X
};
/* clang-format on */

void ehc_base45_encode_portable(const uint8_t *data, size_t n, uint8_t *text)
{
    for (size_t i = 0; i < n; i++) {
        unsigned group = (unsigned)data[2 * i] << 8 | data[2 * i + 1];
        text[3 * i] = (uint8_t)ALPHABET[group % 45];
        text[3 * i + 1] = (uint8_t)ALPHABET[group / 45 % 45];
        text[3 * i + 2] = (uint8_t)ALPHABET[group / 2025];
    }
}

size_t ehc_base45_encode(const uint8_t *data, size_t n, uint8_t *text)
{
    size_t groups = n / 2;
    ehc_tier_current()->token.base45_encode(data, groups, text);
    if (n % 2 == 1) {
        text[3 * groups] = (uint8_t)ALPHABET[data[n - 1] % 45];
        text[3 * groups + 1] = (uint8_t)ALPHABET[data[n - 1] / 45];
    }
    return EHC_BASE45_LENGTH(n);
}

/* Value of three characters; over 65535 when it is no group. NONE times any factor stays over it. */
static inline uint32_t three(const uint8_t *text)
{
    return VALUE[text[0]] + 45 * VALUE[text[1]] + 2025 * (VALUE[text[2]] & 0xFF) + (VALUE[text[2]] & NONE);
}

/* Where, and why, a text that did not decode is no encoding. */
static int refuse(const uint8_t *text, size_t length, size_t *error_offset)
{
    for (size_t i = 0; i < length; i++)
        if (VALUE[text[i]] == NONE) {
            *error_offset = i;
            return EHC_PAYLOAD_CHARACTER;
        }
    for (*error_offset = 0; *error_offset + 3 <= length; *error_offset += 3)
        if (three(text + *error_offset) > 0xFFFF)
            break;
    return EHC_PAYLOAD_GRAMMAR;
}

int ehc_base45_decode_portable(const uint8_t *text, size_t n, uint8_t *data)
{
    uint32_t outside = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t group = three(text + 3 * i);
        outside |= group >> 16;
        data[2 * i] = (uint8_t)(group >> 8);
        data[2 * i + 1] = (uint8_t)group;
    }
    return outside == 0;
}

int ehc_base45_decode(const uint8_t *text, size_t length, uint8_t *data, size_t *n, size_t *error_offset)
{
    size_t groups = length / 3, rest = length % 3;
    *error_offset = *n = 0;
    if (rest == 1)
        return EHC_PAYLOAD_LENGTH;
    int right = ehc_tier_current()->token.base45_decode(text, groups, data);
    if (rest == 2) {
        uint32_t group = VALUE[text[3 * groups]] + 45 * VALUE[text[3 * groups + 1]];
        right &= group <= 255;
        data[2 * groups] = (uint8_t)group;
    }
    if (!right)
        return refuse(text, length, error_offset);
    *n = 2 * groups + (rest == 2);
    return EHC_OK;
}
