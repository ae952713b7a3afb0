/* fuzz_host.c: the host protocol with any bytes. Of the machine's end: every frame gets one answer, of its own command and
 * with a documented code, in the room that was promised, and the same however the stream is cut. Of the client's end: what
 * is taken is whole, and nothing is touched behind it. The first two bytes choose the tier and where the stream is cut. */
#include "fuzz.h"

enum { ROWS = 5 };

static ehc_host host;
static ehc_sm4_key key;

static void set_up(unsigned choice)
{
    static const uint8_t RAW[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                    0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10};
    fuzz_tier(choice);
    ehc_sm4_set_key(&key, RAW);
    host.security[1] = host.protection[1] = (ehc_host_key){&key, EHC_HOST_MAKE | EHC_HOST_OPEN};
    host.security[2] = (ehc_host_key){&key, EHC_HOST_OPEN};
}

static size_t length_at(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

static int is_answer_to(const uint8_t *frame, size_t length, const uint8_t *answer)
{
    static const char *const PAIRS[] = {"NCND", "CRCS", "3C3D", "S3S4", "S4S5"};
    for (size_t i = 0; i < 5 && length >= 2; i++)
        if (memcmp(frame, PAIRS[i], 2) == 0)
            return memcmp(answer, PAIRS[i] + 2, 2) == 0;
    return memcmp(answer, "ER", 2) == 0;
}

static int is_documented(const uint8_t *digits)
{
    static const char CODES[] = "00 10 11 12 13 14 15 16 17 20 21 22 ";
    for (const char *code = CODES; *code != 0; code += 3)
        if (memcmp(code, digits, 2) == 0)
            return 1;
    return 0;
}

/* Walks frames and answers side by side. */
static void expect_answers(const uint8_t *in, size_t length, const uint8_t *out, size_t written)
{
    size_t at = 0, to = 0;
    while (length - at >= 2 && length - at - 2 >= length_at(in + at)) {
        EXPECT(written - to >= 6 && written - to - 2 >= length_at(out + to) && length_at(out + to) >= 4);
        EXPECT(is_answer_to(in + at + 2, length_at(in + at), out + to + 2));
        EXPECT(is_documented(out + to + 4));
        at += 2 + length_at(in + at), to += 2 + length_at(out + to);
    }
    EXPECT(to == written);
}

static void serve(const uint8_t *in, size_t length, size_t cut)
{
    static uint32_t counts[EHC_HOST_OPERATIONS][EHC_HOST_VERSIONS];
    size_t room = length * 3 + EHC_HOST_ANSWER_MORE, written, first, second;
    uint8_t *whole = fuzz_room(room), *parts = fuzz_room(room);
    size_t taken = ehc_host_answer(&host, in, length, whole, room, &written, counts);
    EXPECT(taken <= length);
    expect_answers(in, length, whole, written);
    size_t begun = ehc_host_answer(&host, in, cut, parts, room, &first, counts);
    size_t rest = ehc_host_answer(&host, in + begun, length - begun, parts + first, room - first, &second, counts);
    EXPECT(begun <= cut && begun + rest == taken && first + second == written);
    EXPECT(written == 0 || memcmp(whole, parts, written) == 0);
    free(whole);
    free(parts);
}

static void take(const uint8_t *in, size_t length, const uint8_t *lengths)
{
    uint8_t codes[ROWS] = {0, 0, EHC_HOST_ROW, 0, 0}, *rows = fuzz_room(32 * ROWS);
    size_t row = 0, taken = 0;
    int right = ehc_host_take(in, length, lengths, ROWS, codes, rows, &row, &taken);
    EXPECT(row <= ROWS && taken <= length && (right || row < ROWS));
    size_t at = 0;
    for (size_t i = 0; i < row; i++) {
        EXPECT(codes[i] < 100 || (i == 2 && codes[i] == EHC_HOST_ROW));
        at += i == 2 ? 0 : 2 + length_at(in + at);
    }
    EXPECT(at == taken);
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t LENGTHS[ROWS] = {32, 16, 32, 16, 32};
    fuzz_input in = {data, size};
    set_up(fuzz_byte(&in));
    size_t cut = fuzz_byte(&in);
    uint8_t *stream = fuzz_room(in.left);
    if (in.left > 0)
        memcpy(stream, in.at, in.left);
    serve(stream, in.left, cut < in.left ? cut : in.left);
    take(stream, in.left, NULL);
    take(stream, in.left, LENGTHS);
    free(stream);
    return 0;
}
