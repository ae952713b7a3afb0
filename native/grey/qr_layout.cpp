// qr_layout.cpp: see qr_layout.h.
#include "qr_layout.h"

#include "qr_content.h"

#include <algorithm>
#include <cmath>

namespace ehc::grey {

namespace {

// Table 9 of the standard: parity codewords a block and blocks, by level (L, M, Q, H) and version.
constexpr std::uint8_t parity_of[4][last_version] = {
    {7,  10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
    {10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28},
    {13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
    {17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30},
};
constexpr std::uint8_t count_of[4][last_version] = {
    {1, 1, 1, 1,  1,  2,  2,  2,  2,  4,  4,  4,  4,  4,  6,  6,  6,  6,  7,  8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25},
    {1,  1,  1,  2,  2,  4,  4,  4,  5,  5,  5,  8,  9,  9,  10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49},
    {1,  1,  2,  2,  4,  4,  6,  6,  8,  8,  8,  10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68},
    {1,  1,  2,  4,  4,  4,  5,  6,  8,  8,  11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81},
};
constexpr int row_of_level[4] = {1, 0, 3, 2}; // of the two tables: Level::m, l, h, q

unsigned bch(unsigned value, unsigned generator, int check) noexcept
{
    unsigned rest = value << check;
    for (int bit = 31 - check; bit >= 0; --bit)
        if (rest >> (bit + check) & 1)
            rest ^= generator << bit;
    return value << check | rest;
}

class Drawing {
public:
    explicit Drawing(Layout &out) : out_(out), n_(out.size) {}

    void draw()
    {
        out_.modules.assign(static_cast<std::size_t>(n_ * n_), Module::data);
        for (int i = 0; i < n_; ++i)
            timing(i);
        finder(0, 0), finder(n_ - 7, 0), finder(0, n_ - 7);
        alignments();
        format();
        set(8, n_ - 8, Module::dark);
        if (out_.version >= 7)
            info();
        order();
    }

private:
    void set(int x, int y, Module value) { out_.modules[static_cast<std::size_t>(y * n_ + x)] = value; }
    std::uint16_t index(int x, int y) const { return static_cast<std::uint16_t>(y * n_ + x); }

    void timing(int i)
    {
        const Module value = i % 2 == 0 ? Module::dark : Module::light;
        set(i, 6, value), set(6, i, value);
    }

    void finder(int left, int top) // with its separator
    {
        for (int y = std::max(top - 1, 0); y <= std::min(top + 7, n_ - 1); ++y)
            for (int x = std::max(left - 1, 0); x <= std::min(left + 7, n_ - 1); ++x) {
                const int ring = std::max(std::abs(x - left - 3), std::abs(y - top - 3));
                set(x, y, ring == 2 || ring == 4 ? Module::light : Module::dark);
            }
    }

    void alignments()
    {
        if (out_.version == 1)
            return;
        const int count = out_.version / 7 + 2;
        const int step = out_.version == 32 ? 26 : (out_.version * 4 + count * 2 + 1) / (count * 2 - 2) * 2;
        out_.alignment.assign(static_cast<std::size_t>(count), 6);
        for (int i = count - 1, at = n_ - 7; i > 0; --i, at -= step)
            out_.alignment[static_cast<std::size_t>(i)] = at;
        for (const int y : out_.alignment)
            for (const int x : out_.alignment)
                if (!(x == 6 && y == 6) && !(x == 6 && y == n_ - 7) && !(x == n_ - 7 && y == 6))
                    alignment(x, y);
    }

    void alignment(int cx, int cy)
    {
        for (int y = -2; y <= 2; ++y)
            for (int x = -2; x <= 2; ++x)
                set(cx + x, cy + y, std::max(std::abs(x), std::abs(y)) == 1 ? Module::light : Module::dark);
    }

    void format()
    {
        for (int i = 0; i < 15; ++i) {
            const int x1 = i < 6 ? i : i < 7 ? 7 : 8, y1 = i < 8 ? 8 : i == 8 ? 7 : 14 - i;
            const int x2 = i < 7 ? 8 : n_ - 15 + i, y2 = i < 7 ? n_ - 1 - i : 8;
            out_.format[0].push_back(index(x1, y1)), out_.format[1].push_back(index(x2, y2));
            set(x1, y1, Module::format), set(x2, y2, Module::format);
        }
    }

    void info()
    {
        out_.info_bits = version_bits(static_cast<unsigned>(out_.version));
        for (int i = 0; i < 18; ++i) { // most significant bit first: the last place of the standard's figure
            const int near = (17 - i) / 3, far = n_ - 11 + (17 - i) % 3;
            out_.info[0].push_back(index(far, near)), out_.info[1].push_back(index(near, far));
            set(far, near, Module::version), set(near, far, Module::version);
        }
    }

    void order()
    {
        bool up = true;
        for (int right = n_ - 1; right > 0; right -= 2, up = !up) {
            if (right == 6)
                --right; // the column of the timing pattern
            for (int i = 0; i < n_; ++i)
                for (int x = right; x > right - 2; --x) {
                    const int y = up ? n_ - 1 - i : i;
                    if (out_.at(x, y) == Module::data)
                        out_.order.push_back(index(x, y));
                }
        }
    }

    Layout &out_;
    const int n_;
};

bool masked(int mask, int x, int y) noexcept
{
    switch (mask) {
    case 0:
        return (x + y) % 2 == 0;
    case 1:
        return y % 2 == 0;
    case 2:
        return x % 3 == 0;
    case 3:
        return (x + y) % 3 == 0;
    case 4:
        return (y / 2 + x / 3) % 2 == 0;
    case 5:
        return x * y % 2 + x * y % 3 == 0;
    case 6:
        return (x * y % 2 + x * y % 3) % 2 == 0;
    default:
        return ((x + y) % 2 + x * y % 3) % 2 == 0;
    }
}

/// Of blocks, the data codewords by turns and then the parity codewords by turns.
Division division_of(const Blocks &of)
{
    Division out;
    const int first_long = of.count - of.long_count, length = of.short_data + of.parity;
    for (int block = 0; block < of.count; ++block)
        out.blocks.push_back({of.short_data + (block >= first_long), of.parity});
    const auto begin = [=](int block) { return block * length + std::max(block - first_long, 0); };
    for (int place = 0; place <= of.short_data; ++place)
        for (int block = place < of.short_data ? 0 : first_long; block < of.count; ++block)
            out.order.push_back(static_cast<std::uint16_t>(begin(block) + place));
    for (int place = 0; place < of.parity; ++place)
        for (int block = 0; block < of.count; ++block)
            out.order.push_back(
                static_cast<std::uint16_t>(begin(block) + of.short_data + (block >= first_long) + place));
    return out;
}

} // namespace

void draw_qr(int version, Layout &out)
{
    out.symbology = Symbology::qr;
    out.version = version, out.size = size_of(version);
    Drawing(out).draw();
    out.masks = 8, out.masked = masked;
    for (unsigned value = 0; value < 32; ++value)
        out.formats.push_back(format_bits(value));
    for (std::size_t level = 0; level < 4; ++level)
        out.divisions[level] = division_of(blocks_of(version, static_cast<Level>(level)));
    out.code = &qr_code, out.is_whole = is_whole_message;
}

Blocks blocks_of(int version, Level level) noexcept
{
    const auto row = row_of_level[static_cast<int>(level)];
    const int alignments = version == 1 ? 0 : version / 7 + 2, n = size_of(version);
    const int taken = 3 * 64 + 2 * (n - 16) + 31 + (version >= 7 ? 36 : 0);
    const int crossed = alignments ? (alignments * alignments - 3) * 25 - 2 * (alignments - 2) * 5 : 0;
    const int total = (n * n - taken - crossed) / 8;
    const int count = count_of[row][version - 1], parity = parity_of[row][version - 1];
    return {count, parity, total / count - parity, total % count, total};
}

unsigned format_bits(unsigned value) noexcept
{
    return bch(value, 0x537, 10) ^ 0x5412;
}

unsigned version_bits(unsigned version) noexcept
{
    return bch(version, 0x1F25, 12);
}

} // namespace ehc::grey
