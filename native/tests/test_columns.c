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

void test_columns(void)
{
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
