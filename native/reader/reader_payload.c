/* reader_payload.c: the text of a code taken apart, whatever its profile (native/README.md, "Payloads", "Codes of ours"). */
#include <pthread.h>
#include <string.h>

#include "ehc.h"
#include "reader_inside.h"

enum { SIGNED_LENGTH = 149, PREFIX = 5, PROFILE_SIGNED = 0x31 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int tested;

static void test(void)
{
    tested = ehc_init(NULL);
}

int reader_ready(void)
{
    (void)pthread_once(&once, test);
    return tested == EHC_OK ? EHC_READER_OK : EHC_READER_E_SELFTEST;
}

size_t reader_trimmed(const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\r' || text[length - 1] == '\n' || text[length - 1] == '\t'))
        length--;
    return length;
}

int reader_signed(const char *text, size_t length, uint8_t raw[READER_RAW], uint32_t *error_offset)
{
    uint8_t bytes[READER_RAW + 1];
    size_t n = 0, offset = 0;
    *error_offset = 0;
    if (length != SIGNED_LENGTH)
        return EHC_READER_LENGTH;
    int status = ehc_base45_decode((const uint8_t *)text + PREFIX, SIGNED_LENGTH - PREFIX, bytes, &n, &offset);
    *error_offset = PREFIX + (uint32_t)offset;
    if (status != EHC_OK)
        return status;
    if (n != READER_RAW || bytes[0] != PROFILE_SIGNED)
        return EHC_READER_GRAMMAR;
    memcpy(raw, bytes, READER_RAW);
    return EHC_READER_OK;
}

static uint32_t big(const uint8_t *p, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

/* ttl: class 0..7. */
static int64_t expiry(unsigned ttl, int64_t issued_at)
{
    static const int64_t LIFETIME[7] = {30, 60, 120, 300, 3600, 86400, 30 * 86400};
    return ttl == 7 ? INT64_MAX : issued_at + LIFETIME[ttl];
}

void reader_header(const uint8_t header[16], ehc_reader_payload *out)
{
    out->issuer = big(header + 1, 3) >> 4;
    out->key_version = header[4];
    out->issued_at = (int64_t)EHC_COMPACT_EPOCH + big(header + 6, 4);
    out->expires_at = expiry(header[5] >> 5, out->issued_at);
}

static int parse_signed(const char *text, size_t length, ehc_reader_payload *out)
{
    uint8_t raw[READER_RAW];
    int status = reader_signed(text, length, raw, &out->error_offset);
    if (status == EHC_READER_OK)
        reader_header(raw, out);
    return status;
}

static int parse_compact(const char *text, size_t length, ehc_reader_payload *out)
{
    ehc_compact code;
    size_t offset = 0;
    int status = ehc_parse_compact((const uint8_t *)text, length, &code, &offset);
    if (status != EHC_OK)
        return out->error_offset = (uint32_t)offset, status;
    out->issuer = code.issuer;
    out->key_version = code.key_version;
    out->issued_at = code.issued_at;
    out->expires_at = expiry(code.ttl, code.issued_at);
    return EHC_READER_OK;
}

static void copy(char *out, const char *text, ehc_span span)
{
    memcpy(out, text + span.offset, span.length);
    out[span.length] = '\0';
}

static void copy_upper(char *out, const char *text, ehc_span span)
{
    copy(out, text, span);
    for (; *out != '\0'; out++)
        *out = (char)(*out >= 'a' && *out <= 'f' ? *out - 'a' + 'A' : *out);
}

static int parse_national(const char *text, size_t length, ehc_reader_payload *out)
{
    ehc_payload parsed;
    int status = ehc_parse_payload((const uint8_t *)text, length, &parsed);
    out->what = parsed.kind; /* of the same numbers */
    out->error_offset = parsed.error_offset;
    if (status != EHC_OK)
        return status;
    copy_upper(out->card_id, text, parsed.card);
    copy_upper(out->token, text, parsed.token);
    copy(out->organisation, text, parsed.organisation);
    copy(out->prefix, text, parsed.prefix);
    out->form = parsed.flag == EHC_FLAG_DYNAMIC     ? EHC_READER_DYNAMIC
                : parsed.flag == EHC_FLAG_TEMPORARY ? EHC_READER_TEMPORARY
                                                    : EHC_READER_STATIC;
    return EHC_READER_OK;
}

static int parse_ours(const char *text, size_t length, ehc_reader_payload *out)
{
    int compact = text[3] == '2';
    int status = compact ? parse_compact(text, length, out) : parse_signed(text, length, out);
    out->what = status == EHC_READER_OK ? EHC_READER_WHAT_HEALTH_CARD : EHC_READER_WHAT_OTHER;
    out->form = status != EHC_READER_OK ? 0 : compact ? EHC_READER_COMPACT : EHC_READER_SIGNED;
    return status;
}

int ehc_reader_parse(const char *text, size_t length, ehc_reader_payload *out)
{
    if (text == NULL || out == NULL)
        return EHC_READER_E_ARGUMENT;
    memset(out, 0, sizeof *out);
    int status = reader_ready();
    if (status != EHC_READER_OK)
        return status;
    length = reader_trimmed(text, length);
    int ours = length >= PREFIX && (memcmp(text, "EHC2:", PREFIX) == 0 || memcmp(text, "EHC3:", PREFIX) == 0);
    return ours ? parse_ours(text, length, out) : parse_national(text, length, out);
}
