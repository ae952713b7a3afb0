// qr_content.cpp: see qr_content.h. Clauses 7.3 to 7.4 of ISO/IEC 18004; Hanzi of GB/T 18284.
#include "qr_content.h"

#include "bits.h"

namespace ehc::grey {

namespace {

int width_of(int version, int small, int middle, int large) noexcept
{
    return version < 10 ? small : version < 27 ? middle : large;
}

bool numeric(Bits &bits, int version) noexcept
{
    unsigned count = bits.take(width_of(version, 10, 12, 14));
    bool good = count > 0;
    for (; count >= 3; count -= 3)
        good &= bits.take(10) < 1000;
    if (count == 2)
        good &= bits.take(7) < 100;
    else if (count == 1)
        good &= bits.take(4) < 10;
    return good;
}

bool alphanumeric(Bits &bits, int version) noexcept
{
    unsigned count = bits.take(width_of(version, 9, 11, 13));
    bool good = count > 0;
    for (; count >= 2; count -= 2)
        good &= bits.take(11) < 45 * 45;
    return count == 0 ? good : good && bits.take(6) < 45;
}

bool bytes(Bits &bits, int version) noexcept
{
    const int count = static_cast<int>(bits.take(width_of(version, 8, 16, 16)));
    if (count == 0 || 8 * count > bits.left())
        return false;
    for (int i = 0; i < count; ++i)
        bits.take(8);
    return true;
}

/// Two-byte characters in 13 bits, each below `most`.
bool characters(Bits &bits, int version, unsigned most) noexcept
{
    const unsigned count = bits.take(width_of(version, 8, 10, 12));
    bool good = count > 0;
    for (unsigned i = 0; i < count && !bits.bad(); ++i)
        good &= bits.take(13) < most;
    return good;
}

bool designator(Bits &bits) noexcept // of an extended channel interpretation
{
    if (bits.take(1) == 0)
        return bits.take(7) < 128;
    if (bits.take(1) == 0)
        return bits.take(14) < 16384;
    return bits.take(1) == 0 && bits.take(21) < 1000000;
}

bool padding(Bits &bits) noexcept
{
    if (bits.take(bits.to_codeword()) != 0)
        return false;
    unsigned pad = 0xEC, found = bits.left() > 0 ? bits.take(8) : pad;
    if (found == 0 && bits.left() > 0) // segno writes eight zero bits where none are missing to a codeword
        found = bits.take(8);
    for (;; found = bits.take(8), pad ^= 0xEC ^ 0x11) {
        if (found != pad)
            return false;
        if (bits.left() == 0)
            return true;
    }
}

enum class Segment { content, header, end, wrong };

Segment segment(Bits &bits, int version) noexcept
{
    if (bits.left() < 4) // a terminator may be cut short
        return bits.take(bits.left()) == 0 ? Segment::end : Segment::wrong;
    const auto content = [](bool good) { return good ? Segment::content : Segment::wrong; };
    const auto header = [](bool good) { return good ? Segment::header : Segment::wrong; };
    switch (bits.take(4)) {
    case 0:
        return Segment::end;
    case 1:
        return content(numeric(bits, version));
    case 2:
        return content(alphanumeric(bits, version));
    case 3: // structured append: place of 16, parity
        return header((bits.take(16), true));
    case 4:
        return content(bytes(bits, version));
    case 5: // FNC1 in first position
        return Segment::header;
    case 7:
        return header(designator(bits));
    case 8:
        return content(characters(bits, version, 0x1F00));
    case 9: // FNC1 in second position: an application indicator
        return header((bits.take(8), true));
    case 13:
        return content(bits.take(4) == 1 && characters(bits, version, 0x1E00));
    default:
        return Segment::wrong;
    }
}

} // namespace

bool is_whole_message(const std::uint8_t *data, int length, int version) noexcept
{
    Bits bits(data, length);
    bool any = false;
    for (;;) {
        const Segment found = segment(bits, version);
        if (found == Segment::wrong || bits.bad())
            return false;
        if (found == Segment::end)
            return any && padding(bits);
        any |= found == Segment::content;
    }
}

} // namespace ehc::grey
