/* payload.c: steps 1 and 2 of verification. The forms of native/README.md, "Payloads":
 *
 *     [PREFIX ':'] CARD [':' FLAG [':' [TOKEN] [':' ORGANISATION]]]  (CR | LF | TAB)*
 *
 * CARD is 32, 48 or 64 hex digits of either case, FLAG 0 (dynamic, needs a token), 1 (static, has none) or 9 (temporary,
 * 64 digits and nothing after it), TOKEN 32 hex digits, PREFIX 1 to 8 digits, ORGANISATION 1 to 64 of [0-9A-Za-z._-].
 * Nothing here is secret: a payload is what everybody sees. */
#include "dispatch.h"
#include "kernels.h"
#include "resident_id.h"

enum { MAX_FIELDS = 5, PREFIX_MAX = 8, ORGANISATION_MAX = 64 };

static int hex_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int is_organisation_character(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '.' || c == '_' || c == '-';
}

static size_t trimmed_length(const uint8_t *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == '\n' || text[length - 1] == '\t'))
        length--;
    return length;
}

static size_t leading_digits(const uint8_t *text, size_t length)
{
    size_t n = 0;
    while (n < length && is_digit(text[n]))
        n++;
    return n;
}

/* With a small x too, which cards are printed with. */
static int looks_like_resident_id(const uint8_t *text, size_t length)
{
    uint8_t upper[18];
    if (length != 18)
        return 0;
    memcpy(upper, text, 18);
    if (upper[17] == 'x')
        upper[17] = 'X';
    return is_resident_id(upper, 18);
}

static int has_scheme(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i + 3 <= length; i++)
        if (memcmp(text + i, "://", 3) == 0)
            return 1;
    return 0;
}

/* Whose code a text is when it is not ours, by its form alone: payment codes are told by length and first digits, the
 * insurance code (医保电子凭证) by its 28 digits. */
static uint8_t foreign_kind(const uint8_t *text, size_t length)
{
    if (has_scheme(text, length))
        return EHC_KIND_URL;
    if (looks_like_resident_id(text, length))
        return EHC_KIND_RESIDENT_ID;
    if (leading_digits(text, length) != length)
        return EHC_KIND_OTHER;
    if (length == 28)
        return EHC_KIND_INSURANCE;
    if (length == 18 && two_digits(text) >= 10 && two_digits(text) <= 15)
        return EHC_KIND_WECHAT_PAY;
    if (length >= 16 && length <= 24 && two_digits(text) >= 25 && two_digits(text) <= 30)
        return EHC_KIND_ALIPAY;
    if (length == 19 && two_digits(text) == 62)
        return EHC_KIND_UNIONPAY;
    return EHC_KIND_OTHER;
}

/* Step 1, alphabet: the first byte that no form of payload has; `length` when there is none. */
static size_t first_outside_alphabet(const uint8_t *text, size_t length)
{
    size_t i = 0;
    while (i < length && (text[i] == ':' || is_organisation_character(text[i])))
        i++;
    return i;
}

static size_t split(const uint8_t *text, size_t length, ehc_span fields[MAX_FIELDS + 1])
{
    size_t count = 0, begin = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != ':')
            continue;
        if (count <= MAX_FIELDS)
            fields[count++] = (ehc_span){(uint16_t)begin, (uint16_t)(i - begin)};
        begin = i + 1;
    }
    return count;
}

static int refuse(ehc_payload *out, size_t offset)
{
    out->error_offset = (uint16_t)offset;
    return EHC_PAYLOAD_GRAMMAR;
}

/* Hex digits of a field into bytes; refuses at the first character that is none. */
static int decode(const uint8_t *text, ehc_span field, uint8_t *bytes, ehc_payload *out)
{
    for (size_t i = 0; i < field.length; i++) {
        int value = hex_value(text[field.offset + i]);
        if (value < 0)
            return refuse(out, field.offset + i);
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | value);
    }
    return EHC_OK;
}

static int take_card(const uint8_t *text, ehc_span field, ehc_payload *out)
{
    if (field.length != 32 && field.length != 48 && field.length != 64)
        return refuse(out, field.offset);
    out->card = field;
    out->card_id_length = (uint8_t)(field.length / 2);
    return decode(text, field, out->card_id, out);
}

static int take_flag(const uint8_t *text, ehc_span field, ehc_payload *out)
{
    if (field.length != 1)
        return refuse(out, field.offset);
    uint8_t flag = text[field.offset];
    int fits = flag == '0' || flag == '1' || (flag == '9' && out->card_id_length == 32);
    if (!fits)
        return refuse(out, field.offset);
    out->flag = (uint8_t)(flag - '0');
    return EHC_OK;
}

/* The token field: 32 hex digits behind flag 0, empty behind flag 1 (a dynamic code must not pass as static). */
static int take_token(const uint8_t *text, ehc_span field, ehc_payload *out)
{
    if (field.length != (out->flag == EHC_FLAG_DYNAMIC ? 32 : 0))
        return refuse(out, field.offset);
    out->token = field;
    return decode(text, field, out->token_bytes, out);
}

/* Its characters are those of step 1. */
static int take_organisation(ehc_span field, ehc_payload *out)
{
    if (field.length == 0 || field.length > ORGANISATION_MAX)
        return refuse(out, field.offset);
    out->organisation = field;
    return EHC_OK;
}

/* The fields that follow the card are FLAG [TOKEN [ORGANISATION]]; which of them, the flag says. Refuses at the colon of
 * a field too many, or at the end when one is missing. */
static int check_count(ehc_payload *out, const ehc_span *fields, size_t count, size_t length)
{
    size_t most = out->flag == EHC_FLAG_TEMPORARY ? 1 : 3;
    size_t missing = out->flag == EHC_FLAG_DYNAMIC ? 1 : out->flag == EHC_FLAG_STATIC ? 2 : 0;
    if (count > most)
        return refuse(out, fields[most].offset - 1u);
    return count == missing ? refuse(out, length) : EHC_OK;
}

static int parse_fields(const uint8_t *text, size_t length, ehc_payload *out)
{
    ehc_span fields[MAX_FIELDS + 1];
    size_t count = split(text, length, fields), at = 0;
    int status;
    if (count > 1 && fields[0].length >= 1 && fields[0].length <= PREFIX_MAX &&
        leading_digits(text, fields[0].length) == fields[0].length)
        out->prefix = fields[at++];
    if ((status = take_card(text, fields[at++], out)) != EHC_OK)
        return status;
    if (at == count)
        return EHC_OK;
    if ((status = take_flag(text, fields[at], out)) != EHC_OK)
        return status;
    if ((status = check_count(out, fields + at, count - at, length)) != EHC_OK)
        return status;
    if (count - at >= 2 && (status = take_token(text, fields[at + 1], out)) != EHC_OK)
        return status;
    return count - at == 3 ? take_organisation(fields[at + 2], out) : EHC_OK;
}

/* The form that nearly every dynamic code has, by vector: CARD of 64 digits, flag 0, token. 0: it is another one. */
static int take_canonical(const uint8_t *text, size_t length, ehc_payload *out)
{
    const ehc_token_kernels *kernels = &ehc_tier_current()->token;
    if (length != EHC_CANONICAL || memcmp(text + 64, ":0:", 3) != 0)
        return 0;
    if (!(kernels->hex_decode(text, 32, out->card_id) & kernels->hex_decode(text + 67, 16, out->token_bytes)))
        return memset(out, 0, sizeof *out), 0; /* what came of digits that are none */
    out->card_id_length = 32;                  /* and the flag is 0, as all of *out */
    out->card = (ehc_span){0, 64};
    out->token = (ehc_span){67, 32};
    return 1;
}

int ehc_parse_payload(const uint8_t *text, size_t length, ehc_payload *out)
{
    memset(out, 0, sizeof *out);
    if (take_canonical(text, length, out))
        return EHC_OK;
    out->flag = EHC_FLAG_ABSENT;

    /* 1 length and alphabet */
    length = trimmed_length(text, length);
    if (length == 0 || length > EHC_PAYLOAD_MAX) {
        int url = length > 0 && has_scheme(text, EHC_PAYLOAD_MAX); /* of these, any length */
        out->kind = length == 0 ? EHC_KIND_EMPTY : url ? EHC_KIND_URL : EHC_KIND_OTHER;
        return url ? EHC_PAYLOAD_FOREIGN : EHC_PAYLOAD_LENGTH;
    }
    size_t outside = first_outside_alphabet(text, length);

    /* 2 grammar and profile */
    int status = EHC_PAYLOAD_CHARACTER;
    out->error_offset = (uint16_t)outside;
    if (outside == length) {
        out->error_offset = 0;
        status = parse_fields(text, length, out);
    }
    if (status == EHC_OK)
        return EHC_OK;
    out->kind = foreign_kind(text, length);
    return out->kind == EHC_KIND_OTHER ? status : EHC_PAYLOAD_FOREIGN;
}
