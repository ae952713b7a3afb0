/* test_token.c: the validity token's own vector, the ends of its window, and batches against single calls. */
#include "check.h"
#include "guarded.h"

#define CARD "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"

static const uint8_t KEY[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
static const int64_t TIME = 1516161003; /* 2018-01-17T11:50:03 China Standard Time */
static const char CODE[] = CARD ":0:92FD69141DFE1553A42251E2B0196148";
enum { CODE_LENGTH = sizeof CODE - 1 };

static int check(const ehc_sm4_key *key, const char *text, ehc_window window, int64_t *expiry)
{
    ehc_checked out;
    memset(&out, 0xA5, sizeof out);
    int status = ehc_check_token(key, (const uint8_t *)text, strlen(text), &window, &out);
    *expiry = out.expiry;
    return status;
}

static void vector(const ehc_sm4_key *key)
{
    uint8_t token[32];
    int64_t expiry;
    CHECK(ehc_make_token(key, TIME, token) == EHC_OK);
    CHECK(memcmp(token, "92FD69141DFE1553A42251E2B0196148", 32) == 0);
    CHECK(check(key, CODE, (ehc_window){.now = TIME}, &expiry) == EHC_OK && expiry == TIME);
    CHECK(check(key, CODE, (ehc_window){.now = TIME + 1}, &expiry) == EHC_TOKEN_EXPIRED && expiry == TIME);
    CHECK(check(key, CARD ":1", (ehc_window){.now = TIME}, &expiry) == EHC_TOKEN_NONE && expiry == 0);
    CHECK(check(key, CARD ":0:92FD69141DFE1553A42251E2B0196149", (ehc_window){.now = TIME}, &expiry) ==
          EHC_TOKEN_FORGED);
    CHECK(expiry == 0);
    CHECK(check(key, "", (ehc_window){.now = TIME}, &expiry) == EHC_PAYLOAD_LENGTH && expiry == 0);
}

/* tolerance 60, validity 300: as expiry and as time of issue. */
static void window_ends(const ehc_sm4_key *key)
{
    int64_t expiry;
    for (int issue = 0; issue <= 1; issue++) {
        int64_t end = TIME + (issue ? 300 : 0);
        ehc_window window = {.tolerance = 60, .validity = 300, .issue = issue};
        window.now = end + 60;
        CHECK(check(key, CODE, window, &expiry) == EHC_OK && expiry == end);
        window.now = end + 61;
        CHECK(check(key, CODE, window, &expiry) == EHC_TOKEN_EXPIRED && expiry == end);
        window.now = end - 360;
        CHECK(check(key, CODE, window, &expiry) == EHC_OK && expiry == end);
        window.now = end - 361;
        CHECK(check(key, CODE, window, &expiry) == EHC_TOKEN_EARLY && expiry == end);
    }
}

static void years(const ehc_sm4_key *key)
{
    uint8_t token[32];
    const int64_t first = -62167248000, last = 253402271999;
    for (int64_t d = -1; d <= 1; d++) {
        CHECK(ehc_make_token(key, first + d, token) == (d < 0 ? EHC_TOKEN_FORGED : EHC_OK));
        CHECK(ehc_make_token(key, last + d, token) == (d > 0 ? EHC_TOKEN_FORGED : EHC_OK));
    }
    CHECK(ehc_make_token(key, INT64_MIN, token) == EHC_TOKEN_FORGED);
    CHECK(ehc_make_token(key, INT64_MAX, token) == EHC_TOKEN_FORGED);
}

/* n texts, some bad, the last one ending at a guard page. */
static void batches(const ehc_sm4_key *key)
{
    static const char *const TEXTS[] = {CODE, CARD ":1", "", "x://", CARD ":0:00000000000000000000000000000000"};
    const ehc_window window = {.now = TIME, .tolerance = 60, .validity = 300};
    for (size_t n = 0; n < 140; n++) {
        guarded room = guarded_room(140 * (size_t)CODE_LENGTH);
        uint32_t offsets[141] = {0}, total = 0;
        uint8_t status[141];
        int64_t expiries[141];
        size_t refused = 0;
        memset(expiries, 0xA5, sizeof expiries);
        memset(status, 0xA5, sizeof status);
        for (size_t i = 0; i < n; i++) {
            total += (uint32_t)strlen(TEXTS[i * 7 % 5]);
            offsets[i + 1] = total;
        }
        uint8_t *data = room.last - total;
        for (size_t i = 0; i < n; i++)
            memcpy(data + offsets[i], TEXTS[i * 7 % 5], offsets[i + 1] - offsets[i]);
        size_t count = ehc_check_batch(key, data, offsets, n, &window, expiries, status);
        for (size_t i = 0; i < n; i++) {
            int64_t expiry;
            CHECK(status[i] == check(key, TEXTS[i * 7 % 5], window, &expiry) && expiries[i] == expiry);
            refused += status[i] != EHC_OK;
        }
        CHECK(count == refused && status[n] == 0xA5);
        guarded_release(&room);
    }
}

/* Offsets that run backwards make an empty text of their row. */
static void backward_offsets(const ehc_sm4_key *key)
{
    const ehc_window window = {.now = TIME};
    const uint32_t offsets[4] = {0, CODE_LENGTH, 0, CODE_LENGTH};
    int64_t expiries[3];
    uint8_t status[3];
    CHECK(ehc_check_batch(key, (const uint8_t *)CODE, offsets, 3, &window, expiries, status) == 1);
    CHECK(status[0] == EHC_OK && status[1] == EHC_PAYLOAD_LENGTH && status[2] == EHC_OK);
}

void test_token(void)
{
    ehc_sm4_key key;
    ehc_sm4_set_key(&key, KEY);
    vector(&key);
    window_ends(&key);
    years(&key);
    batches(&key);
    backward_offsets(&key);
}
