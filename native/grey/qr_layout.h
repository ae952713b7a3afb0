// qr_layout.h: where everything stands in a QR symbol (GB/T 18284, ISO/IEC 18004): versions, function patterns, the order
// of the data modules, masks, blocks, format and version information. No state.
#pragma once

#include "layout.h"

namespace ehc::grey {

constexpr int last_version = 40;
constexpr int size_of(int version) noexcept
{
    return 17 + 4 * version;
} // modules a side

enum class Level : std::uint8_t { m, l, h, q }; // as the format information numbers them

void draw_qr(int version, Layout &out);

struct Blocks {
    int count, parity; // of each block, codewords
    int short_data;    // data codewords of the first blocks
    int long_count;    // blocks at the end with one data codeword more
    int total;         // codewords of the symbol
};

Blocks blocks_of(int version, Level level) noexcept;

/// 15 bits of level and mask, BCH code and its mask included. value: level << 3 | mask, 0 .. 31.
unsigned format_bits(unsigned value) noexcept;

/// 18 bits of a version, BCH code included. version: 7 .. last_version.
unsigned version_bits(unsigned version) noexcept;

} // namespace ehc::grey
