/* test_host.c: the host protocol at both ends. The vectors of the field stand in tests/vectors/host.toml and run in
 * tests/native/test_host_frames.py; here is every way in which a frame can be wrong, at guard pages. */
#include "check.h"
#include "guarded.h"

#define CARD_HEAD "S30000AK010401"
#define FACTOR "92CDCE45A16799FD6D3231BA5E986602"
#define OPEN_HEAD "S40000AK010401"

static ehc_host host;
static ehc_sm4_key keys[3];
static uint32_t counts[EHC_HOST_OPERATIONS][EHC_HOST_VERSIONS];

static void set_up(void)
{
    static const uint8_t RAW[3][16] = {{1}, {2}, {3}};
    memset(&host, 0, sizeof host);
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < 3; i++)
        ehc_sm4_set_key(&keys[i], RAW[i]);
    host.security[1] = (ehc_host_key){&keys[0], EHC_HOST_MAKE | EHC_HOST_OPEN};
    host.security[2] = (ehc_host_key){&keys[1], EHC_HOST_OPEN};
    host.security[255] = (ehc_host_key){&keys[1], EHC_HOST_MAKE};
    host.protection[1] = (ehc_host_key){&keys[2], EHC_HOST_MAKE | EHC_HOST_OPEN};
    memcpy(host.text, "text", host.text_length = 4);
}

/* One frame that ends at a guard page; its answer, and how long that is. */
static size_t ask(const void *body, size_t length, uint8_t *answer, size_t room)
{
    guarded in = guarded_room(2 + length);
    uint8_t *frame = in.last - 2 - length;
    size_t written = 0;
    frame[0] = (uint8_t)(length >> 8), frame[1] = (uint8_t)length;
    memcpy(frame + 2, body, length);
    CHECK(ehc_host_answer(&host, frame, 2 + length, answer, room, &written, counts) == 2 + length);
    guarded_release(&in);
    return written;
}

static int answers(const char *body, size_t length, const char *expected)
{
    uint8_t answer[2000];
    size_t written = ask(body, length, answer, sizeof answer);
    return written == 2 + strlen(expected) && memcmp(answer + 2, expected, strlen(expected)) == 0 && answer[0] == 0 &&
           answer[1] == strlen(expected);
}

static void check_refusals(void)
{
    static const struct {
        const char *body, *answer;
    } CASES[] = {
        {"", "ER11"},
        {"N", "ER11"},
        {"XX", "ER10"},
        {"NC ", "ND12"},
        {"CR123", "CS11"},
        {"CR12345", "CS12"},
        {"3C2000", "3D11"},
        {"3C210003abc;00000000", "3D14"},
        {"3C20000/abc;00000000", "3D13"},
        {"3C20000:abc;00000000", "3D13"},
        {"3C200004abc", "3D11"},
        {"3C200003abc;0000000", "3D11"},
        {"3C200003abc:00000000", "3D13"},
        {"3C200003abc;000000001", "3D12"},
        {"S30000AK0104", "S411"},
        {"S30100AK010401" FACTOR "00020001A", "S414"},
        {"S30000AX010401" FACTOR "00020001A", "S413"},
        {"S30000AK01x401" FACTOR "00020001A", "S413"},
        {"S30000AK010201" FACTOR "00020001A", "S420"},
        {"S30000AK010501" FACTOR "00020001A", "S420"},
        {"S30000AK061401" FACTOR "00020001A", "S420"},
        {"S30000AK010801" FACTOR "00020001A", "S420"},
        {"S30000AK010601" FACTOR "00020001A", "S421"},
        {"S40000AK061201" FACTOR "00050010AAAAAAAAAAAAAAAA", "S521"},
        {"S30000AK010600000200072018011", "S420"},
        {"S30000AK010402" FACTOR "00020001A", "S415"},
        {CARD_HEAD "92CDCE45A16799FD6D3231BA5E98660", "S411"},
        {CARD_HEAD "92CDCE45A16799FD6D3231BA5E98660G00020001A", "S413"},
        {CARD_HEAD "92CDCE45A16799FD6D3231BA5E98660300020001A", "S415"},
        {CARD_HEAD FACTOR "0002000", "S411"},
        {CARD_HEAD FACTOR "01020001A", "S413"},
        {CARD_HEAD FACTOR "0002000gA", "S413"},
        {CARD_HEAD FACTOR "00050001A", "S416"},
        {CARD_HEAD FACTOR "00020002A", "S411"},
        {CARD_HEAD FACTOR "00020001AB", "S412"},
        {CARD_HEAD FACTOR "00020000", "S417"},
        {OPEN_HEAD FACTOR "00020010AAAAAAAAAAAAAAAA", "S516"},
        {OPEN_HEAD FACTOR "0005000FAAAAAAAAAAAAAAA", "S517"},
        {"S30000AK010400000200062018011", "S412"},
        {"S30000AK01040000020006201801", "S417"},
        {"S30000AK010400000200072018011", "S422"},
        {"S40000AK01040000050010AAAAAAAAAAAAAAAA", "S522"},
        {"S40000AK01040000050020AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB", "S517"},
    };
    uint32_t refused = 0;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const char *body = CASES[i].body;
        if (!answers(body, strlen(body), CASES[i].answer))
            fprintf(stderr, "case %s\n", body);
        CHECK(answers(body, strlen(body), CASES[i].answer));
    }
    for (size_t code = 0; code < EHC_HOST_VERSIONS; code++)
        refused += counts[EHC_HOST_REFUSED][code];
    CHECK(refused == 2 * sizeof CASES / sizeof CASES[0]);
    CHECK(counts[EHC_HOST_REFUSED][EHC_HOST_DONE] == 0);
}

static void check_device(void)
{
    CHECK(answers("NC", 2, "ND00text"));
    CHECK(answers("CRabcd", 6, "CS00abcd000000000000"));
    CHECK(counts[EHC_HOST_DEVICE][0] == 2);
}

/* A machine that refuses says so, and still who it is. */
static void check_refusing_machine(void)
{
    host.refuses = EHC_HOST_SELFTEST;
    CHECK(answers("3C200003abc;00000000", 20, "3D30"));
    CHECK(answers(CARD_HEAD FACTOR "00020001A", 55, "S430"));
    CHECK(answers(OPEN_HEAD FACTOR "00050010AAAAAAAAAAAAAAAA", 70, "S530"));
    CHECK(answers("NC", 2, "ND00text"));
    host.refuses = EHC_HOST_DONE;
}

/* What is sealed under a factor, by the definition. */
static void expected_card(const ehc_sm4_key *root, const uint8_t *data, size_t n, uint8_t *out)
{
    uint8_t factor[16], user_key[16];
    ehc_sm4_key key;
    CHECK(ehc_unhex((const uint8_t *)FACTOR, 16, factor));
    ehc_sm4_encrypt(root, factor, user_key, 1);
    ehc_sm4_set_key(&key, user_key);
    memset(out, 0, (n + 15) / 16 * 16);
    memcpy(out, data, n);
    ehc_sm4_encrypt(&key, out, out, (n + 15) / 16);
}

/* Data of every length from 1 to 100 bytes, and back. */
static void check_cards(void)
{
    uint8_t data[100], body[300], answer[1000], expected[112];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i + 7);
    for (size_t n = 1; n <= sizeof data; n++) {
        size_t padded = (n + 15) / 16 * 16;
        int head = snprintf((char *)body, sizeof body, CARD_HEAD FACTOR "0002%04zX", n);
        memcpy(body + head, data, n);
        expected_card(&keys[0], data, n, expected);
        CHECK(ask(body, (size_t)head + n, answer, sizeof answer) == 2 + 8 + padded);
        CHECK(memcmp(answer + 10, expected, padded) == 0);

        head = snprintf((char *)body, sizeof body, OPEN_HEAD FACTOR "0005%04zX", padded);
        memcpy(body + head, expected, padded);
        CHECK(ask(body, (size_t)head + padded, answer, sizeof answer) == 2 + 8 + padded);
        CHECK(memcmp(answer + 2, "S500", 4) == 0 && memcmp(answer + 10, data, n) == 0);
        for (size_t i = n; i < padded; i++)
            CHECK(answer[10 + i] == 0);
    }
    CHECK(counts[EHC_HOST_CARD_MADE][1] == 100 && counts[EHC_HOST_CARD_OPENED][1] == 100);
}

/* Over 64 in a row, then another key, then another direction: each answer is still its own question's. */
static void check_many_in_order(void)
{
    enum { FRAMES = 150 };
    static uint8_t in[FRAMES * 80], out[FRAMES * 80 + 1000];
    uint8_t *to = in;
    for (size_t i = 0; i < FRAMES; i++) {
        char body[80];
        int n = i < 100   ? snprintf(body, sizeof body, CARD_HEAD FACTOR "00020003%03zu", i)
                : i < 120 ? snprintf(body, sizeof body, "S30000AK061201" FACTOR "00020003%03zu", i)
                          : snprintf(body, sizeof body, "S40000AK010601" FACTOR "00050010%016zu", i);
        *to++ = 0, *to++ = (uint8_t)n;
        memcpy(to, body, (size_t)n);
        to += n;
    }
    size_t written, length = (size_t)(to - in), done = 0, frames = 0;
    while (done < length) { /* room for some at a time */
        size_t taken = ehc_host_answer(&host, in + done, length - done, out, done == 0 ? 3000 : 2000, &written, counts);
        CHECK(taken > 0);
        done += taken;
        for (size_t at = 0; at < written; at += 2 + out[at + 1], frames++) {
            uint8_t data[16] = {0}, expected[16];
            snprintf((char *)data, sizeof data, "%03zu", frames);
            expected_card(&keys[frames < 100 ? 0 : 1], data, 3, expected);
            CHECK(out[at + 1] == 24);
            if (frames < 120)
                CHECK(memcmp(out + at + 10, expected, 16) == 0);
        }
    }
    CHECK(frames == FRAMES);
    CHECK(ehc_host_answer(&host, in, 1, out, sizeof out, &written, counts) == 0 && written == 0);
    CHECK(ehc_host_answer(&host, in, 20, out, sizeof out, &written, counts) == 0 && written == 0);
}

static void check_validity(void)
{
    static const uint8_t TIME[7] = {0x20, 0x18, 0x01, 0x17, 0x11, 0x50, 0x03};
    uint8_t body[60], answer[1000], block[16] = {0};
    memcpy(body, "S30000AK01040000020007", 22);
    memcpy(body + 22, TIME, 7);
    memcpy(block, TIME, 7);
    ehc_sm4_encrypt(&keys[2], block, block, 1);
    CHECK(ask(body, 29, answer, sizeof answer) == 26);
    CHECK(memcmp(answer + 2, "S4000010", 8) == 0 && memcmp(answer + 10, block, 16) == 0);
    memcpy(body, "S40000AK01040000050010", 22);
    memcpy(body + 22, block, 16);
    CHECK(ask(body, 38, answer, sizeof answer) == 26);
    CHECK(memcmp(answer + 2, "S5000010", 8) == 0 && memcmp(answer + 10, TIME, 7) == 0);
    CHECK(counts[EHC_HOST_VALIDITY_MADE][1] == 1 && counts[EHC_HOST_VALIDITY_OPENED][1] == 1);
}

/* ---- the client's end ---- */

enum { ROWS = 4 };
static const uint8_t PEOPLE[] = "0111010020171225006Xname03E12345601x";
static const uint32_t OFFSETS[ROWS + 1] = {0, 24, 33, 33, 36};
static const uint8_t ID_LENGTHS[ROWS] = {20, 9, 0, 3};

static void check_asking(void)
{
    guarded room = guarded_room(sizeof PEOPLE - 1 + ROWS * EHC_HOST_ASK_MORE);
    uint8_t codes[ROWS], mindex[ROWS][32], cards[ROWS][32], answer[1000], *out = room.first;
    static const uint8_t FULL[ROWS] = {32, 32, 32, 32}, SHORT[ROWS] = {32, 16, 16, 16};
    size_t row = 0, taken, written;
    size_t size = ehc_host_ask_digests(PEOPLE, OFFSETS, ID_LENGTHS, ROWS, codes, out);
    CHECK(size == (19 + 24) + (19 + 9) + (19 + 3));
    CHECK(codes[0] == 0 && codes[1] == 0 && codes[2] == EHC_HOST_ROW + EHC_ROW_ID_SHORT && codes[3] == 0);
    CHECK(ehc_host_answer(&host, out, size, answer, sizeof answer, &written, counts) == size);

    /* an answer that is not whole yet stays where it is */
    CHECK(ehc_host_take(answer, 39, NULL, ROWS, codes, mindex[0], &row, &taken) && row == 0 && taken == 0);
    CHECK(ehc_host_take(answer, 41, NULL, ROWS, codes, mindex[0], &row, &taken) && row == 1 && taken == 40);
    CHECK(ehc_host_take(answer + 40, written - 40, NULL, ROWS, codes, mindex[0], &row, &taken));
    CHECK(row == ROWS && taken == written - 40);
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t digest[32];
        ehc_sm3(PEOPLE + OFFSETS[i], OFFSETS[i + 1] - OFFSETS[i], digest);
        CHECK(codes[i] != EHC_HOST_DONE || memcmp(mindex[i], digest, 32) == 0);
    }
    for (int minimal = 0; minimal < 2; minimal++) {
        const uint8_t *lengths = minimal ? SHORT : FULL;
        uint8_t expected_mindex[ROWS][32], expected[ROWS][32], status[ROWS];
        size = ehc_host_ask_cards(mindex[0], PEOPLE, OFFSETS, ID_LENGTHS, lengths, ROWS, 1, codes, out);
        CHECK(size == 3 * 56 + (minimal ? 20 + 9 + 3 : 20 + 32 + 32));
        CHECK(ehc_host_answer(&host, out, size, answer, sizeof answer, &written, counts) == size);
        row = 0;
        CHECK(ehc_host_take(answer, written, lengths, ROWS, codes, cards[0], &row, &taken));
        CHECK(row == ROWS && taken == written);
        ehc_derive_batch(&keys[0], PEOPLE, OFFSETS, ID_LENGTHS, ROWS, expected_mindex[0], expected[0], status);
        for (size_t i = 0; i < ROWS; i++)
            CHECK(codes[i] != EHC_HOST_DONE || memcmp(cards[i], expected[i], lengths[i]) == 0);
    }
    guarded_release(&room);
}

static void check_a_row_too_long_for_a_frame(void)
{
    static uint8_t out[12000];
    static const uint32_t ENDS[3] = {0, 9999, 19999};
    static const uint8_t LENGTHS[2] = {20, 20};
    uint8_t codes[2];
    static uint8_t both[20000];
    memset(both, 'x', sizeof both);
    CHECK(ehc_host_ask_digests(both, ENDS, LENGTHS, 2, codes, out) == 19 + 9999);
    CHECK(codes[0] == EHC_HOST_DONE && codes[1] == EHC_HOST_ROW);
}

/* What is taken of one answer that is asked for. */
static int taken_code(const char *answer, size_t length, int is_digest)
{
    static const uint8_t LENGTH[1] = {32};
    uint8_t codes[1] = {0}, out[32], in[100];
    size_t row = 0, taken;
    in[0] = 0, in[1] = (uint8_t)length;
    memcpy(in + 2, answer, length);
    if (!ehc_host_take(in, 2 + length, is_digest ? NULL : LENGTH, 1, codes, out, &row, &taken)) {
        CHECK(row == 0 && taken == 0);
        return -1;
    }
    CHECK(row == 1 && taken == 2 + length);
    return codes[0];
}

static void check_what_is_no_answer(void)
{
#define GOOD32 "abcdefghijklmnopqrstuvwxyz012345"
    CHECK(taken_code("3D0032" GOOD32, 38, 1) == 0);
    CHECK(taken_code("3D0032" GOOD32, 37, 1) == -1);
    CHECK(taken_code("3D0033" GOOD32, 38, 1) == -1);
    CHECK(taken_code("3D11", 4, 1) == 11);
    CHECK(taken_code("3D112", 5, 1) == -1);
    CHECK(taken_code("3D1x", 4, 1) == -1);
    CHECK(taken_code("3D0", 3, 1) == -1);
    CHECK(taken_code("S4000020" GOOD32, 40, 1) == -1);
    CHECK(taken_code("S4000020" GOOD32, 40, 0) == 0);
    CHECK(taken_code("S4000010" GOOD32, 24, 0) == -1);
    CHECK(taken_code("S500", 4, 0) == -1);
    CHECK(taken_code("S400", 4, 0) == -1);
}

void test_host(void)
{
    set_up();
    check_device();
    check_refusals();
    check_refusing_machine();
    check_cards();
    check_many_in_order();
    check_validity();
    check_asking();
    check_a_row_too_long_for_a_frame();
    check_what_is_no_answer();
}
