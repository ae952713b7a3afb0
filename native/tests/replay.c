/* replay.c: answers requests from standard input, one line each, with the portable tier; tests/native/test_mutation.py
 * compares the answers with the reference's. Whatever a call must set is poisoned before.
 *
 *     P text                                            parse
 *     C key window text                                 check
 *     B key window n text…                              check in a batch
 *     M key n time…                                     make, each alone and in a batch
 *     A key n (card expiry version channel scene sequence)…                 make card-bound ones
 *     E key version now tolerance n text…               check compact codes
 *     F key version n (issuer node ttl channel issued_at serial account)…   make compact codes
 *     D text                                            base45 to bytes
 *     N bytes                                           bytes to base45
 *
 * Calls for one are made for every row and answered behind those of the batch.
 * A window is now tolerance validity issue profiles key_version. Texts and keys are hex, an empty text is "-". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatch.h"
#include "kernels.h"

enum { ROOM = 1 << 17, ROWS = 256, MADE = 1100 };

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
    if (out.profile == EHC_PROFILE_BOUND)
        printf(" %" PRId64 " %u %u %u %u", out.bound.expiry, out.bound.key_version, out.bound.channel, out.bound.scene,
               out.bound.sequence);
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
    static int64_t times[MADE];
    static uint8_t tokens[MADE][32], status[MADE];
    ehc_sm4_key key = read_key();
    size_t n = (size_t)read_number();
    memset(tokens, 0xA5, sizeof tokens);
    memset(status, 0xA5, sizeof status);
    for (size_t i = 0; i < n; i++)
        times[i] = read_number();
    printf("%zu", ehc_make_batch(&key, times, n, tokens[0], status));
    for (size_t i = 0; i < n; i++)
        printf(" %d %.32s", status[i], (const char *)tokens[i]);
    for (size_t i = 0; i < n; i++) {
        int alone = ehc_make_token(&key, times[i], tokens[0]);
        printf(" %d %.32s", alone, alone == EHC_OK ? (const char *)tokens[0] : "");
    }
}

static void make_bound(void)
{
    static uint8_t cards[ROWS][32], tokens[ROWS][32], status[ROWS];
    static ehc_bound fields[ROWS];
    ehc_sm4_key key = read_key();
    size_t n = (size_t)read_number();
    memset(tokens, 0xA5, sizeof tokens);
    memset(status, 0xA5, sizeof status);
    for (size_t i = 0; i < n; i++) {
        read_hex(cards[i]);
        fields[i].expiry = read_number();
        fields[i].key_version = (uint8_t)read_number();
        fields[i].channel = (uint8_t)read_number();
        fields[i].scene = (uint8_t)read_number();
        fields[i].sequence = (uint32_t)read_number();
    }
    printf("%zu", ehc_make_bound_batch(&key, cards[0], fields, n, tokens[0], status));
    for (size_t i = 0; i < n; i++)
        printf(" %d %.32s", status[i], (const char *)tokens[i]);
    for (size_t i = 0; i < n; i++) {
        int alone = ehc_make_bound(&key, cards[i], &fields[i], tokens[0]);
        printf(" %d %.32s", alone, alone == EHC_OK ? (const char *)tokens[0] : "");
    }
}

static ehc_compact_key read_compact_key(void)
{
    uint8_t raw[ROOM];
    ehc_compact_key key;
    memset(&key, 0xA5, sizeof key);
    read_hex(raw);
    ehc_compact_set_key(&key, raw, (uint8_t)read_number());
    return key;
}

static void print_compact(int status, size_t offset, const ehc_compact *c)
{
    printf(" %d %zu", status, offset);
    printf(" %u %u %u %u %u %" PRId64 " %" PRIu64 " %" PRIu64, c->issuer, c->node, c->key_version, c->ttl, c->channel,
           c->issued_at, c->serial, c->account);
}

static void check_compact(void)
{
    static uint8_t text[2 * ROOM], status[ROWS];
    static int64_t expiry[ROWS];
    static uint64_t account[ROWS];
    uint32_t offsets[ROWS + 1] = {0};
    memset(expiry, 0xA5, sizeof expiry);
    memset(account, 0xA5, sizeof account);
    memset(status, 0xA5, sizeof status);
    ehc_compact_key key = read_compact_key();
    int64_t now = read_number(), tolerance = read_number();
    size_t n = (size_t)read_number();
    for (size_t i = 0; i < n; i++)
        offsets[i + 1] = offsets[i] + (uint32_t)read_hex(text + offsets[i]);
    printf("%zu", ehc_check_compact_batch(&key, text, offsets, n, now, tolerance, account, expiry, status));
    for (size_t i = 0; i < n; i++)
        printf(" %d %" PRIu64 " %" PRId64, status[i], account[i], expiry[i]);
    for (size_t i = 0; i < n; i++) {
        ehc_compact code;
        size_t length = offsets[i + 1] - offsets[i], offset = SIZE_MAX;
        int64_t end = -1;
        memset(&code, 0xA5, sizeof code);
        int parsed = ehc_parse_compact(text + offsets[i], length, &code, &offset);
        print_compact(parsed, offset, &code);
        memset(&code, 0xA5, sizeof code);
        offset = SIZE_MAX;
        int alone = ehc_check_compact(&key, text + offsets[i], length, now, tolerance, &code, &end, &offset);
        print_compact(alone, offset, &code);
        printf(" %" PRId64, end);
    }
}

static void make_compact(void)
{
    static ehc_compact codes[ROWS];
    static uint8_t texts[ROWS][EHC_COMPACT_LENGTH], status[ROWS];
    ehc_compact_key key = read_compact_key();
    size_t n = (size_t)read_number();
    memset(codes, 0xA5, sizeof codes);
    memset(texts, 0xA5, sizeof texts);
    memset(status, 0xA5, sizeof status);
    for (size_t i = 0; i < n; i++) {
        codes[i].issuer = (uint32_t)read_number();
        codes[i].node = (uint8_t)read_number();
        codes[i].ttl = (uint8_t)read_number();
        codes[i].channel = (uint8_t)read_number();
        codes[i].issued_at = read_number();
        codes[i].serial = (uint64_t)read_number();
        codes[i].account = (uint64_t)read_number();
    }
    printf("%zu", ehc_make_compact_batch(&key, codes, n, texts[0], status));
    for (size_t i = 0; i < n; i++) {
        printf(" %d", status[i]);
        print_hex(texts[i], EHC_COMPACT_LENGTH);
    }
    for (size_t i = 0; i < n; i++) {
        printf(" %d", ehc_make_compact(&key, &codes[i], texts[0]));
        print_hex(texts[0], EHC_COMPACT_LENGTH);
    }
}

static void from_base45(void)
{
    static uint8_t text[ROOM], data[ROOM];
    size_t length = read_hex(text), n = SIZE_MAX, offset = SIZE_MAX;
    memset(data, 0xA5, sizeof data);
    int status = ehc_base45_decode(text, length, data, &n, &offset);
    printf("%d %zu %zu", status, n, offset);
    print_hex(data, n);
}

static void to_base45(void)
{
    static uint8_t text[2 * ROOM], data[ROOM];
    size_t n = read_hex(data);
    memset(text, 0xA5, sizeof text);
    size_t length = ehc_base45_encode(data, n, text);
    printf("%zu", length);
    print_hex(text, length);
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
        else if (request == 'A')
            make_bound();
        else if (request == 'E')
            check_compact();
        else if (request == 'F')
            make_compact();
        else if (request == 'D')
            from_base45();
        else if (request == 'N')
            to_base45();
        else
            return 2;
        putchar('\n');
    }
    return 0;
}
