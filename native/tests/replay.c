/* replay.c: answers requests from standard input, one line each, with the portable tier; tests/native/test_mutation.py
 * compares the answers with the reference's. Whatever a call must set is poisoned before.
 *
 *     P text                                            parse
 *     C key window text           check
 *     B key window n text…        check in a batch
 *     M key time                                        make
 *
 * A window is now tolerance validity issue profiles key_version. Texts and keys are hex, an empty text is "-". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatch.h"
#include "kernels.h"

enum { ROOM = 1 << 17, ROWS = 256 };

static const ehc_tier PORTABLE = {
    .name = "portable",
    .sm4_expand = ehc_sm4_expand_portable,
    .sm4_blocks = ehc_sm4_portable,
    .token = TOKEN_KERNELS(portable),
};

const ehc_tier *ehc_tier_current(void)
{
    return &PORTABLE;
}

static size_t read_hex(uint8_t *bytes)
{
    static char word[2 * ROOM + 1];
    size_t n = 0;
    unsigned byte;
    if (scanf("%262144s", word) != 1)
        exit(2);
    if (word[0] == '-')
        return 0;
    while (sscanf(word + 2 * n, "%2x", &byte) == 1)
        bytes[n++] = (uint8_t)byte;
    return n;
}

static ehc_sm4_key read_key(void)
{
    uint8_t raw[ROOM];
    ehc_sm4_key key;
    read_hex(raw);
    ehc_sm4_set_key(&key, raw);
    return key;
}

static int64_t read_number(void)
{
    int64_t number;
    if (scanf("%" SCNd64, &number) != 1)
        exit(2);
    return number;
}

static ehc_window read_window(void)
{
    ehc_window window = {0};
    window.now = read_number();
    window.tolerance = read_number();
    window.validity = read_number();
    window.issue = (int)read_number();
    window.profiles = (unsigned)read_number();
    window.key_version = (uint8_t)read_number();
    return window;
}

static void print_hex(const uint8_t *bytes, size_t n)
{
    putchar(' ');
    for (size_t i = 0; i < n; i++)
        printf("%02X", bytes[i]);
}

static void print_payload(int status, const ehc_payload *p)
{
    printf("%d %u %u", status, p->kind, p->error_offset);
    if (status >= EHC_PAYLOAD_LENGTH && status <= EHC_PAYLOAD_GRAMMAR)
        return;
    const ehc_span spans[4] = {p->prefix, p->card, p->token, p->organisation};
    printf(" %u", p->flag);
    for (size_t i = 0; i < 4; i++)
        printf(" %u+%u", spans[i].offset, spans[i].length);
    print_hex(p->card_id, p->card_id_length);
    print_hex(p->token_bytes, 16);
}

static void parse(void)
{
    static uint8_t text[ROOM];
    ehc_payload payload;
    memset(&payload, 0xA5, sizeof payload);
    size_t length = read_hex(text);
    print_payload(ehc_parse_payload(text, length, &payload), &payload);
}

static void check(void)
{
    static uint8_t text[ROOM];
    ehc_checked out;
    memset(&out, 0xA5, sizeof out);
    ehc_sm4_key key = read_key();
    ehc_window window = read_window();
    size_t length = read_hex(text);
    int status = ehc_check_token(&key, text, length, &window, &out);
    print_payload(status, &out.payload);
    printf(" %" PRId64 " %u", out.expiry, out.profile);
}

static void check_batch(void)
{
    static uint8_t text[2 * ROOM], status[ROWS];
    static int64_t expiry[ROWS];
    uint32_t offsets[ROWS + 1] = {0};
    memset(expiry, 0xA5, sizeof expiry);
    memset(status, 0xA5, sizeof status);
    ehc_sm4_key key = read_key();
    ehc_window window = read_window();
    size_t n = (size_t)read_number();
    for (size_t i = 0; i < n; i++)
        offsets[i + 1] = offsets[i] + (uint32_t)read_hex(text + offsets[i]);
    printf("%zu", ehc_check_batch(&key, text, offsets, n, &window, expiry, status));
    for (size_t i = 0; i < n; i++)
        printf(" %d %" PRId64, status[i], expiry[i]);
}

static void make(void)
{
    uint8_t token[32];
    ehc_sm4_key key = read_key();
    int64_t time = read_number();
    int status = ehc_make_token(&key, time, token);
    printf("%d", status);
    if (status == EHC_OK)
        printf(" %.32s", (const char *)token);
}

int main(void)
{
    char request;
    while (scanf(" %c", &request) == 1) {
        if (request == 'P')
            parse();
        else if (request == 'C')
            check();
        else if (request == 'B')
            check_batch();
        else if (request == 'M')
            make();
        else
            return 2;
        putchar('\n');
    }
    return 0;
}
