/* test_codes.c: base45, card-bound tokens (profile A), compact codes (E2) and tokens in batches: the published and our own
 * vectors, each field at and over its end, every status, and batches against single calls. */
#include "bound.h"
#include "check.h"
#include "guarded.h"

#define CARD "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
#define CODE "EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME"

static const uint8_t RAW_KEY[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
static const uint8_t CARD_ID[32] = {0x98, 0xFF, 0x9F, 0x2C, 0x05, 0x14, 0x5C, 0xB9, 0x30, 0x5E, 0x9D,
                                    0x8A, 0x57, 0xE0, 0x72, 0xBB, 0x51, 0x18, 0x0C, 0xA4, 0x9E, 0x5B,
                                    0xE5, 0xE9, 0xD4, 0x1B, 0xCE, 0x3A, 0x9A, 0x57, 0x19, 0x28};
static const int64_t TIME = 1767225660; /* 2026-01-01T08:01:00 China Standard Time */
enum { ROWS = 300 };

/* ---- base45 ---- */

static int decode(const char *text, size_t length, uint8_t *data, size_t *n, size_t *at)
{
    guarded rooms[2] = {guarded_room(length), guarded_room(length / 3 * 2 + 1)};
    uint8_t *in = rooms[0].last - length, *out = rooms[1].last - (length / 3 * 2 + 1);
    memcpy(in, text, length);
    int status = ehc_base45_decode(in, length, out, n, at);
    if (status == EHC_OK)
        memcpy(data, out, *n);
    guarded_release(&rooms[0]);
    guarded_release(&rooms[1]);
    return status;
}

static void base45_vectors(void)
{
    static const char *const PAIRS[][2] = {
        {"AB", "BB8"}, {"Hello!!", "%69 VD92EX0"}, {"base-45", "UJCLQE7W581"}, {"ietf!", "QED8WEX0"}, {"", ""}};
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        uint8_t text[20], data[20];
        size_t n = strlen(PAIRS[i][0]), length = strlen(PAIRS[i][1]), found, at;
        CHECK(ehc_base45_encode((const uint8_t *)PAIRS[i][0], n, text) == length);
        CHECK(length == EHC_BASE45_LENGTH(n) && memcmp(text, PAIRS[i][1], length) == 0);
        CHECK(decode(PAIRS[i][1], length, data, &found, &at) == EHC_OK);
        CHECK(found == n && memcmp(data, PAIRS[i][0], n) == 0);
    }
}

static void base45_refusals(void)
{
    static const struct {
        const char *text;
        int status;
        size_t at;
    } REFUSED[] = {
        {"B", EHC_PAYLOAD_LENGTH, 0},
        {"BB8B", EHC_PAYLOAD_LENGTH, 0},
        {"BB8bB8", EHC_PAYLOAD_CHARACTER, 3},
        {"BB8B\x80", EHC_PAYLOAD_CHARACTER, 4},
        {"GGW", EHC_PAYLOAD_GRAMMAR, 0}, /* 65536 */
        {"BB8:::", EHC_PAYLOAD_GRAMMAR, 3},
        {"BB8V5", EHC_PAYLOAD_GRAMMAR, 3}, /* 256 */
        {"BB8FGW", EHC_OK, 0},             /* 65535 */
        {"BB8U5", EHC_OK, 0},              /* 255 */
    };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        uint8_t data[20];
        size_t n, at;
        CHECK(decode(REFUSED[i].text, strlen(REFUSED[i].text), data, &n, &at) == REFUSED[i].status);
        CHECK(at == REFUSED[i].at && (n > 0) == (REFUSED[i].status == EHC_OK));
    }
}

static void base45_there_and_back(void)
{
    uint32_t seed = 45;
    for (size_t n = 0; n < 120; n++) {
        uint8_t data[120], text[180], back[120];
        size_t found, at;
        for (size_t i = 0; i < n; i++)
            data[i] = next_byte(&seed);
        size_t length = ehc_base45_encode(data, n, text);
        CHECK(decode((const char *)text, length, back, &found, &at) == EHC_OK);
        CHECK(found == n && memcmp(back, data, n) == 0);
    }
}

static void hex_there_and_back(void)
{
    uint8_t text[64], back[32];
    ehc_hex(CARD_ID, 32, text);
    CHECK(memcmp(text, CARD, 64) == 0);
    CHECK(ehc_unhex(text, 32, back) && memcmp(back, CARD_ID, 32) == 0);
    text[63] = 'G';
    CHECK(!ehc_unhex(text, 32, back));
}

/* ---- dates of national tokens ---- */

static int check(const ehc_sm4_key *key, const char *token, ehc_window window, ehc_checked *out)
{
    char text[100];
    snprintf(text, sizeof text, CARD ":0:%.32s", token);
    return ehc_check_token(key, (const uint8_t *)text, 99, &window, out);
}

/* Which Februaries have 29 days, and the first and last second of days, there and back. */
static void dates(const ehc_sm4_key *key)
{
    static const struct {
        uint8_t century, year, leap;
    } YEARS[] = {{0x19, 0x00, 0}, {0x20, 0x00, 1}, {0x20, 0x24, 1}, {0x20, 0x26, 0}, {0x00, 0x00, 1}};
    ehc_checked out;
    uint8_t token[32];
    for (size_t i = 0; i < sizeof YEARS / sizeof YEARS[0]; i++) {
        uint8_t block[16] = {YEARS[i].century, YEARS[i].year, 0x02, 0x29};
        ehc_sm4_encrypt(key, block, block, 1);
        ehc_hex(block, 16, token);
        int status = check(key, (const char *)token, (ehc_window){.now = INT64_MIN, .tolerance = 1}, &out);
        CHECK(status == (YEARS[i].leap ? EHC_OK : EHC_TOKEN_FORGED));
    }
    for (int64_t time = -2208988800; time < 4102444800; time += 86400 * 97 + 86399) {
        CHECK(ehc_make_token(key, time, token) == EHC_OK);
        CHECK(check(key, (const char *)token, (ehc_window){.now = time}, &out) == EHC_OK && out.expiry == time);
    }
}

/* Bounds that would leave the number range stop at its ends. */
static void windows_at_the_ends_of_numbers(const ehc_sm4_key *key)
{
    ehc_checked out;
    char token[32];
    CHECK(ehc_make_token(key, TIME, (uint8_t *)token) == EHC_OK);
    ehc_window window = {.now = INT64_MAX - 1, .tolerance = 60, .validity = 300};
    CHECK(check(key, token, window, &out) == EHC_TOKEN_EXPIRED);
    window = (ehc_window){.now = INT64_MIN + 1, .tolerance = 60, .validity = 300};
    CHECK(check(key, token, window, &out) == EHC_TOKEN_EARLY);
    window.validity = 0;
    CHECK(check(key, token, window, &out) == EHC_OK);
}

static void tokens_in_batches(const ehc_sm4_key *key)
{
    static uint8_t texts[32 * 600], status[600], one[32];
    static int64_t times[600];
    for (size_t i = 0; i < 600; i++) {
        times[i] = TIME + (int64_t)(i / 3);
        if (i % 100 >= 97)
            times[i] = INT64_MAX;
    }
    for (size_t n = 0; n <= 600; n += n < 5 ? 1 : 85) {
        size_t bad = 0;
        size_t found = ehc_make_batch(key, times, n, texts, status);
        for (size_t i = 0; i < n; i++) {
            int right = ehc_make_token(key, times[i], one);
            if (right != EHC_OK)
                memset(one, '0', 32);
            CHECK(status[i] == right && memcmp(texts + 32 * i, one, 32) == 0);
            bad += right != EHC_OK;
        }
        CHECK(found == bad);
    }
}

/* ---- profile A ---- */

static const ehc_bound FIELDS = {.expiry = 1767225660, .key_version = 1, .sequence = 0xA7};

static void bound_vector(const ehc_sm4_key *key)
{
    char token[32];
    ehc_checked out;
    CHECK(ehc_make_bound(key, CARD_ID, &FIELDS, (uint8_t *)token) == EHC_OK);
    CHECK(memcmp(token, "CAE09540D7358B4120B18B67A4A447AC", 32) == 0);
    ehc_window window = {.now = TIME, .tolerance = 60, .profiles = EHC_PROFILE_NATIONAL | EHC_PROFILE_BOUND};
    CHECK(check(key, token, window, &out) == EHC_OK && out.profile == EHC_PROFILE_BOUND && out.expiry == TIME);
    CHECK(out.bound.expiry == TIME && out.bound.key_version == 1 && out.bound.channel == 0 && out.bound.scene == 0);
    CHECK(out.bound.sequence == 0xA7);
    window.key_version = 1;
    CHECK(check(key, token, window, &out) == EHC_OK);
    window.key_version = 2;
    CHECK(check(key, token, window, &out) == EHC_TOKEN_KEY_VERSION && out.expiry == TIME);
    window = (ehc_window){.now = TIME + 1, .profiles = EHC_PROFILE_BOUND};
    CHECK(check(key, token, window, &out) == EHC_TOKEN_EXPIRED);
    window = (ehc_window){.now = TIME - 301, .validity = 300, .profiles = EHC_PROFILE_BOUND};
    CHECK(check(key, token, window, &out) == EHC_TOKEN_EARLY);
    window.profiles = 0;
    CHECK(check(key, token, window, &out) == EHC_TOKEN_FORGED && out.profile == 0 && out.expiry == 0);
    CHECK(ehc_make_token(key, TIME, (uint8_t *)token) == EHC_OK);
    window.profiles = EHC_PROFILE_BOUND;
    CHECK(check(key, token, window, &out) == EHC_TOKEN_FORGED && out.profile == 0);
}

/* A token is its card's, and a card id of 16 bytes has none. */
static void bound_to_another_card(const ehc_sm4_key *key)
{
    uint8_t other[32], token[32];
    ehc_checked out;
    ehc_window window = {.now = TIME, .profiles = EHC_PROFILE_BOUND};
    memcpy(other, CARD_ID, 32);
    other[31] ^= 1;
    CHECK(ehc_make_bound(key, other, &FIELDS, token) == EHC_OK);
    CHECK(check(key, (const char *)token, window, &out) == EHC_TOKEN_FORGED);
    static const char SHORT[] = "98FF9F2C05145CB9305E9D8A57E072BB:0:CAE09540D7358B4120B18B67A4A447AC";
    CHECK(ehc_check_token(key, (const uint8_t *)SHORT, sizeof SHORT - 1, &window, &out) == EHC_TOKEN_FORGED);
}

static void bound_fields(const ehc_sm4_key *key)
{
    uint8_t token[32];
    ehc_checked out;
    ehc_bound last = {.expiry = 253402271999, .key_version = 255, .channel = 15, .scene = 15, .sequence = 0xFFFFFF};
    ehc_window window = {.now = TIME, .profiles = EHC_PROFILE_BOUND};
    CHECK(ehc_make_bound(key, CARD_ID, &last, token) == EHC_OK);
    CHECK(check(key, (const char *)token, window, &out) == EHC_OK && out.bound.expiry == last.expiry);
    CHECK(out.bound.key_version == 255 && out.bound.channel == 15 && out.bound.scene == 15);
    CHECK(out.bound.sequence == 0xFFFFFF);
    ehc_bound over[4] = {last, last, last, last};
    over[0].channel++;
    over[1].scene++;
    over[2].sequence++;
    over[3].expiry++;
    for (size_t i = 0; i < 4; i++)
        CHECK(ehc_make_bound(key, CARD_ID, &over[i], token) == EHC_TOKEN_FORGED);
}

/* ---- rows of both profiles, and what is neither, in one batch ---- */

typedef struct {
    char text[ROWS * 110];
    uint32_t offsets[ROWS + 1];
} texts;

/* Row i: a card-bound token, a national one, a forged one, one behind a prefix, a static code, of a short card id. */
static const texts *mixed_texts(const ehc_sm4_key *key)
{
    static texts t;
    static uint8_t bound[32 * ROWS], status[ROWS], cards[32 * ROWS];
    static ehc_bound fields[ROWS];
    char national[32];
    ehc_make_token(key, TIME, (uint8_t *)national);
    for (size_t i = 0; i < ROWS; i++) {
        memcpy(cards + 32 * i, CARD_ID, 32);
        fields[i] = FIELDS;
        fields[i].expiry += (int64_t)(i % 5) - 2;
        fields[i].channel = i == 30 || i == 222 ? 16 : 0;
    }
    CHECK(ehc_make_bound_batch(key, cards, fields, ROWS, bound, status) == 2);
    CHECK(status[30] == EHC_TOKEN_FORGED && memcmp(bound + 32 * 30, "00000000000000000000000000000000", 32) == 0);
    uint32_t at = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        static const char *const FORMS[] = {CARD ":0:%.32s",  CARD ":0:%.32s",
                                            CARD ":0:0%.31s", "85:" CARD ":0:%.32s",
                                            CARD ":1",        "98FF9F2C05145CB9305E9D8A57E072BB:0:0%.31s"};
        unsigned form = i % 7 == 6 ? 0 : i % 7;
        const char *token = form == 1 ? national : (const char *)bound + (size_t)32 * i;
        int length = snprintf(t.text + at, 110, FORMS[form], token); /* FORMS[4] takes none */
        at += (uint32_t)length;
        t.offsets[i + 1] = at;
    }
    return &t;
}

static void mixed_batches(const ehc_sm4_key *key)
{
    const texts *t = mixed_texts(key);
    for (unsigned profiles = 0; profiles < 4; profiles++)
        for (size_t n = 0; n <= ROWS; n += n < 3 ? 1 : 59) {
            ehc_window window = {.now = TIME, .profiles = profiles};
            int64_t expiry[ROWS];
            uint8_t status[ROWS];
            size_t refused = 0;
            const uint8_t *data = (const uint8_t *)t->text;
            size_t found = ehc_check_batch(key, data, t->offsets, n, &window, expiry, status);
            for (size_t i = 0; i < n; i++) {
                ehc_checked out;
                size_t length = t->offsets[i + 1] - t->offsets[i];
                CHECK(status[i] == ehc_check_token(key, data + t->offsets[i], length, &window, &out));
                CHECK(expiry[i] == out.expiry);
                refused += status[i] != EHC_OK;
            }
            CHECK(found == refused);
        }
}

/* ---- compact codes ---- */

static const ehc_compact COMPACT = {.issuer = 440100,
                                    .node = 1,
                                    .key_version = 1,
                                    .ttl = 2,
                                    .issued_at = 1767225600,
                                    .serial = 167,
                                    .account = 1234567890123456789};

static int open_at(const ehc_compact_key *key, const char *text, int64_t now, int64_t tolerance, ehc_compact *out,
                   int64_t *expiry)
{
    size_t at;
    return ehc_check_compact(key, (const uint8_t *)text, strlen(text), now, tolerance, out, expiry, &at);
}

static void compact_vector(const ehc_compact_key *key)
{
    char text[EHC_COMPACT_LENGTH + 4] = {0};
    ehc_compact out;
    int64_t expiry, issued = COMPACT.issued_at;
    CHECK(ehc_make_compact(key, &COMPACT, (uint8_t *)text) == EHC_OK);
    CHECK(strcmp(text, CODE) == 0);
    CHECK(open_at(key, text, issued, 0, &out, &expiry) == EHC_OK && expiry == issued + 120);
    CHECK(memcmp(&out, &COMPACT, sizeof out) == 0);
    CHECK(open_at(key, text, issued - 60, 60, &out, &expiry) == EHC_OK);
    CHECK(open_at(key, text, issued - 61, 60, &out, &expiry) == EHC_TOKEN_EARLY && expiry == issued + 120);
    CHECK(open_at(key, text, issued + 180, 60, &out, &expiry) == EHC_OK);
    CHECK(open_at(key, text, issued + 181, 60, &out, &expiry) == EHC_TOKEN_EXPIRED && out.account == COMPACT.account);
    CHECK(open_at(key, text, INT64_MAX, 60, &out, &expiry) == EHC_TOKEN_EXPIRED);
    CHECK(open_at(key, text, INT64_MIN, 60, &out, &expiry) == EHC_TOKEN_EARLY);
    strcat(text, "\t\r\n");
    CHECK(open_at(key, text, issued, 0, &out, &expiry) == EHC_OK);
    CHECK(ehc_parse_compact((const uint8_t *)CODE, EHC_COMPACT_LENGTH, &out, &(size_t){0}) == EHC_OK);
    CHECK(out.account == 0 && out.serial == COMPACT.serial && out.issued_at == issued);
}

static void compact_fields(const ehc_compact_key *key)
{
    static const int64_t LIFETIME[8] = {30, 60, 120, 300, 3600, 86400, 30 * 86400, 0};
    ehc_compact last = {.issuer = 999999, .node = 15, .key_version = 1, .ttl = 7, .channel = 31}, out;
    char text[EHC_COMPACT_LENGTH + 1] = {0};
    int64_t expiry;
    last.issued_at = EHC_COMPACT_EPOCH + (int64_t)UINT32_MAX;
    last.serial = ((uint64_t)1 << 48) - 1;
    last.account = UINT64_MAX;
    CHECK(ehc_make_compact(key, &last, (uint8_t *)text) == EHC_OK);
    CHECK(open_at(key, text, last.issued_at, 0, &out, &expiry) == EHC_OK && memcmp(&out, &last, sizeof out) == 0);
    ehc_compact over[7] = {last, last, last, last, last, last, last};
    over[0].issuer++;
    over[1].node++;
    over[2].ttl++;
    over[3].channel++;
    over[4].serial++;
    over[5].issued_at++;
    over[6].issued_at = EHC_COMPACT_EPOCH - 1;
    for (size_t i = 0; i < 7; i++) {
        CHECK(ehc_make_compact(key, &over[i], (uint8_t *)text) == EHC_TOKEN_FORGED);
        CHECK(text[0] == 0 && text[EHC_COMPACT_LENGTH - 1] == 0);
    }
    for (uint8_t ttl = 0; ttl < 8; ttl++) {
        ehc_compact code = COMPACT;
        code.ttl = ttl;
        CHECK(ehc_make_compact(key, &code, (uint8_t *)text) == EHC_OK);
        CHECK(open_at(key, text, code.issued_at, 0, &out, &expiry) == EHC_OK);
        CHECK(expiry == (ttl < 7 ? code.issued_at + LIFETIME[ttl] : INT64_MAX));
    }
}

/* A digit of the mac, of the alias, of the header; another key; another day of issue than the alias'. */
static void compact_forgeries(const ehc_compact_key *key)
{
    static const size_t PLACES[] = {75, 60, 45, 30, 25};
    ehc_compact out;
    int64_t expiry;
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        char text[] = CODE;
        text[PLACES[i]] = text[PLACES[i]] == '1' ? '2' : '1';
        int status = open_at(key, text, COMPACT.issued_at, 0, &out, &expiry);
        CHECK(status != EHC_OK && out.account == 0 && expiry == 0);
    }
    uint8_t raw[16] = {9};
    ehc_compact_key other;
    ehc_compact_set_key(&other, raw, 1);
    CHECK(open_at(&other, CODE, COMPACT.issued_at, 0, &out, &expiry) == EHC_TOKEN_FORGED);
    ehc_compact_set_key(&other, RAW_KEY, 2);
    CHECK(open_at(&other, CODE, COMPACT.issued_at, 0, &out, &expiry) == EHC_TOKEN_KEY_VERSION && expiry == 0);
}

static void compact_refusals(void)
{
    static const struct {
        const char *text;
        int status;
        size_t at;
    } REFUSED[] = {
        {"", EHC_PAYLOAD_LENGTH, 0},
        {"\r\n", EHC_PAYLOAD_LENGTH, 0},
        {CODE "0", EHC_PAYLOAD_LENGTH, 0},
        {"EHC3:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", EHC_PAYLOAD_GRAMMAR, 0},
        {"EHC2:6A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", EHC_OK, 0},
        {"EHC2:000:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", EHC_PAYLOAD_GRAMMAR, 5},
        {"EHC2::::JE5709J1A DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", EHC_PAYLOAD_GRAMMAR, 5},
        {"EHC2:5A4:JEa709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", EHC_PAYLOAD_CHARACTER, 11},
    };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        ehc_compact out;
        size_t at;
        int status = ehc_parse_compact((const uint8_t *)REFUSED[i].text, strlen(REFUSED[i].text), &out, &at);
        CHECK(status == REFUSED[i].status && at == REFUSED[i].at);
    }
}

static void compact_batches(const ehc_compact_key *key)
{
    static ehc_compact codes[ROWS];
    static uint8_t made[EHC_COMPACT_LENGTH * ROWS], status[ROWS], one[EHC_COMPACT_LENGTH];
    static uint32_t offsets[ROWS + 1];
    static uint64_t account[ROWS];
    static int64_t expiry[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        codes[i] = COMPACT;
        codes[i].serial = i;
        codes[i].ttl = (uint8_t)(i % 50 == 49 ? 9 : i % 3);
        codes[i].issued_at += i % 4 == 0 ? 100000 : 0;
        offsets[i + 1] = EHC_COMPACT_LENGTH * (i + 1);
    }
    for (size_t n = 0; n <= ROWS; n += n < 3 ? 1 : 59) {
        size_t bad = 0, refused = 0;
        size_t found = ehc_make_compact_batch(key, codes, n, made, status);
        for (size_t i = 0; i < n; i++) {
            CHECK(status[i] == ehc_make_compact(key, &codes[i], one) &&
                  memcmp(made + offsets[i], one, sizeof one) == 0);
            bad += status[i] != EHC_OK;
        }
        CHECK(found == bad);
        found = ehc_check_compact_batch(key, made, offsets, n, COMPACT.issued_at + 40, 5, account, expiry, status);
        for (size_t i = 0; i < n; i++) {
            ehc_compact out;
            int64_t end;
            size_t at;
            CHECK(status[i] == ehc_check_compact(key, made + offsets[i], EHC_COMPACT_LENGTH, COMPACT.issued_at + 40, 5,
                                                 &out, &end, &at));
            CHECK(expiry[i] == end && account[i] == out.account);
            refused += status[i] != EHC_OK;
        }
        CHECK(found == refused);
    }
    const uint32_t backwards[3] = {EHC_COMPACT_LENGTH, 0, EHC_COMPACT_LENGTH};
    CHECK(ehc_check_compact_batch(key, (const uint8_t *)CODE, backwards, 2, COMPACT.issued_at, 0, account, expiry,
                                  status) == 1);
    CHECK(status[0] == EHC_PAYLOAD_LENGTH && status[1] == EHC_OK);
}

/* Texts of the right length that are no codes, between codes. */
static void compact_batch_of_others(const ehc_compact_key *key)
{
    static const char *const TEXTS[] = {
        CODE, "EHC3:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", /* the prefix */
        CODE, "EHC2:5A5:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", /* the profile */
        CODE, "EHC2:5A4:JEa709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVKME", /* a character */
        CODE, "EHC2:5A4:JE5709J1 DR000000W30L*2DIFETRC38S-P28EXMC+I6F$UI4NCIHW0GUM806LRXVK:::"};
    static const uint8_t STATUS[] = {EHC_OK, EHC_PAYLOAD_GRAMMAR,   EHC_OK, EHC_PAYLOAD_GRAMMAR,
                                     EHC_OK, EHC_PAYLOAD_CHARACTER, EHC_OK, EHC_PAYLOAD_GRAMMAR};
    enum { N = sizeof TEXTS / sizeof TEXTS[0] };
    uint8_t data[N * (EHC_COMPACT_LENGTH + 1)], status[N];
    uint32_t offsets[N + 1] = {0};
    uint64_t account[N];
    int64_t expiry[N];
    for (size_t i = 0; i < N; i++) {
        uint32_t length = (uint32_t)strlen(TEXTS[i]);
        memcpy(data + offsets[i], TEXTS[i], length);
        offsets[i + 1] = offsets[i] + length;
    }
    CHECK(ehc_check_compact_batch(key, data, offsets, N, COMPACT.issued_at, 0, account, expiry, status) == N / 2);
    for (size_t i = 0; i < N; i++) {
        ehc_compact out;
        int64_t end;
        size_t at;
        size_t length = offsets[i + 1] - offsets[i];
        CHECK(status[i] == ehc_check_compact(key, data + offsets[i], length, COMPACT.issued_at, 0, &out, &end, &at));
        CHECK(account[i] == out.account && expiry[i] == end && (account[i] != 0) == (i % 2 == 0));
        CHECK(length != EHC_COMPACT_LENGTH || status[i] == STATUS[i]);
    }
}

/* An alias opens for its day and under its key alone; its account is that of the vector. */
static void compact_alias(const ehc_compact_key *key)
{
    uint8_t alias[16] = {0x16, 0xC2, 0x79, 0xDE, 0xDA, 0xBA, 0x3F, 0xDB,
                         0xCD, 0x12, 0x70, 0x28, 0x62, 0xEB, 0x32, 0xC8};
    uint64_t account = 1;
    CHECK(ehc_open_alias(key, alias, 0x890, &account) == EHC_OK && account == 1234567890123456789);
    CHECK(ehc_open_alias(key, alias, 0x891, &account) == EHC_TOKEN_FORGED && account == 0);
    alias[0] ^= 1;
    CHECK(ehc_open_alias(key, alias, 0x890, &account) == EHC_TOKEN_FORGED && account == 0);
}

void test_codes(void)
{
    ehc_sm4_key key;
    ehc_compact_key compact_key;
    ehc_sm4_set_key(&key, RAW_KEY);
    ehc_compact_set_key(&compact_key, RAW_KEY, 1);
    base45_vectors();
    base45_refusals();
    base45_there_and_back();
    hex_there_and_back();
    dates(&key);
    windows_at_the_ends_of_numbers(&key);
    tokens_in_batches(&key);
    bound_vector(&key);
    bound_to_another_card(&key);
    bound_fields(&key);
    mixed_batches(&key);
    compact_vector(&compact_key);
    compact_fields(&compact_key);
    compact_forgeries(&compact_key);
    compact_refusals();
    compact_alias(&compact_key);
    compact_batches(&compact_key);
    compact_batch_of_others(&compact_key);
}
