/* fuzz_columns.c: three columns of anything. A packed row is its three cells joined, an irregular one is empty, and a row
 * is what it is alone. The first byte is the number of rows; then each has three bytes, the lengths of its cells. */
#include "fuzz.h"

enum { MOST = 100, COLUMNS = 3 };

typedef struct {
    size_t n, size;
    uint8_t *data[COLUMNS];
    int32_t *offsets[COLUMNS];
    ehc_column column[COLUMNS];
} table;

static table take_table(fuzz_input *in)
{
    table t = {.n = fuzz_byte(in) % MOST};
    for (size_t c = 0; c < COLUMNS; c++) {
        t.offsets[c] = fuzz_room((t.n + 1) * sizeof *t.offsets[c]);
        t.offsets[c][0] = 0;
    }
    for (size_t i = 0; i < t.n; i++)
        for (size_t c = 0; c < COLUMNS; c++) {
            unsigned length = fuzz_byte(in);
            t.offsets[c][i + 1] = t.offsets[c][i] + (int32_t)length;
        }
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t size = (size_t)t.offsets[c][t.n];
        t.data[c] = fuzz_room(size);
        for (size_t k = 0; k < size; k++)
            t.data[c][k] = (uint8_t)fuzz_byte(in);
        t.column[c] = (ehc_column){t.data[c], t.offsets[c]};
        t.size += size;
    }
    return t;
}

static size_t cell_length(const table *t, size_t c, size_t row)
{
    return (size_t)(t->offsets[c][row + 1] - t->offsets[c][row]);
}

static void expect_row(const table *t, size_t row, const uint8_t *packed)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t length = cell_length(t, c, row);
        EXPECT(length == 0 || memcmp(packed, t->data[c] + t->offsets[c][row], length) == 0);
        packed += length;
    }
}

static int is_packed_alone(const table *t, size_t row)
{
    ehc_column one[COLUMNS];
    uint32_t offsets[2];
    uint8_t id_length, status;
    size_t size = 0;
    for (size_t c = 0; c < COLUMNS; c++) {
        one[c] = (ehc_column){t->data[c], t->offsets[c] + row};
        size += cell_length(t, c, row);
    }
    uint8_t *out = fuzz_room(size);
    size_t irregular = ehc_pack_columns(&one[0], &one[1], &one[2], 1, out, offsets, &id_length, &status);
    EXPECT(irregular == (status != EHC_OK));
    EXPECT(offsets[0] == 0 && offsets[1] == (irregular ? 0 : size));
    free(out);
    return irregular == 0;
}

static void expect_packed(const table *t)
{
    uint8_t *out = fuzz_room(t->size), *id_lengths = fuzz_room(t->n), *status = fuzz_room(t->n);
    uint32_t *offsets = fuzz_room((t->n + 1) * sizeof *offsets);
    size_t irregular = 0, found = ehc_pack_columns(&t->column[0], &t->column[1], &t->column[2], t->n, out, offsets,
                                                   id_lengths, status);
    EXPECT(offsets[0] == 0);
    for (size_t i = 0; i < t->n; i++) {
        size_t id_length = cell_length(t, 0, i) + cell_length(t, 1, i), length = id_length + cell_length(t, 2, i);
        int regular = is_packed_alone(t, i);
        EXPECT(status[i] == (regular ? EHC_OK : EHC_ROW_IRREGULAR));
        EXPECT(offsets[i + 1] - offsets[i] == (regular ? length : 0));
        EXPECT(id_lengths[i] == (regular ? id_length : 0));
        if (regular)
            expect_row(t, i, out + offsets[i]);
        irregular += !regular;
    }
    EXPECT(found == irregular);
    free(out);
    free(id_lengths);
    free(status);
    free(offsets);
}

static void expect_joined(const table *t)
{
    uint8_t *out = fuzz_room(t->size + EHC_JOIN_SLACK), *id_lengths = fuzz_room(t->n);
    uint32_t *offsets = fuzz_room((t->n + 1) * sizeof *offsets);
    size_t written = ehc_join_columns(&t->column[0], &t->column[1], &t->column[2], t->n, out, offsets, id_lengths);
    EXPECT(written == t->size && offsets[0] == 0 && offsets[t->n] == t->size);
    for (size_t i = 0; i < t->n; i++) {
        size_t id_length = cell_length(t, 0, i) + cell_length(t, 1, i);
        EXPECT(id_lengths[i] == (id_length < 255 ? id_length : 255));
        EXPECT(offsets[i + 1] - offsets[i] == id_length + cell_length(t, 2, i));
        expect_row(t, i, out + offsets[i]);
    }
    free(out);
    free(id_lengths);
    free(offsets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    table t = take_table(&in);
    expect_packed(&t);
    expect_joined(&t);
    for (size_t c = 0; c < COLUMNS; c++) {
        free(t.data[c]);
        free(t.offsets[c]);
    }
    return 0;
}
