// hanxin_layout.h: where everything stands in a symbol of Han Xin code 汉信码 (GB/T 21049, ISO/IEC 20830): versions, finder
// and alignment patterns, function information, the order of the data modules, masks and blocks.
#pragma once

#include "layout.h"

namespace ehc::grey {

constexpr int last_hanxin_version = 84;
constexpr int hanxin_size_of(int version) noexcept
{
    return 21 + 2 * version;
} // modules a side

void draw_hanxin(int version, Layout &out);

/// 28 bits of version, level (0 .. 3, that is L1 .. L4) and mask (0 .. 3), with their Reed-Solomon code over GF(16).
std::uint32_t function_information(int version, int level, int mask) noexcept;

/// Whether the module at (x, y) of a corner's seven by seven is dark, seen so that the corner of the symbol is at (0, 0).
/// Three corners have their square inside, the bottom left one has it outside: by that the turn is told.
constexpr bool hanxin_corner(int x, int y, bool square_outside) noexcept
{
    const int u = square_outside ? 6 - x : x, v = square_outside ? 6 - y : y;
    return (u < v ? u : v) % 2 == 0 || (u >= 4 && v >= 4);
}

} // namespace ehc::grey
