// fuzz_grey.cpp: the grey core on any pixels, corners and versions (libFuzzer). The first byte chooses the part: most
// inputs go to one step alone, few through all of them; EHC_FUZZ_PART=k in the environment keeps to one, so that each is
// fuzzed at its own speed (microseconds to milliseconds an input). Parts that take a symbol take its modules as bits, so
// that mutations of real ones get past the steps before. Parts from 32 on are those of Han Xin code.
#include "finder.h"
#include "fuzz_input.h"
#include "hanxin_content.h"
#include "hanxin_finder.h"
#include "hanxin_layout.h"
#include "outline.h"
#include "qr_content.h"
#include "qr_layout.h"
#include "reed_solomon.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace ehc::grey;

namespace {

constexpr int module_pixels = 3, quiet = 4; // of what is drawn

/// Versions 1 to 5; now and then a large one, whose tables take a second under a sanitizer, each once.
int version_of(Input &in, Symbology symbology)
{
    const unsigned said = in.byte();
    return said >= 254 ? last_version_of(symbology) - static_cast<int>(said - 254) : 1 + static_cast<int>(said % 5);
}

void check(const Symbol &symbol)
{
    expect(symbol.version >= 1 && symbol.version <= last_version_of(symbol.symbology), "version");
    expect(symbol.unused >= spare_parity, "parity to spare");
    expect(symbol.evidence >= symbol_evidence, "evidence");
    const auto size = static_cast<std::size_t>(size_of(symbol.symbology, symbol.version));
    expect(symbol.modules.size() == size * size, "modules");
}

void check(const std::optional<Found> &found, int frames)
{
    if (!found)
        return;
    check(found->symbol);
    expect(found->frames >= frames, "frames");
    for (const double corner : found->corners)
        expect(std::isfinite(corner), "corners");
}

void check(const std::vector<Candidate> &candidates, std::size_t most)
{
    expect(candidates.size() <= most, "as many as were asked for");
    for (const Candidate &one : candidates) {
        expect(one.version >= 0 && one.version <= last_version_of(one.symbology), "version of a candidate");
        for (const double corner : one.corners)
            expect(std::isfinite(corner), "corners of a candidate");
    }
}

void block(Input &in, Symbology symbology)
{
    const int length = 2 + static_cast<int>(in.byte() % 254),
              parity = 1 + static_cast<int>(in.byte()) % std::min(length - 1, most_parity);
    std::vector<std::uint8_t> word(static_cast<std::size_t>(length));
    std::vector<float> doubt(word.size());
    for (std::size_t i = 0; i < word.size(); ++i)
        word[i] = static_cast<std::uint8_t>(in.byte()), doubt[i] = static_cast<float>(in.byte());
    Correction how;
    if (correct_softly(word.data(), doubt.data(), length, parity, 2, 16, how,
                       symbology == Symbology::qr ? qr_code : hanxin_code))
        expect(how.unused >= 2 || parity < 2, "spare");
}

void content(Input &in, Symbology symbology)
{
    const int version = 1 + static_cast<int>(in.byte() % last_version);
    const std::vector<std::uint8_t> data(in.at, in.at + in.left); // not a byte to spare
    if (symbology == Symbology::hanxin) {
        HanxinMessage message;
        if (read_hanxin_message(data.data(), static_cast<int>(data.size()), message))
            expect(!message.bytes.empty() && message.unknown == 0, "a message");
        for (const auto &one : message.designators)
            expect(one.from <= message.bytes.size(), "a designator's place");
        return;
    }
    (void)is_whole_message(data.data(), static_cast<int>(data.size()), version);
}

/// Bits with more and less doubt, some of them no number.
void bits(Input &in, Symbology symbology)
{
    const Layout &layout = layout_of(symbology, version_of(in, symbology));
    const unsigned doubt = in.byte();
    std::vector<float> soft(layout.known.size());
    unsigned eight = 0, left = 0;
    for (float &one : soft) {
        if (left == 0)
            eight = in.byte(), left = 8;
        one = eight & 0x80 ? 1.0F : -1.0F;
        --left, eight <<= 1;
    }
    for (std::size_t i = 0; doubt && i < soft.size(); i += doubt)
        soft[i] = doubt == 255 ? std::nanf("") : 0.01F * soft[i];
    Symbol symbol;
    if (decode(layout, soft.data(), symbol))
        check(symbol);
}

struct Picture {
    std::vector<std::uint8_t> pixels; // not a byte to spare, so that the sanitizer sees one step too far
    Image image;
};

Picture any_pixels(Input &in)
{
    const int width = 1 + static_cast<int>(in.byte() % 96), height = 1 + static_cast<int>(in.byte() % 96);
    const int gap = static_cast<int>(in.byte() % 3);
    Picture out{std::vector<std::uint8_t>(static_cast<std::size_t>((width + gap) * (height - 1) + width)), {}};
    for (std::uint8_t &pixel : out.pixels)
        pixel = static_cast<std::uint8_t>(in.byte());
    out.image = {out.pixels.data(), width, height, width + gap};
    return out;
}

/// Bits as the modules of a version, with a quiet zone.
Picture drawn(Input &in, Symbology symbology, int version)
{
    const int modules = size_of(symbology, version), side = module_pixels * (modules + 2 * quiet);
    Picture out{std::vector<std::uint8_t>(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), 230), {}};
    unsigned eight = 0, left = 0;
    for (int y = quiet; y < quiet + modules; ++y)
        for (int x = quiet; x < quiet + modules; ++x, --left, eight <<= 1) {
            if (left == 0)
                eight = in.byte(), left = 8;
            for (int i = 0; eight & 0x80 && i < module_pixels; ++i)
                std::memset(&out.pixels[static_cast<std::size_t>((module_pixels * y + i) * side + module_pixels * x)],
                            25, module_pixels);
        }
    out.image = {out.pixels.data(), side, side, side};
    return out;
}

Candidate of_drawn(const Image &image, Symbology symbology, int said)
{
    const double low = module_pixels * quiet - 0.5, high = image.width - 1 - low;
    return {{low, low, high, low, high, high, low, high}, said, symbology};
}

/// microseconds: 0 ends with the first look.
void symbol(Input &in, Symbology symbology, double microseconds, bool fused)
{
    const int version = version_of(in, symbology), said = in.byte() % 2 ? version : 0;
    const Picture picture = drawn(in, symbology, std::min(version, 5));
    GreyCore core;
    for (int frame = 0; frame < (fused ? 2 : 1); ++frame) {
        check(core.read(picture.image, of_drawn(picture.image, symbology, said), microseconds), 1);
        if (fused)
            check(core.fuse(), 2);
    }
}

void anywhere(Input &in, Symbology symbology)
{
    const int said = in.byte() % 4 ? version_of(in, symbology) : 0;
    Corners corners;
    for (double &corner : corners)
        corner = static_cast<double>(static_cast<int>(in.byte() << 8 | in.byte()) - 32768) / 256;
    const Picture picture = any_pixels(in);
    GreyCore core;
    check(core.read(picture.image, {corners, said, symbology}, 0), 1);
}

void search(Input &in, Symbology symbology, bool outline)
{
    const unsigned way = in.byte();
    const Picture picture = way % 2 ? drawn(in, symbology, 1 + static_cast<int>(way / 2 % 3)) : any_pixels(in);
    if (symbology == Symbology::qr)
        check(outline ? outlines(picture.image, 3) : locate(picture.image, 3), 3);
    else
        check(outline ? hanxin_outlines(picture.image, 3) : locate_hanxin(picture.image, 3), 3);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const char *const only = std::getenv("EHC_FUZZ_PART");
    Input in{data, size};
    const unsigned said = in.byte(), any = (only ? static_cast<unsigned>(std::atoi(only)) : said) % 64, part = any % 32;
    const Symbology symbology = any < 32 ? Symbology::qr : Symbology::hanxin;
    if (part == 0)
        symbol(in, symbology, 1500, true);
    else if (part < 3)
        symbol(in, symbology, 0, false);
    else if (part < 6)
        anywhere(in, symbology);
    else if (part < 10)
        search(in, symbology, part == 9);
    else if (part < 16)
        block(in, symbology);
    else if (part < 22)
        content(in, symbology);
    else
        bits(in, symbology);
    return 0;
}
