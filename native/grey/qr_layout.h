// qr_layout.h: where everything stands in a QR symbol (GB/T 18284, ISO/IEC 18004): versions, function patterns, the order
// of the data modules, masks, blocks, format and version information. No state but tables made once a version.
#pragma once

#include "probes.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace ehc::grey {

constexpr int last_version = 40;
constexpr int size_of(int version) noexcept
{
    return 17 + 4 * version;
} // modules a side

enum class Module : std::uint8_t { data, light, dark, format, version };

enum class Level : std::uint8_t { m, l, h, q }; // as the format information numbers them

/// Sigma, modules: between a sharp photo and one that is just readable, and of one that is out of focus.
constexpr std::array<float, 2> blurs = {0.5F, 0.8F};

struct Layout {
    int version, size;
    std::vector<Module> modules;      // size * size, rows from the top
    std::vector<std::uint16_t> order; // module of each data bit, first bit of the first codeword first
    std::vector<float> known;         // of each module: 1 dark, -1 light, 0 not known before it is read
    std::array<std::unique_ptr<const Pattern>, 2> patterns; // of the known ones, through each of `blurs`
    std::array<std::array<std::uint16_t, 15>, 2> format;    // modules of its bits, most significant first, both copies
    std::array<std::array<std::uint16_t, 18>, 2> info;      // of the version information; only from version 7 on
    std::vector<int> alignment; // coordinates of the middles of alignment patterns, both axes

    Module at(int x, int y) const noexcept { return modules[static_cast<std::size_t>(y * size + x)]; }
};

/// version: 1 .. last_version. Made at the first call, the same object ever after; safe between threads.
const Layout &layout_of(int version);

/// Whether mask (0 .. 7) inverts the module in row y, column x.
bool masked(int mask, int x, int y) noexcept;

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
