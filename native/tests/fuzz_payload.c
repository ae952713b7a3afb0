/* fuzz_payload.c: what ehc_parse_payload says of any text must be true of that text. */
#include "fuzz.h"

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

static void expect_hex(const uint8_t *text, ehc_span field, const uint8_t *bytes)
{
    for (size_t i = 0; i < field.length; i++) {
        unsigned digit = i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4;
        EXPECT(upper(text[field.offset + i]) == (uint8_t)"0123456789ABCDEF"[digit]);
    }
}

/* The next field stands at `at`; returns where the one behind it does. An absent field has no place. */
static size_t expect_field(ehc_span field, size_t at)
{
    EXPECT(field.offset == at);
    return at + field.length + 1;
}

/* The fields laid end to end, with colons between, are the text but for what a scanner appends. */
static void expect_accepted(const uint8_t *text, size_t length, const ehc_payload *p)
{
    size_t at = 0;
    while (length > 0 && strchr("\r\n\t", text[length - 1]) != NULL && text[length - 1] != 0)
        length--;
    if (p->prefix.length > 0)
        at = expect_field(p->prefix, at);
    at = expect_field(p->card, at);
    EXPECT(p->card.length == 2 * p->card_id_length);
    expect_hex(text, p->card, p->card_id);
    if (p->flag != EHC_FLAG_ABSENT) {
        EXPECT(text[at] == '0' + p->flag);
        at += 2;
    }
    EXPECT((p->token.length == 32) == (p->flag == EHC_FLAG_DYNAMIC));
    if (p->token.length > 0 || p->organisation.length > 0)
        at = expect_field(p->token, at);
    expect_hex(text, p->token, p->token_bytes);
    if (p->organisation.length > 0)
        at = expect_field(p->organisation, at);
    EXPECT(at == length + 1);
    EXPECT(p->kind == EHC_KIND_CARD);
}

static void expect_refused(int status, size_t length, const ehc_payload *p)
{
    EXPECT(status >= EHC_PAYLOAD_LENGTH && status <= EHC_PAYLOAD_GRAMMAR);
    EXPECT(p->error_offset <= length);
    EXPECT(p->kind <= EHC_KIND_OTHER);
    int told = p->kind != EHC_KIND_CARD && p->kind != EHC_KIND_EMPTY && p->kind != EHC_KIND_OTHER;
    EXPECT((status == EHC_PAYLOAD_FOREIGN) == told);
    EXPECT(p->kind != EHC_KIND_EMPTY || status == EHC_PAYLOAD_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t length)
{
    ehc_payload p, again;
    memset(&p, 0xA5, sizeof p);
    memset(&again, 0x5A, sizeof again);
    int status = ehc_parse_payload(text, length, &p);
    if (status == EHC_OK)
        expect_accepted(text, length, &p);
    else
        expect_refused(status, length, &p);

    /* capitals and what a keyboard-wedge scanner appends change nothing */
    uint8_t *other = fuzz_room(length + 3);
    for (size_t i = 0; i < length; i++)
        other[i] = upper(text[i]);
    memcpy(other + length, "\t\r\n", 3);
    EXPECT(ehc_parse_payload(other, length + 3, &again) == status);
    EXPECT(memcmp(&p, &again, sizeof p) == 0);
    free(other);
    return 0;
}
