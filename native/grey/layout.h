// layout.h: where everything stands in a square symbol of modules, whatever its symbology: what of it is known before it
// is read, where its bits are, how they are masked, and how its codewords are divided into blocks.
#pragma once

#include "probes.h"
#include "reed_solomon.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace ehc::grey {

enum class Symbology : std::uint8_t { qr, hanxin };

enum class Module : std::uint8_t { data, light, dark, format, version };

/// Sigma, modules: between a sharp photo and one that is just readable, and of one that is out of focus.
constexpr std::array<float, 2> blurs = {0.5F, 0.8F};

struct Block {
    int data, parity; // codewords
};

/// Of a symbol's codewords into blocks, at a level.
struct Division {
    std::vector<Block> blocks;
    std::vector<std::uint16_t> order; // of each codeword of the symbol: its place in the blocks, one after the other
};

struct Layout {
    Symbology symbology;
    int version, size;
    std::vector<Module> modules;      // size * size, rows from the top
    std::vector<std::uint16_t> order; // module of each data bit, first bit of the first codeword first
    std::vector<float> known;         // of each module: 1 dark, -1 light, 0 not known before it is read
    std::array<std::unique_ptr<const Pattern>, 2> patterns; // of the known ones, through each of `blurs`

    std::array<std::vector<std::uint16_t>, 2> format; // modules of its bits, most significant first, both copies
    std::vector<std::uint32_t> formats;               // what they may say, by level * masks + mask
    std::array<std::vector<std::uint16_t>, 2> info;   // of QR's version information; empty where there is none
    std::uint32_t info_bits = 0;
    std::vector<int> alignment; // coordinates of the middles of QR's alignment patterns, both axes

    int masks = 0;
    bool (*masked)(int mask, int x, int y) noexcept = nullptr; // whether the module in row y, column x is inverted
    std::array<Division, 4> divisions;                         // by level, as the format numbers them
    const Code *code = nullptr;
    bool (*is_whole)(const std::uint8_t *data, int length, int version) = nullptr;

    Module at(int x, int y) const noexcept { return modules[static_cast<std::size_t>(y * size + x)]; }

    /// `known` and `patterns` from the modules.
    void know();
};

int last_version_of(Symbology symbology) noexcept;

/// Modules a side.
int size_of(Symbology symbology, int version) noexcept;

/// version: 1 .. last_version_of(symbology). Made at the first call, the same object ever after; safe between threads.
const Layout &layout_of(Symbology symbology, int version);

} // namespace ehc::grey
