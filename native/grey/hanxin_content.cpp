// hanxin_content.cpp: see hanxin_content.h.
#include "hanxin_content.h"

#include "bits.h"

namespace ehc::grey {

namespace {

class Reading {
public:
    Reading(Bits &bits, HanxinMessage &out) : bits_(bits), out_(out) {}

    bool numeric()
    {
        constexpr unsigned one_digit = 1021, three_digits = 1023; // how many the last group has, and the end
        unsigned group = bits_.take(10);
        for (;;) {
            const unsigned next = bits_.take(10);
            if (bits_.bad())
                return false;
            const bool last = next >= one_digit && next <= three_digits;
            if (!digits(group, last ? next - one_digit + 1 : 3))
                return false;
            if (last)
                return true;
            group = next;
        }
    }

    bool text()
    {
        constexpr unsigned other = 62, end = 63;
        bool letters = true;
        for (;;) {
            const unsigned value = bits_.take(6);
            if (bits_.bad() || value == end)
                return !bits_.bad();
            if (value == other)
                letters = !letters;
            else
                put(letters ? letter(value) : mark(value));
        }
    }

    bool binary()
    {
        const int count = static_cast<int>(bits_.take(13));
        if (count == 0 || 8 * count > bits_.left())
            return false;
        for (int i = 0; i < count; ++i)
            put(bits_.take(8));
        return true;
    }

    /// The two regions of GB 2312, of which either may go over into the other.
    bool common(bool second)
    {
        constexpr unsigned other = 4094, end = 4095;
        out_.chinese = true;
        for (;;) {
            const unsigned value = bits_.take(12);
            if (bits_.bad() || value == end)
                return !bits_.bad();
            if (value == other)
                second = !second;
            else if (!(second ? second_region(value) : first_region(value)))
                return false;
        }
    }

    bool two_bytes()
    {
        constexpr unsigned trails = 190, gap = 0x7F - 0x40, end = 32767;
        out_.chinese = true;
        for (;;) {
            const unsigned value = bits_.take(15);
            if (bits_.bad() || value == end)
                return !bits_.bad();
            if (value >= trails * 126)
                return false;
            const unsigned trail = value % trails;
            put(0x81 + value / trails), put(0x40 + trail + (trail >= gap));
        }
    }

    bool four_bytes()
    {
        const unsigned value = bits_.take(21);
        if (bits_.bad() || value >= 126 * 12600)
            return false;
        out_.chinese = true;
        put(0x81 + value / 12600), put(0x30 + value / 1260 % 10), put(0x81 + value / 10 % 126), put(0x30 + value % 10);
        return true;
    }

    bool designator()
    {
        const bool seven = bits_.take(1) == 0, fourteen = !seven && bits_.take(1) == 0;
        if (!seven && !fourteen && bits_.take(1) != 0)
            return false;
        const unsigned charset = bits_.take(seven ? 7 : fourteen ? 14 : 21);
        out_.designators.push_back({out_.bytes.size(), charset});
        return !bits_.bad() && charset < 1000000;
    }

private:
    void put(unsigned byte) { out_.bytes.push_back(static_cast<std::uint8_t>(byte)); }

    bool digits(unsigned group, unsigned count)
    {
        if (group >= (count == 1 ? 10U : count == 2 ? 100U : 1000U))
            return false;
        if (count == 3)
            put('0' + group / 100);
        if (count >= 2)
            put('0' + group / 10 % 10);
        put('0' + group % 10);
        return true;
    }

    static unsigned letter(unsigned value) noexcept // Table 3: 0 .. 61
    {
        return value < 10 ? '0' + value : value < 36 ? 'A' + value - 10 : 'a' + value - 36;
    }

    static unsigned mark(unsigned value) noexcept // Table 4
    {
        return value < 28   ? value
               : value < 44 ? ' ' + value - 28
               : value < 51 ? ':' + value - 44
               : value < 57 ? '[' + value - 51
                            : '{' + value - 57;
    }

    bool first_region(unsigned value)
    {
        constexpr unsigned row = 94, hanzi = 40 * row, marks = hanzi + 3 * row, pinyin = marks + 32;
        if (value < hanzi)
            put(0xB0 + value / row), put(0xA1 + value % row);
        else if (value < marks)
            put(0xA1 + (value - hanzi) / row), put(0xA1 + (value - hanzi) % row);
        else if (value < pinyin)
            put(0xA8), put(0xA1 + value - marks);
        return value < pinyin;
    }

    bool second_region(unsigned value)
    {
        constexpr unsigned row = 94, hanzi = 32 * row;
        if (value < hanzi)
            put(0xD8 + value / row), put(0xA1 + value % row);
        return value < hanzi;
    }

    Bits &bits_;
    HanxinMessage &out_;
};

/// Whether the segment is as it must be.
bool segment(unsigned mode, Reading &reading)
{
    switch (mode) {
    case 1:
        return reading.numeric();
    case 2:
        return reading.text();
    case 3:
        return reading.binary();
    case 4:
    case 5:
        return reading.common(mode == 5);
    case 6:
        return reading.two_bytes();
    case 7:
        return reading.four_bytes();
    default:
        return reading.designator();
    }
}

} // namespace

bool read_hanxin_message(const std::uint8_t *data, int length, HanxinMessage &out)
{
    Bits bits(data, length);
    Reading reading(bits, out);
    while (bits.left() >= 4) {
        const unsigned mode = bits.take(4);
        if (mode == 0)
            break;
        if (mode > 8) {
            out.unknown = static_cast<int>(mode);
            return false;
        }
        if (!segment(mode, reading))
            return false;
    }
    while (bits.left() > 0)
        if (bits.take(1) != 0)
            return false;
    return !out.bytes.empty();
}

bool is_whole_hanxin_message(const std::uint8_t *data, int length, int)
{
    HanxinMessage message;
    return read_hanxin_message(data, length, message);
}

} // namespace ehc::grey
