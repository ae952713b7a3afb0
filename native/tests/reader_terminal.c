/* reader_terminal.c: a terminal of a vendor, as small as it can be: texts of codes from standard input, one a line, to
 * verdicts on standard output. It shows how ehc_reader.h is used; the tests compile it with all warnings as errors.
 *
 *     cc reader_terminal.c -I native/include -L .../ehc -lehcreader -o reader_terminal
 *     reader_terminal ISSUER KEY_VERSION PUBLIC_KEY_HEX NOW < codes.txt */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ehc_reader.h"

static int of_hex(const char *text, uint8_t *bytes, size_t n)
{
    if (strlen(text) != 2 * n)
        return 0;
    for (size_t i = 0; i < n; i++) {
        unsigned value;
        if (sscanf(text + 2 * i, "%2x", &value) != 1)
            return 0;
        bytes[i] = (uint8_t)value;
    }
    return 1;
}

static void show(const ehc_reader *reader, const char *text, size_t length, int64_t now)
{
    ehc_reader_payload payload;
    ehc_reader_verdict verdict;
    int parsed = ehc_reader_parse(text, length, &payload);
    int checked = ehc_reader_check(reader, text, length, now, 60, &verdict);
    printf("%s what=%" PRId32 " form=%" PRId32 " card=%s token=%s organisation=%s prefix=%s offset=%" PRIu32
           " issuer=%06" PRIu32 " -> %s step=%" PRId32 " expires=%" PRId64 " serial=",
           ehc_reader_status_name(parsed), payload.what, payload.form, payload.card_id, payload.token,
           payload.organisation, payload.prefix, payload.error_offset, payload.issuer, ehc_reader_status_name(checked),
           verdict.step, verdict.expires_at);
    for (size_t i = 0; i < sizeof verdict.serial; i++)
        printf("%02x", verdict.serial[i]);
    printf(" %s\n", ehc_reader_sentence(payload.what, EHC_READER_CHINESE));
}

int main(int count, char **words)
{
    uint8_t key[64];
    char line[4096];
    ehc_reader *reader;
    if (count != 5 || !of_hex(words[3], key, sizeof key))
        return fprintf(stderr, "reader_terminal ISSUER KEY_VERSION PUBLIC_KEY_HEX NOW\n"), 2;
    int status = ehc_reader_open(EHC_READER_API, &reader);
    if (status == EHC_READER_OK)
        status = ehc_reader_trust(reader, (uint32_t)strtoul(words[1], NULL, 10), (uint8_t)atoi(words[2]), key);
    if (status != EHC_READER_OK)
        return fprintf(stderr, "reader_terminal: %s\n", ehc_reader_status_name(status)), 1;
    while (fgets(line, sizeof line, stdin) != NULL)
        show(reader, line, strlen(line), strtoll(words[4], NULL, 10));
    ehc_reader_close(reader);
    return 0;
}
