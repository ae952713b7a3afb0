/* test_columns.c: three text columns into packed rows, everything ending at guard pages. The rules themselves are held
 * against cards/identity.py in tests/native/test_pack_columns.py. */
#include "check.h"
#include "guarded.h"

enum { ROWS = 6 };

static const char *const TYPES[ROWS] = {"01", "01", "03", "01", "", "1"};
static const char *const NUMBERS[ROWS] = {"11010020171225006X", "110100201712250061", "E00000000",
                                          "11010020171225006X", "11010020171225006X", "11010020171225006X"};
static const char *const NAMES[ROWS] = {"电子健康卡", "电子健康卡", "测试", "\xE5", "电子健康卡", "电子健康卡"};
static const int REGULAR[ROWS] = {1, 0, 1, 0, 0, 0};

static size_t fill(const char *const cells[ROWS], guarded *room, int32_t offsets[ROWS + 1], ehc_column *column)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < ROWS; i++)
        total += strlen(cells[i]);
    *room = guarded_room(total);
    uint8_t *data = room->last - total;
    for (size_t i = 0; i < ROWS; i++) {
        offsets[i] = (int32_t)at;
        memcpy(data + at, cells[i], strlen(cells[i]));
        at += strlen(cells[i]);
    }
    offsets[ROWS] = (int32_t)at;
    *column = (ehc_column){data, offsets};
    return total;
}

static void check_join(const ehc_column *type, const ehc_column *number, const ehc_column *name, size_t total)
{
    guarded room = guarded_room(total + EHC_JOIN_SLACK);
    uint8_t *out = room.last - total - EHC_JOIN_SLACK, id_lengths[ROWS];
    uint32_t offsets[ROWS + 1];
    CHECK(ehc_join_columns(type, number, name, ROWS, out, offsets, id_lengths) == total);
    CHECK(offsets[0] == 0 && offsets[ROWS] == total);
    for (size_t i = 0; i < ROWS; i++) {
        char row[100];
        int length = snprintf(row, sizeof row, "%s%s%s", TYPES[i], NUMBERS[i], NAMES[i]);
        CHECK(id_lengths[i] == strlen(TYPES[i]) + strlen(NUMBERS[i]));
        CHECK(offsets[i + 1] - offsets[i] == (uint32_t)length);
        CHECK(memcmp(out + offsets[i], row, (size_t)length) == 0);
    }
    guarded_release(&room);
}

/* A text longer than one move, an id that no row may have, and no rows. */
static void check_join_of_long_texts(void)
{
    static uint8_t text[400], out[1200 + EHC_JOIN_SLACK];
    static const int32_t AT[3] = {0, 300, 400};
    const ehc_column column = {text, AT};
    uint32_t offsets[3];
    uint8_t id_lengths[2];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    CHECK(ehc_join_columns(&column, &column, &column, 2, out, offsets, id_lengths) == 1200);
    CHECK(id_lengths[0] == 255 && id_lengths[1] == 200);
    for (size_t k = 0; k < 3; k++) {
        CHECK(memcmp(out + 300 * k, text, 300) == 0);
        CHECK(memcmp(out + 900 + 100 * k, text + 300, 100) == 0);
    }
    CHECK(ehc_join_columns(&column, &column, &column, 0, out, offsets, id_lengths) == 0 && offsets[0] == 0);
}

/* One row alone: is it packed, and as its cells joined? */
static int is_packed(const char *kind, const char *number, const char *person)
{
    const char *const cells[3] = {kind, number, person};
    ehc_column column[3];
    int32_t ends[3][2];
    uint32_t offsets[2];
    uint8_t out[400], id_length, status;
    char joined[400];
    for (size_t c = 0; c < 3; c++) {
        ends[c][0] = 0;
        ends[c][1] = (int32_t)strlen(cells[c]);
        column[c] = (ehc_column){(const uint8_t *)cells[c], ends[c]};
    }
    size_t irregular = ehc_pack_columns(&column[0], &column[1], &column[2], 1, out, offsets, &id_length, &status);
    int length = snprintf(joined, sizeof joined, "%s%s%s", kind, number, person);
    CHECK(irregular == (status != EHC_OK));
    CHECK(irregular || (offsets[1] == (uint32_t)length && memcmp(out, joined, (size_t)length) == 0));
    return irregular == 0;
}

static void types(void)
{
    CHECK(is_packed("99", "A1", "测试") && is_packed("08", "A1", "测试"));
    CHECK(!is_packed("09", "A1", "测试") && !is_packed("98", "A1", "测试") && !is_packed("00", "A1", "测试"));
    CHECK(!is_packed("x3", "A1", "测试") && !is_packed("0x", "A1", "测试") && !is_packed("003", "A1", "测试"));
}

static void numbers(void)
{
    CHECK(is_packed("03", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0189", "测试"));
    CHECK(!is_packed("03", "ABCDEFGHIJKLMNOPQRSTUVWXYZ01890", "测试"));
    CHECK(!is_packed("03", "", "测试") && !is_packed("03", "a", "测试") && !is_packed("03", "A-1", "测试"));
    CHECK(!is_packed("03", "[", "测试") && !is_packed("01", "1101002017122500", "测试"));
}

/* Resident ids of every leading digit, century, month and day near an edge, with the check character that makes them
 * right. */
static void resident_ids(void)
{
    enum { PLAIN = 6 };
    static const char *const BODIES[] = {
        "11010019171225006", "11010020170228006", "11010020170430006", "11010020170731006", "11010020170831006",
        "11010020171231006", "11010020160229006", "11010020170431006", "11010020170631006", "11010020170931006",
        "11010020171131006", "01010020171225006", "11010018171225006", "11010021171225006", "11010020170025006",
        "11010020171325006", "11010020171200006", "11010020171232006", "1101002017122500A"};
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        char number[19];
        int packed = 0;
        for (size_t k = 0; k < 11; k++) {
            snprintf(number, sizeof number, "%s%c", BODIES[i], "0123456789X"[k]);
            packed += is_packed("01", number, "测试");
        }
        CHECK(packed == (i < PLAIN));
    }
}

static void names(void)
{
    char fifty[152] = "";
    for (size_t i = 0; i < 50; i++)
        memcpy(fifty + 3 * i, "测", 4);
    CHECK(is_packed("03", "A1", fifty));
    memcpy(fifty + 150, "1", 2);
    CHECK(!is_packed("03", "A1", fifty));
    CHECK(is_packed("03", "A1", "一龥") && is_packed("03", "A1", "Test Person 2") && is_packed("03", "A1", "阿·测"));
    static const char *const REFUSED[] = {
        "",       "12",         "\xE4\xB7\xBF", "\xE9\xBE\xA6", "\xE5\x41\x80", "\xE5\x80\x41",
        "测\xC2", "测\xC2\xB8", " 测",          "测 ",          "测  试",       "测-试",
        "@",      "测\x7F",
    };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        CHECK(!is_packed("03", "A1", REFUSED[i]));
}

void test_columns(void)
{
    types();
    numbers();
    resident_ids();
    names();

    guarded rooms[4];
    ehc_column type, number, name;
    int32_t type_offsets[ROWS + 1], number_offsets[ROWS + 1], name_offsets[ROWS + 1];
    uint32_t offsets[ROWS + 1];
    uint8_t id_lengths[ROWS], status[ROWS];
    size_t total = fill(TYPES, &rooms[0], type_offsets, &type) + fill(NUMBERS, &rooms[1], number_offsets, &number) +
                   fill(NAMES, &rooms[2], name_offsets, &name);
    rooms[3] = guarded_room(total);
    uint8_t *out = rooms[3].last - total;

    CHECK(ehc_pack_columns(&type, &number, &name, ROWS, out, offsets, id_lengths, status) == 4);
    CHECK(offsets[0] == 0);
    for (size_t i = 0; i < ROWS; i++) {
        char row[100] = "";
        if (REGULAR[i])
            snprintf(row, sizeof row, "%s%s%s", TYPES[i], NUMBERS[i], NAMES[i]);
        CHECK(status[i] == (REGULAR[i] ? EHC_OK : EHC_ROW_IRREGULAR));
        CHECK(id_lengths[i] == (REGULAR[i] ? strlen(TYPES[i]) + strlen(NUMBERS[i]) : 0));
        CHECK(offsets[i + 1] - offsets[i] == strlen(row));
        CHECK(memcmp(out + offsets[i], row, strlen(row)) == 0);
    }
    CHECK(ehc_pack_columns(&type, &number, &name, 0, out, offsets, id_lengths, status) == 0);
    check_join(&type, &number, &name, total);
    check_join_of_long_texts();
    for (size_t k = 0; k < 4; k++)
        guarded_release(&rooms[k]);
}
