/* fuzz_base45.c: what base45 and the compact code (E2) say of any text must be true of it. The first byte chooses the tier
 * and whether the rest stands behind "EHC2:", as a code of the right length. */
#include "fuzz.h"

static const char ALPHABET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

static int in_alphabet(uint8_t c)
{
    return c != 0 && strchr(ALPHABET, c) != NULL;
}

static void expect_refused(const uint8_t *text, size_t length, int status, size_t at)
{
    size_t outside = 0;
    while (outside < length && in_alphabet(text[outside]))
        outside++;
    if (status == EHC_PAYLOAD_CHARACTER) {
        EXPECT(at == outside && at < length);
    } else if (status == EHC_PAYLOAD_GRAMMAR) {
        EXPECT(outside == length && at % 3 == 0 && at < length);
    } else {
        EXPECT(status == EHC_PAYLOAD_LENGTH && length % 3 == 1);
    }
}

/* What decodes encodes to the same text again: each group has one form. */
static void decode(const uint8_t *text, size_t length)
{
    size_t room = length / 3 * 2 + 1, n = SIZE_MAX, at = SIZE_MAX;
    uint8_t *data = fuzz_room(room), *again = fuzz_room(length);
    int status = ehc_base45_decode(text, length, data, &n, &at);
    if (status == EHC_OK) {
        EXPECT(EHC_BASE45_LENGTH(n) == length && at == 0);
        EXPECT(ehc_base45_encode(data, n, again) == length);
        EXPECT(length == 0 || memcmp(again, text, length) == 0);
    } else {
        EXPECT(n == 0);
        expect_refused(text, length, status, at);
    }
    free(data);
    free(again);
}

static void encode(const uint8_t *data, size_t n)
{
    size_t length = EHC_BASE45_LENGTH(n), found, at;
    uint8_t *text = fuzz_room(length), *back = fuzz_room(length / 3 * 2 + 1);
    EXPECT(ehc_base45_encode(data, n, text) == length);
    EXPECT(ehc_base45_decode(text, length, back, &found, &at) == EHC_OK && found == n);
    EXPECT(n == 0 || memcmp(back, data, n) == 0);
    free(text);
    free(back);
}

/* Alone, as a row of a batch, and on the portable tier: the same. What is authentic is made again from what it says. */
static void check_compact(const uint8_t *text, size_t length, unsigned tier)
{
    static const uint8_t RAW[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    static const int64_t NOW = 1767225660;
    const uint32_t offsets[2] = {0, (uint32_t)length};
    ehc_compact out, same;
    ehc_compact_key key;
    int64_t expiry, end;
    uint64_t account;
    size_t at, place;
    uint8_t status, made[EHC_COMPACT_LENGTH];
    fuzz_tier(tier);
    ehc_compact_set_key(&key, RAW, 1);
    int found = ehc_check_compact(&key, text, length, NOW, 60, &out, &expiry, &at);
    EXPECT(ehc_check_compact_batch(&key, text, offsets, 1, NOW, 60, &account, &end, &status) == (found != EHC_OK));
    EXPECT(status == found && account == out.account && end == expiry);
    EXPECT(ehc_init("portable") == EHC_OK);
    EXPECT(ehc_check_compact(&key, text, length, NOW, 60, &same, &end, &place) == found);
    EXPECT(memcmp(&out, &same, sizeof out) == 0 && end == expiry && place == at);
    EXPECT(at <= length);
    int parsed = ehc_parse_compact(text, length, &same, &place);
    EXPECT(place == at && (parsed == found || (parsed == EHC_OK && found >= EHC_TOKEN_NONE)));
    if (expiry != 0) {
        EXPECT(ehc_make_compact(&key, &out, made) == EHC_OK);
        EXPECT(memcmp(made, text, EHC_COMPACT_LENGTH) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    fuzz_input in = {input, size};
    unsigned choice = fuzz_byte(&in);
    decode(in.at, in.left);
    encode(in.at, in.left);
    check_compact(in.at, in.left, choice);
    if (choice & 0x80) {
        uint8_t *code = fuzz_room(EHC_COMPACT_LENGTH);
        memset(code, '0', EHC_COMPACT_LENGTH);
        memcpy(code, "EHC2:", 5);
        memcpy(code + 5, in.at, in.left < EHC_COMPACT_LENGTH - 5 ? in.left : EHC_COMPACT_LENGTH - 5);
        check_compact(code, EHC_COMPACT_LENGTH, choice);
        free(code);
    }
    return 0;
}
