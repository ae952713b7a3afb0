// soft_decode.h: the modules of a symbol as doubtful bits to a corrected symbol, or to nothing. Never a guess: what is
// accepted is a codeword in every block, with parity to spare, and a whole message.
#pragma once

#include "layout.h"

#include <vector>

namespace ehc::grey {

constexpr int spare_parity = 2;        // codewords a block that correct nothing and so check the rest
constexpr double block_evidence = 16;  // bits a block
constexpr double symbol_evidence = 32; // bits a symbol: one random word in 4e9 is accepted, before its message is read

struct Symbol {
    Symbology symbology;
    int version, level, mask;          // level: as the format numbers them
    int unused, parity;                // parity codewords unused in the block that needed most, and all of it
    double evidence;                   // bits, all blocks together
    std::vector<std::uint8_t> modules; // size * size, 1 dark, as they were meant
    std::vector<std::uint8_t> data;    // codewords
};

/// soft: of size * size modules, 1 dark .. -1 light; the nearer to 0, the more doubtful. False: not readable.
bool decode(const Layout &layout, const float *soft, Symbol &out);

/// Which of the layout's formats the soft ones are nearest to, and the second nearest; clear: how much nearer the first
/// is, 0 .. 1.
struct Format {
    std::size_t first, second;
    float clear;
};
Format format_of(const Layout &layout, const float *soft) noexcept;

} // namespace ehc::grey
