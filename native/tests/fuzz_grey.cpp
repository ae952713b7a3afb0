// fuzz_grey.cpp: the grey core and the finder on any pixels, corners and versions (libFuzzer). The first byte is the
// version that is said, the second the way: drawn modules (so that real symbols are mutated), or any pixels at all.
#include "finder.h"
#include "reed_solomon.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace ehc::grey;

namespace {

void expect(bool condition, const char *what)
{
    if (!condition) {
        std::fprintf(stderr, "not true: %s\n", what);
        std::abort();
    }
}

struct Input {
    const std::uint8_t *at;
    std::size_t left;

    unsigned byte()
    {
        if (left == 0)
            return 0;
        --left;
        return *at++;
    }
};

void check(const Found &found, int frames)
{
    expect(found.symbol.version >= 1 && found.symbol.version <= last_version, "version");
    expect(found.symbol.unused >= spare_parity, "parity to spare");
    expect(found.symbol.evidence >= symbol_evidence, "evidence");
    expect(found.frames >= frames, "frames");
    for (const double corner : found.corners)
        expect(std::isfinite(corner), "corners");
}

/// Bits as modules of three pixels, with a quiet zone.
std::vector<std::uint8_t> drawn(Input &in, int modules, int side)
{
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 230);
    unsigned bits = 0, left = 0;
    for (int y = 0; y < modules; ++y)
        for (int x = 0; x < modules; ++x, --left, bits <<= 1) {
            if (left == 0)
                bits = in.byte(), left = 8;
            if (bits & 0x80)
                for (int i = 0; i < 9; ++i)
                    pixels[static_cast<std::size_t>((6 + 3 * y + i / 3) * side + 6 + 3 * x + i % 3)] = 25;
        }
    return pixels;
}

void block(Input &in)
{
    const int length = 2 + static_cast<int>(in.byte() % 254),
              parity = 1 + static_cast<int>(in.byte()) % std::min(length - 1, most_parity);
    std::vector<std::uint8_t> word(static_cast<std::size_t>(length));
    std::vector<float> doubt(word.size());
    for (std::size_t i = 0; i < word.size(); ++i)
        word[i] = static_cast<std::uint8_t>(in.byte()), doubt[i] = static_cast<float>(in.byte());
    Correction how;
    if (correct_softly(word.data(), doubt.data(), length, parity, 2, 16, how))
        expect(how.unused >= 2 || parity < 2, "spare");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Input in{data, size};
    const unsigned first = in.byte(); // the tables of large versions take a second under a sanitizer, each once
    const int said = first >= 250 ? last_version - static_cast<int>(first - 250) : static_cast<int>(first % 12);
    const unsigned way = in.byte();
    GreyCore core;
    if (way % 4 == 3) {
        const int modules = size_of(said ? std::min(said, 8) : 1), side = 3 * modules + 12;
        const auto pixels = drawn(in, modules, side);
        const Image image{pixels.data(), side, side, side};
        const double low = 5.5, high = side - 6.5;
        const Candidate candidate{{low, low, high, low, high, high, low, high}, said};
        for (int frame = 0; frame < 2; ++frame) {
            if (const auto found = core.read(image, candidate, 3000))
                check(*found, 1);
            if (const auto found = core.fuse())
                check(*found, 2);
        }
        for (const Candidate &found : locate(image, 3))
            (void)core.read(image, found, 1000);
    } else if (way % 4 == 2) {
        block(in);
    } else {
        const int width = 1 + static_cast<int>(in.byte() % 128), height = 1 + static_cast<int>(in.byte() % 128);
        const int gap = static_cast<int>(in.byte() % 3);
        Corners corners;
        for (double &corner : corners) {
            const auto value = static_cast<double>(static_cast<int>(in.byte() << 8 | in.byte()) - 32768);
            corner = value / 256;
        }
        const std::size_t bytes = static_cast<std::size_t>((width + gap) * (height - 1) + width);
        std::vector<std::uint8_t> pixels(bytes); // not a byte to spare, so that the sanitizer sees one step too far
        for (std::uint8_t &pixel : pixels)
            pixel = static_cast<std::uint8_t>(in.byte());
        const Image image{pixels.data(), width, height, width + gap};
        if (const auto found = core.read(image, {corners, said}, 1000))
            check(*found, 1);
        for (const Candidate &found : locate(image, 3))
            (void)core.read(image, found, 1000);
    }
    return 0;
}
