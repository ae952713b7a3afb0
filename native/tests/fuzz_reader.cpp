// fuzz_reader.cpp: libehcreader.so's functions on any text, any frame and any numbers (libFuzzer). The first byte chooses
// what is called; what the header promises of an answer must be true of it.
#include "ehc_reader.h"
#include "fuzz_input.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

/// Mostly small, sometimes anything.
std::uint32_t number_of(Input &in)
{
    const unsigned way = in.byte();
    const std::uint32_t small = in.byte(), large = small << 24 | in.byte() << 16 | in.byte() << 8 | in.byte();
    return way % 4 ? small % 48 : large;
}

bool ends(const char *text, std::size_t room)
{
    return std::memchr(text, 0, room) != nullptr;
}

/// The text in memory of its own length, so that the sanitizer sees one byte too far.
std::vector<char> text_of(Input &in)
{
    return {in.at, in.at + in.left};
}

void parse(Input &in)
{
    const std::vector<char> text = text_of(in);
    ehc_reader_payload out;
    std::memset(&out, 0xA5, sizeof out);
    const int status = ehc_reader_parse(text.data() ? text.data() : "", text.size(), &out);
    expect(status == EHC_READER_OK || (status >= EHC_READER_LENGTH && status <= EHC_READER_GRAMMAR), "status");
    expect((status == EHC_READER_OK) == (out.form != 0), "a form is a health card's");
    expect(status != EHC_READER_OK || out.what == EHC_READER_WHAT_HEALTH_CARD, "what was accepted is a health card");
    expect(out.what >= 0 && out.what <= EHC_READER_WHAT_OTHER, "what");
    expect(ends(out.card_id, sizeof out.card_id) && ends(out.token, sizeof out.token), "texts end");
    expect(ends(out.organisation, sizeof out.organisation) && ends(out.prefix, sizeof out.prefix), "texts end");
    expect(out.error_offset <= text.size(), "the place is in the text");
    expect(*ehc_reader_sentence(out.what, EHC_READER_CHINESE) != 0, "a sentence");
}

ehc_reader *trusting()
{
    static const std::uint8_t key[64] = {
        // the issuer's of tests/reader/signed_lists.py
        0x46, 0xd1, 0x08, 0x6f, 0x6e, 0x5c, 0x93, 0x84, 0x47, 0xf0, 0x52, 0x80, 0xdb, 0x70, 0x7c, 0x27,
        0x9a, 0x7b, 0x45, 0x9c, 0x38, 0xf1, 0x9e, 0x4d, 0x9a, 0x30, 0xad, 0x2d, 0xad, 0xf9, 0xf2, 0x8a,
        0xf4, 0x5f, 0xc1, 0xdc, 0x5b, 0x37, 0x77, 0x36, 0xb5, 0x7e, 0x97, 0xe7, 0xe0, 0x56, 0x3c, 0xcc,
        0xa2, 0x4c, 0x97, 0xf4, 0x40, 0xe1, 0xd1, 0x37, 0xe5, 0x94, 0x1d, 0x84, 0xd2, 0xeb, 0x43, 0xc9,
    };
    ehc_reader *reader = nullptr;
    expect(ehc_reader_open(EHC_READER_API, &reader) == EHC_READER_OK, "open");
    const int status = ehc_reader_trust(reader, 440100, 1, key);
    expect(status == EHC_READER_OK || status == EHC_READER_E_LIBCRYPTO, "trust");
    return reader;
}

void check(Input &in)
{
    static ehc_reader *const reader = trusting();
    std::uint8_t serial[10] = {};
    const std::int64_t now = static_cast<std::int64_t>(number_of(in)) << (in.byte() % 32);
    const std::vector<char> text = text_of(in);
    ehc_reader_verdict out;
    std::memset(&out, 0x5A, sizeof out);
    const int status = ehc_reader_check(reader, text.data() ? text.data() : "", text.size(), now, 60, &out);
    expect(status != EHC_READER_E_ARGUMENT, "no argument was wrong");
    expect(out.step >= 0 && out.step <= 6, "step");
    expect(status != EHC_READER_OK || out.step == 0, "accepted at no step");
    expect(status != EHC_READER_OK || std::memcmp(out.serial, serial, sizeof serial) != 0, "accepted has a serial");
}

void lists(Input &in)
{
    ehc_reader *reader = nullptr;
    expect(ehc_reader_open(EHC_READER_API, &reader) == EHC_READER_OK, "open");
    while (in.left > 0) {
        std::uint8_t name[64];
        const unsigned way = in.byte();
        for (std::uint8_t &one : name)
            one = static_cast<std::uint8_t>(way & 8 ? in.byte() % 3 : in.byte());
        const int status = way % 4 == 0   ? ehc_reader_trust(reader, number_of(in), 1, name)
                           : way % 4 == 1 ? ehc_reader_revoke_alias(reader, name, static_cast<int>(number_of(in)))
                                          : ehc_reader_revoke(reader, name);
        expect(status == EHC_READER_OK || way % 4 == 0, "there is room for a few");
    }
    ehc_reader_close(reader);
}

struct Free {
    void operator()(ehc_reader_plane *plane) const { ehc_reader_plane_free(plane); }
};
using Plane = std::unique_ptr<ehc_reader_plane, Free>;

/// Filters one behind the other on a plane that is small, or whatever came of it.
void filters(Input &in, Plane &from)
{
    Plane to(ehc_reader_plane_new());
    for (int step = 0; step < 6 && in.left > 0; ++step) {
        std::uint32_t width = 0, height = 0;
        (void)ehc_reader_plane_pixels(from.get(), &width, &height);
        const unsigned way = in.byte();
        const int amount = static_cast<int>(in.byte()) - 8, offset = static_cast<int>(in.byte()) - 128;
        int status = EHC_READER_OK;
        switch (way % 6) {
        case 0:
            status = ehc_reader_half(to.get(), from.get());
            break;
        case 1:
            status = width * height < 40000 ? ehc_reader_twice(to.get(), from.get()) : EHC_READER_E_FRAME;
            break;
        case 2:
            status = ehc_reader_smooth(to.get(), from.get());
            break;
        case 3:
            status = ehc_reader_dilate(to.get(), from.get());
            break;
        case 4:
            status = ehc_reader_sharpen(to.get(), from.get(), amount);
            break;
        default:
            status = ehc_reader_binarise(to.get(), from.get(), amount, offset);
            break;
        }
        if (status == EHC_READER_OK)
            std::swap(from, to);
        else
            expect(status == EHC_READER_E_ARGUMENT || status == EHC_READER_E_FRAME, "status of a filter");
    }
}

void frame(Input &in)
{
    const int format = static_cast<int>(in.byte() % 8) - 1;
    const std::uint32_t width = number_of(in), height = number_of(in), stride = in.byte() % 2 ? number_of(in) : 0;
    const std::vector<std::uint8_t> data(in.at, in.at + in.left); // not a byte to spare
    static const std::uint8_t none = 0;
    Plane plane(ehc_reader_plane_new());
    const int status =
        ehc_reader_luma(plane.get(), data.empty() ? &none : data.data(), data.size(), format, width, height, stride);
    std::uint32_t w = 0, h = 0;
    const std::uint8_t *const pixels = ehc_reader_plane_pixels(plane.get(), &w, &h);
    expect((pixels != nullptr) == (w > 0 && h > 0), "pixels, or none");
    if (status == EHC_READER_OK && pixels != nullptr) {
        expect(w == width && h == height, "as large as was said");
        unsigned sum = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(w) * h; ++i)
            sum += pixels[i]; // all of them may be read
        expect(sum <= 255U * w * h, "levels");
    }
    if (status == EHC_READER_OK)
        filters(in, plane);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Input in{data, size};
    switch (in.byte() % 4) {
    case 0:
        parse(in);
        break;
    case 1:
        check(in);
        break;
    case 2:
        lists(in);
        break;
    default:
        frame(in);
        break;
    }
    return 0;
}
