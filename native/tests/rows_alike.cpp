// rows_alike.cpp: the rows of every instruction set give the bytes of the portable ones, at sizes around their vectors,
// from any address, and write nothing beyond. Prints the sets it compared. Run by tests/native/test_frame_rows.py.
#include "rows.h"

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace ehc::frame;
using byte = std::uint8_t;

namespace {

unsigned seed = 1;

unsigned random_bits()
{
    return seed = seed * 1664525U + 1013904223U;
}

/// Values of any kind in a block of their own, `from` of them before the first: a sanitizer sees one step too far.
template <class T> struct Block {
    std::vector<T> values;
    std::size_t from;

    Block(int count, int offset)
        : values(static_cast<std::size_t>(count + offset)), from(static_cast<std::size_t>(offset))
    {
        for (T &value : values) {
            const unsigned bits = random_bits() >> 13;
            value = static_cast<T>(bits % 5 == 0 ? 255 : bits % 5 == 1 ? 0 : bits % 251); // the ends, too
        }
    }

    T *at() { return values.data() + from; }
};

template <class T> void same(const Rows &set, const char *what, int count, const Block<T> &is, const Block<T> &should)
{
    if (is.values != should.values) {
        std::printf("%s: %s of %d is not that of the portable rows\n", set.name, what, count);
        std::exit(1);
    }
}

void compare(const Rows &set, int n, int offset)
{
    Block<byte> above(2 * n, offset), here(2 * n, offset + 1), below(2 * n, offset + 2);
    Block<std::uint16_t> sums(2 * n, offset);
    const auto alike = [&](const char *what, auto out, auto work) { // work(rows, out) by either, from the same state
        auto expected = out;
        work(rows_portable, expected.at()), work(set, out.at());
        same(set, what, n, out, expected);
    };
    alike("squares", Block<std::uint16_t>(n, offset),
          [&](const Rows &by, std::uint16_t *out) { by.squares(above.at(), below.at(), n, out); });
    alike("add_squares", Block<std::uint16_t>(n, offset),
          [&](const Rows &by, std::uint16_t *out) { by.add_squares(above.at(), below.at(), n, out); });
    Block<std::uint16_t> three(3 * n, offset);
    alike("sum_triples", Block<std::uint16_t>(n, offset),
          [&](const Rows &by, std::uint16_t *out) { by.sum_triples(three.at(), n, out); });
    for (const int shift : {2, 4, 6})
        alike("means_of_threes", Block<byte>(n, offset),
              [&](const Rows &by, byte *out) { by.means_of_threes(three.at(), n, shift, out); });
    alike("sum_pairs", Block<std::uint16_t>(n, offset),
          [&](const Rows &by, std::uint16_t *out) { by.sum_pairs(sums.at(), n, out); });
    for (int shift = 1; shift < 8; ++shift)
        alike("means", Block<byte>(n, offset), [&](const Rows &by, byte *out) { by.means(sums.at(), n, shift, out); });
    alike("add_differences", Block<std::int16_t>(n, offset),
          [&](const Rows &by, std::int16_t *out) { by.add_differences(above.at(), here.at(), n, out); });
    Block<byte> least(n, offset), most(n, offset), least_too = least, most_too = most;
    rows_portable.add_extremes(here.at(), n, least.at(), most.at());
    set.add_extremes(here.at(), n, least_too.at(), most_too.at());
    same(set, "add_extremes least", n, least_too, least);
    same(set, "add_extremes most", n, most_too, most);
    alike("fold_least", Block<byte>(n, offset), [&](const Rows &by, byte *out) { by.fold_least(above.at(), n, out); });
    alike("fold_most", Block<byte>(n, offset), [&](const Rows &by, byte *out) { by.fold_most(above.at(), n, out); });
    alike("lighter", Block<byte>(n, offset),
          [&](const Rows &by, byte *out) { by.lighter(here.at(), below.at(), n, out); });
    Block<byte> wide_above(6 * n, offset), wide_below(6 * n, offset + 1);
    alike("means_of_sixes", Block<byte>(n, offset),
          [&](const Rows &by, byte *out) { by.means_of_sixes(wide_above.at(), wide_below.at(), n, out); });
    alike("means_of_fours", Block<byte>(n, offset),
          [&](const Rows &by, byte *out) { by.means_of_fours(wide_above.at(), wide_below.at(), n, out); });
    Block<std::int32_t> across(n, offset), down(n, offset), both(n, offset);
    Block<std::int32_t> across_too = across, down_too = down, both_too = both;
    rows_portable.add_changes(above.at(), here.at(), below.at(), n, across.at(), down.at(), both.at());
    set.add_changes(above.at(), here.at(), below.at(), n, across_too.at(), down_too.at(), both_too.at());
    same(set, "add_changes across", n, across_too, across);
    same(set, "add_changes down", n, down_too, down);
    same(set, "add_changes both", n, both_too, both);
}

} // namespace

int main()
{
    const Rows &set = rows(), &ours = rows_for(~0U, nullptr);
    if (&rows_for(0, nullptr) != &rows_portable || &rows_for(~0U, "portable_ct") != &rows_portable ||
        &rows_for(~0U, "vaes") != &ours || &rows() != &set)
        return 1;
    for (int n = 0; n <= 2 * 64 + 1; ++n) // lanes are 16, 32 or 64 bytes
        for (int offset = 0; offset < 3; ++offset)
            compare(set, n, offset);
    compare(set, 1921, 1);
    std::printf("%s\n", set.name);
}
