/* test_payload.c: the parser reads no byte beyond its text and points nowhere outside it; the grammar itself is held
 * against the reference in tests/crypto/test_payload_grammar.py. */
#include "check.h"
#include "guarded.h"

#define CARD "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
#define TOKEN "92fd69141dfe1553a42251e2b0196148"

static int inside(ehc_span span, size_t length)
{
    return span.offset + (size_t)span.length <= length;
}

/* Parses `length` bytes at the end of the room; what comes out lies inside the text. */
static int parse(const guarded *room, size_t length)
{
    ehc_payload p;
    memset(&p, 0xA5, sizeof p);
    int status = ehc_parse_payload(room->last - length, length, &p);
    CHECK(p.error_offset <= length);
    if (status == EHC_OK) {
        CHECK(inside(p.prefix, length) && inside(p.card, length) && inside(p.token, length));
        CHECK(inside(p.organisation, length));
        CHECK(p.kind == EHC_KIND_CARD && p.error_offset == 0);
        CHECK(p.card_id_length == p.card.length / 2);
    } else {
        CHECK((status >= EHC_PAYLOAD_LENGTH && status <= EHC_PAYLOAD_GRAMMAR) && p.kind != EHC_KIND_CARD);
    }
    return status;
}

static void whole_forms(void)
{
    static const uint8_t FIRST[4] = {0x98, 0xFF, 0x9F, 0x2C};
    static const char TEXT[] = "85:" CARD ":0:" TOKEN ":ORG\r\n";
    ehc_payload p;
    memset(&p, 0xA5, sizeof p);
    CHECK(ehc_parse_payload((const uint8_t *)TEXT, sizeof TEXT - 1, &p) == EHC_OK);
    CHECK(p.flag == EHC_FLAG_DYNAMIC && p.card_id_length == 32);
    CHECK(p.prefix.offset == 0 && p.prefix.length == 2);
    CHECK(p.card.offset == 3 && p.card.length == 64);
    CHECK(p.token.offset == 70 && p.token.length == 32);
    CHECK(p.organisation.offset == 103 && p.organisation.length == 3);
    CHECK(memcmp(p.card_id, FIRST, 4) == 0 && p.card_id[31] == 0x28);
    CHECK(p.token_bytes[0] == 0x92 && p.token_bytes[15] == 0x48);

    CHECK(ehc_parse_payload((const uint8_t *)CARD, 64, &p) == EHC_OK);
    CHECK(p.flag == EHC_FLAG_ABSENT && p.token.length == 0 && p.prefix.length == 0 && p.organisation.length == 0);
    CHECK(ehc_parse_payload(NULL, 0, &p) == EHC_PAYLOAD_LENGTH && p.kind == EHC_KIND_EMPTY);
}

/* The usual form with one character changed: by vector or not, the place of the character is told. */
static void nearly_canonical(void)
{
    ehc_payload p;
    for (size_t at = 0; at < 99; at++) {
        char text[] = CARD ":0:" TOKEN;
        CHECK(ehc_parse_payload((const uint8_t *)text, 99, &p) == EHC_OK && p.token.offset == 67);
        text[at] = 'g';
        CHECK(ehc_parse_payload((const uint8_t *)text, 99, &p) == EHC_PAYLOAD_GRAMMAR);
        CHECK(p.error_offset == (at == 64 || at == 66 ? (at == 64 ? 0 : 65) : at));
    }
}

/* A URL is one however long it is; the scheme is looked for where a payload might stand. */
static void long_texts_of_others(void)
{
    static uint8_t text[300];
    ehc_payload p;
    for (size_t at = 252; at < 256; at++) {
        memset(text, 'a', sizeof text);
        memcpy(text + at, "://", 3);
        int url = at + 3 <= EHC_PAYLOAD_MAX;
        CHECK(ehc_parse_payload(text, sizeof text, &p) == (url ? EHC_PAYLOAD_FOREIGN : EHC_PAYLOAD_LENGTH));
        CHECK(p.kind == (url ? EHC_KIND_URL : EHC_KIND_OTHER));
    }
}

static void every_prefix_and_every_byte(void)
{
    static const char TEXT[] = "85:" CARD ":0:" TOKEN ":ORG";
    enum { LENGTH = sizeof TEXT - 1 };
    guarded room = guarded_room(LENGTH);
    for (size_t length = 0; length <= LENGTH; length++) {
        memcpy(room.last - length, TEXT, length);
        parse(&room, length);
    }
    for (size_t at = 0; at < LENGTH; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            memcpy(room.last - LENGTH, TEXT, LENGTH);
            room.last[at - LENGTH] = (uint8_t)byte;
            parse(&room, LENGTH);
        }
    guarded_release(&room);
}

static void forms_that_nearly_are(void)
{
    static const char *const GRAMMAR[] = {
        "98FF9F2C05145CB9305E9D8A57E072BB:9", /* a temporary card has 64 digits */
        CARD ":1::",                          /* an organisation of no characters, of 65 */
        CARD ":1::AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    static const char *const NUMBERS[] = {"110100201700250060", "110100201713250060", "110100201712000060",
                                          "110100201712320060", "11010020171225006X", "11010020171225006x"};
    ehc_payload p;
    for (size_t i = 0; i < sizeof GRAMMAR / sizeof GRAMMAR[0]; i++)
        CHECK(ehc_parse_payload((const uint8_t *)GRAMMAR[i], strlen(GRAMMAR[i]), &p) == EHC_PAYLOAD_GRAMMAR);
    for (size_t i = 0; i < 6; i++) { /* with each check character: only a date makes a resident id */
        uint8_t number[18];
        int taken = 0;
        memcpy(number, NUMBERS[i], 18);
        for (size_t k = 0; k < 11; k++) {
            number[17] = (uint8_t)"0123456789X"[k];
            ehc_parse_payload(number, 18, &p);
            taken += p.kind == EHC_KIND_RESIDENT_ID;
        }
        CHECK(taken == (i >= 4));
    }
}

static uint8_t kind_of(const char *text)
{
    ehc_payload p;
    CHECK(ehc_parse_payload((const uint8_t *)text, strlen(text), &p) != EHC_OK);
    return p.kind;
}

/* A code of n digits that begins with these two. */
static uint8_t kind_of_digits(size_t n, const char *first)
{
    char text[30];
    memset(text, '0', n);
    memcpy(text, first, 2);
    text[n] = 0;
    return kind_of(text);
}

/* A refused text of the usual form leaves nothing of its digits behind: what they were in the other case is the same. */
static void refused_alike(void)
{
    char text[] = CARD ":0:" TOKEN;
    uint8_t none[32] = {0};
    ehc_payload p;
    text[40] = ' ';
    CHECK(ehc_parse_payload((const uint8_t *)text, strlen(text), &p) == EHC_PAYLOAD_CHARACTER);
    CHECK(memcmp(p.card_id, none, 32) == 0 && memcmp(p.token_bytes, none, 16) == 0);
}

static void codes_of_others(void)
{
    CHECK(kind_of("11010020171225006X") == EHC_KIND_RESIDENT_ID);
    CHECK(kind_of("11010020171225006x") == EHC_KIND_RESIDENT_ID);
    CHECK(kind_of_digits(28, "00") == EHC_KIND_INSURANCE);
    CHECK(kind_of_digits(27, "00") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(18, "09") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(18, "10") == EHC_KIND_WECHAT_PAY);
    CHECK(kind_of_digits(18, "15") == EHC_KIND_WECHAT_PAY);
    CHECK(kind_of_digits(18, "16") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(15, "25") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(16, "24") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(16, "25") == EHC_KIND_ALIPAY);
    CHECK(kind_of_digits(24, "30") == EHC_KIND_ALIPAY);
    CHECK(kind_of_digits(24, "31") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(25, "30") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(19, "61") == EHC_KIND_OTHER);
    CHECK(kind_of_digits(19, "62") == EHC_KIND_UNIONPAY);
    CHECK(kind_of_digits(20, "62") == EHC_KIND_OTHER);
    CHECK(kind_of("1:" CARD ":1::2:3:4:5") == EHC_KIND_OTHER);
}

static void noise(void)
{
    static const char LETTERS[] = "0123456789ABCDEFabcdef:::019._-G\r\n\t /";
    guarded room = guarded_room(70000);
    uint32_t seed = 5;
    for (int turn = 0; turn < 3000; turn++) {
        size_t length = next_byte(&seed) + (turn % 2 ? 0u : 60u);
        for (size_t i = 0; i < length; i++)
            room.last[i - length] =
                turn % 3 ? (uint8_t)LETTERS[next_byte(&seed) % (sizeof LETTERS - 1)] : next_byte(&seed);
        parse(&room, length);
    }
    memset(room.last - 70000, '\n', 70000);
    CHECK(parse(&room, 70000) == EHC_PAYLOAD_LENGTH);
    memset(room.last - 70000, 'A', 70000);
    CHECK(parse(&room, 70000) == EHC_PAYLOAD_LENGTH);
    guarded_release(&room);
}

void test_payload(void)
{
    whole_forms();
    every_prefix_and_every_byte();
    forms_that_nearly_are();
    nearly_canonical();
    refused_alike();
    codes_of_others();
    long_texts_of_others();
    noise();
}
