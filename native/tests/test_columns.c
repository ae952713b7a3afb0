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
    for (size_t k = 0; k < 4; k++)
        guarded_release(&rooms[k]);
}
