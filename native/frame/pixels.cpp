// pixels.cpp: see pixels.h.
#include "pixels.h"

#include "extremes.h"
#include "rows.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace ehc::frame {

namespace {

using byte = std::uint8_t;

// A constant step lets the compiler vectorise the loop it is inlined into, so callers pass literals where they can.
#define EHC_INLINE inline __attribute__((always_inline))

byte grey_of(int r, int g, int b) noexcept
{
    return static_cast<byte>((77 * r + 150 * g + 29 * b + 128) >> 8);
}

byte on_white(int grey, int alpha) noexcept
{
    const int sum = grey * alpha + 255 * (255 - alpha) + 128; // sum / 255, rounded, for sums up to 65535
    return static_cast<byte>((sum + (sum >> 8)) >> 8);
}

EHC_INLINE void rgb_row(const byte *in, std::ptrdiff_t pixel, std::ptrdiff_t channel, int width, byte *out) noexcept
{
    for (int x = 0; x < width; ++x, in += pixel)
        out[x] = grey_of(in[0], in[channel], in[2 * channel]);
}

EHC_INLINE void rgba_row(const byte *in, std::ptrdiff_t pixel, std::ptrdiff_t channel, int width, byte *out) noexcept
{
    for (int x = 0; x < width; ++x, in += pixel)
        out[x] = on_white(grey_of(in[0], in[channel], in[2 * channel]), in[3 * channel]);
}

EHC_INLINE void copy_row(const byte *in, std::ptrdiff_t pixel, int width, byte *out) noexcept
{
    for (int x = 0; x < width; ++x)
        out[x] = in[x * pixel];
}

void luma_row(const byte *in, const View &view, Format format, byte *out) noexcept
{
    const auto pixel = view.pixel, channel = view.channel;
    if (format == Format::rgba) {
        if (pixel == 4 && channel == 1)
            rgba_row(in, 4, 1, view.width, out);
        else
            rgba_row(in, pixel, channel, view.width, out);
    } else if (format == Format::rgb || format == Format::bgr) {
        if (pixel == 3 && channel == 1)
            rgb_row(in, 3, 1, view.width, out);
        else if (pixel == 3 && channel == -1)
            rgb_row(in, 3, -1, view.width, out);
        else
            rgb_row(in, pixel, channel, view.width, out);
    } else if (pixel == 2) {
        copy_row(in, 2, view.width, out); // yuyv
    } else {
        copy_row(in, pixel, view.width, out);
    }
}

/// A row of any format as grey pixels side by side: itself where it is that already, otherwise in `own`.
const byte *grey_row(const View &in, Format format, int y, byte *own) noexcept
{
    if (in.pixel == 1 && pixel_bytes(format) == 1)
        return in.at(y);
    luma_row(in.at(y), in, format, own);
    return own;
}

/// Rows that are read next: a frame comes from memory, and what a processor fetches ahead by itself ends with a row.
void ask_for(const View &in, int y, int rows) noexcept
{
    constexpr std::ptrdiff_t line = 64; // bytes that come at once
    for (int i = 0; i < rows; ++i)
        for (std::ptrdiff_t at = 0; at < in.width * in.pixel; at += line)
            __builtin_prefetch(in.at(y + i) + at);
}

int log2_of(int power) noexcept
{
    int log = 0;
    while (power >> log > 1)
        ++log;
    return log;
}

/// Rows y-1, y, y+1 with the border repeated.
struct Three {
    const byte *above, *here, *below;
    Three(const View &in, int y) noexcept
        : above(in.at(std::max(y - 1, 0))), here(in.at(y)), below(in.at(std::min(y + 1, in.height - 1)))
    {
    }
};

/// Sums of 3x3 of row y; `column` has room for the width + 2.
void sums_row(const View &in, int y, std::uint16_t *column, std::uint16_t *sum) noexcept
{
    const Three rows(in, y);
    std::uint16_t *const inner = column + 1;
    for (int x = 0; x < in.width; ++x)
        inner[x] = static_cast<std::uint16_t>(rows.above[x] + rows.here[x] + rows.below[x]);
    column[0] = inner[0];
    inner[in.width] = inner[in.width - 1];
    for (int x = 0; x < in.width; ++x)
        sum[x] = static_cast<std::uint16_t>(column[x] + column[x + 1] + column[x + 2]);
}

/// Calls row(y, sums of 3x3, pixels of the row) for each row.
template <class Row> void for_sums(const View &in, Row row)
{
    std::vector<std::uint16_t> column(static_cast<std::size_t>(in.width) + 2), sum(static_cast<std::size_t>(in.width));
    if (in.width == 0)
        return;
    for (int y = 0; y < in.height; ++y) {
        sums_row(in, y, column.data(), sum.data());
        row(y, sum.data(), in.at(y));
    }
}

/// 3/4 of the near row and 1/4 of the far one, times 4, with the border repeated: width + 2 values.
void blend_row(const byte *near, const byte *far, int width, std::uint16_t *column) noexcept
{
    for (int x = 0; x < width; ++x)
        column[x + 1] = static_cast<std::uint16_t>(3 * near[x] + far[x]);
    column[0] = column[1];
    column[width + 1] = column[width];
}

/// The same along the row: 2 * width pixels.
void double_row(const std::uint16_t *column, int width, byte *out) noexcept
{
    for (int x = 0; x < width; ++x) {
        const int here = 3 * column[x + 1] + 8;
        out[2 * x] = static_cast<byte>((here + column[x]) >> 4);
        out[2 * x + 1] = static_cast<byte>((here + column[x + 2]) >> 4);
    }
}

byte mean9(int sum) noexcept
{
    return static_cast<byte>((sum + 4) / 9);
}

/// What a part's range must be over to be more than noise; over 255 where nothing can tell.
int least_range(const std::vector<byte> &ranges)
{
    std::array<std::size_t, 256> seen{};
    for (const byte range : ranges)
        ++seen[range];
    int fifth = 0; // of the ranges are below this one
    for (std::size_t below = seen[0]; below <= ranges.size() / 5; below += seen[static_cast<std::size_t>(fifth)])
        ++fifth;
    return std::max(8, fifth + std::clamp(fifth * 7 / 10, 4, 40));
}

constexpr int drowned = 150;   // of a range that noise alone may have: beyond, codes do not show in it
constexpr int least_dense = 6; // of the nine parts around one: a symbol fills them, an edge and noise leave them open
constexpr int beside = 3;      // parts around those that are dense

/// 1 for each part whose range is over `least`, else 0.
std::vector<byte> over(const std::vector<byte> &ranges, int least)
{
    std::vector<byte> out(ranges.size());
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = ranges[i] > least;
    return out;
}

/// Whether what is over the noise lies around a part, too. at: of a part that is not at the border.
bool dense(const byte *at, int columns) noexcept
{
    int count = 0;
    for (int i = -1; i <= 1; ++i)
        for (int k = -1; k <= 1; ++k)
            count += at[i * columns + k];
    return *at && count >= least_dense;
}

/// Sums of whole columns over a sliding band of rows, and their running total along the row.
class Band {
public:
    explicit Band(int width) : column_(static_cast<std::size_t>(width)), total_(static_cast<std::size_t>(width) + 1) {}

    void add(const byte *row) noexcept
    {
        for (std::size_t x = 0; x < column_.size(); ++x)
            column_[x] += row[x];
    }

    void remove(const byte *row) noexcept
    {
        for (std::size_t x = 0; x < column_.size(); ++x)
            column_[x] -= row[x];
    }

    /// total[x] = sum of the columns left of x, modulo 2^32: differences stay right.
    const std::uint32_t *totals() noexcept
    {
        for (std::size_t x = 0; x < column_.size(); ++x)
            total_[x + 1] = total_[x] + column_[x];
        return total_.data();
    }

private:
    std::vector<std::uint32_t> column_, total_;
};

EHC_INLINE byte light(int value, int offset, int area, std::uint32_t sum) noexcept
{
    return (value + offset) * area > static_cast<int>(sum) ? 255 : 0;
}

void binarise_row(const byte *in, const std::uint32_t *total, int width, int radius, int rows, int offset, byte *out)
{
    const int left = std::min(radius, width), right = std::max(left, width - radius);
    const auto at_border = [&](int x) {
        const int from = std::max(0, x - radius), to = std::min(width, x + radius + 1);
        out[x] = light(in[x], offset, rows * (to - from), total[to] - total[from]);
    };
    for (int x = 0; x < left; ++x)
        at_border(x);
    const int area = rows * (2 * radius + 1);
    for (int x = left; x < right; ++x)
        out[x] = light(in[x], offset, area, total[x + radius + 1] - total[x - radius]);
    for (int x = right; x < width; ++x)
        at_border(x);
}

void check_side(const char *name, std::int64_t side)
{
    if (side < 0 || side > longest_side)
        throw std::invalid_argument(std::string("frame ") + name + " is " + std::to_string(side) + ", must be 0 to " +
                                    std::to_string(longest_side) + " pixels");
}

} // namespace

int pixel_bytes(Format format) noexcept
{
    if (format == Format::rgba)
        return 4;
    if (format == Format::rgb || format == Format::bgr)
        return 3;
    return format == Format::yuyv ? 2 : 1;
}

void Plane::resize(int width, int height)
{
    const std::size_t size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    if (size > capacity_ || !data_) {
        data_.reset(new std::uint8_t[std::max<std::size_t>(size, 1)]); // not cleared: every pixel is written
        capacity_ = size;
    }
    width_ = width;
    height_ = height;
}

View view_of(const std::uint8_t *data, std::size_t size, Format format, std::int64_t width, std::int64_t height,
             std::int64_t stride)
{
    check_side("width", width);
    check_side("height", height);
    const std::int64_t row = width * pixel_bytes(format);
    if (stride == 0)
        stride = row;
    if (stride < row)
        throw std::invalid_argument("frame stride is " + std::to_string(stride) + ", but a row has " +
                                    std::to_string(row) + " bytes");
    const auto have = static_cast<std::uint64_t>(size), last = static_cast<std::uint64_t>(row);
    const auto rows_before = static_cast<std::uint64_t>(std::max<std::int64_t>(height - 1, 0));
    const bool fits =
        height == 0 ||
        (last <= have && (rows_before == 0 || static_cast<std::uint64_t>(stride) <= (have - last) / rows_before));
    if (!fits)
        throw std::invalid_argument("frame has " + std::to_string(size) + " bytes, too few for " +
                                    std::to_string(height) + " rows with a stride of " + std::to_string(stride));
    return {data,
            static_cast<int>(width),
            static_cast<int>(height),
            static_cast<std::ptrdiff_t>(stride),
            pixel_bytes(format),
            1};
}

View oriented(View in, Format format) noexcept
{
    if (format == Format::bgr && in.width > 0 && in.height > 0) {
        in.data += 2 * in.channel;
        in.channel = -in.channel;
    }
    return in;
}

void luma(const View &in, Format format, Plane &out)
{
    out.resize(in.width, in.height);
    if (in.width == 0)
        return;
    for (int y = 0; y < in.height; ++y)
        luma_row(in.at(y), in, format, out.at(y));
}

void shrink(const View &in, Format format, int times, Plane &out)
{
    if (times < 1 || times > most_times)
        throw std::invalid_argument("a frame is halved 1 to " + std::to_string(most_times) + " times, not " +
                                    std::to_string(times));
    out.resize(in.width >> times, in.height >> times);
    shrink_rows(in, format, 1 << times, 0, 1, out);
}

void shrink_rows(const View &in, Format format, int by, int from, int step, Plane &out)
{
    const bool threes = by % 3 == 0;
    const int high = by == 2 ? 2 : threes ? by / 3 : by / 2, first = (by - high) / 2; // rows
    const int shift = log2_of(threes ? high * high : by * high);                      // of a sum, or of a third of it
    const int halvings = log2_of(threes ? by / 3 : by), pairs = out.width() * by / 2;
    const Rows &row = rows();
    std::vector<std::uint16_t> sum(static_cast<std::size_t>(pairs)), half(sum.size());
    std::vector<byte> above(static_cast<std::size_t>(in.width)), below(above.size());
    for (int y = from; y < out.height(); y += step) {
        if (y + step < out.height())
            ask_for(in, (y + step) * by + first, high);
        const int top = y * by + first;
        const byte *const one = grey_row(in, format, top, above.data());
        const byte *const next = grey_row(in, format, top + 1, below.data());
        if (by == 4 || by == 6) {
            (by == 4 ? row.means_of_fours : row.means_of_sixes)(one, next, out.width(), out.at(y));
            continue;
        }
        row.squares(one, next, pairs, sum.data());
        for (int k = top + 2; k < top + high; k += 2)
            row.add_squares(grey_row(in, format, k, above.data()), grey_row(in, format, k + 1, below.data()), pairs,
                            sum.data());
        for (int t = 1; t < halvings; ++t) {
            row.sum_pairs(sum.data(), pairs >> t, half.data());
            std::swap(sum, half);
        }
        if (threes) {
            row.sum_triples(sum.data(), out.width(), half.data());
            row.means_of_threes(half.data(), out.width(), shift, out.at(y));
        } else {
            row.means(sum.data(), out.width(), shift, out.at(y));
        }
    }
}

View tight(const View &grey, Plane &own)
{
    if (grey.pixel == 1)
        return grey;
    luma(grey, Format::grey, own);
    return own.view();
}

void half(const View &grey, Plane &out)
{
    shrink(grey, Format::grey, 1, out);
}

double change(const View &one, const View &other, int high)
{
    const int columns = one.width / part;
    std::vector<std::int16_t> sum(static_cast<std::size_t>(columns * part)); // of the differences in a column of a part
    int most = 0;
    for (int y = 0; y + high <= one.height; y += high) {
        std::fill(sum.begin(), sum.end(), std::int16_t{0});
        for (int i = 0; i < high; ++i)
            rows().add_differences(one.at(y + i), other.at(y + i), columns * part, sum.data());
        for (int x = 0; x < columns; ++x) {
            int of = 0;
            for (int k = 0; k < part; ++k)
                of += sum[static_cast<std::size_t>(x * part + k)];
            most = std::max(most, std::abs(of));
        }
    }
    return most / static_cast<double>(part * high);
}

Region active(const View &grey)
{
    Plane own;
    const View in = tight(grey, own);
    const int columns = in.width / part, rows = in.height / part;
    const Region whole{0, 0, in.width, in.height};
    if (columns < 2 || rows < 2)
        return whole;
    std::vector<byte> ranges;
    Extremes extremes(columns * part);
    for (int y = 0; y < rows; ++y) {
        extremes.look(in, y * part);
        for (int x = 0; x < columns; ++x)
            ranges.push_back(static_cast<byte>(extremes.most()[x] - extremes.least()[x]));
    }
    const int least = least_range(ranges);
    if (least > drowned)
        return whole;
    const std::vector<byte> more = over(ranges, least);
    int left = columns, right = -1, top = rows, bottom = -1;
    for (int y = 1; y + 1 < rows; ++y)
        for (int x = 1; x + 1 < columns; ++x)
            if (dense(more.data() + y * columns + x, columns)) {
                left = std::min(left, x), right = std::max(right, x);
                top = std::min(top, y), bottom = std::max(bottom, y);
            }
    if (right < 0)
        return {0, 0, 0, 0};
    const int x0 = std::max(left - beside, 0) * part, y0 = std::max(top - beside, 0) * part;
    return {x0, y0, std::min((right + 1 + beside) * part, in.width) - x0,
            std::min((bottom + 1 + beside) * part, in.height) - y0};
}

void twice(const View &grey, Plane &out)
{
    if (grey.width > longest_side / 2 || grey.height > longest_side / 2)
        throw std::invalid_argument("frame is too large to double: at most " + std::to_string(longest_side / 2) +
                                    " pixels a side");
    out.resize(2 * grey.width, 2 * grey.height);
    Plane own;
    const View in = tight(grey, own);
    const int width = grey.width;
    std::vector<std::uint16_t> column(static_cast<std::size_t>(width) + 2);
    for (int y = 0; width > 0 && y < out.height(); ++y) {
        const Three rows(in, y / 2);
        blend_row(rows.here, y % 2 ? rows.below : rows.above, width, column.data());
        double_row(column.data(), width, out.at(y));
    }
}

void dilate(const View &grey, Plane &out)
{
    out.resize(grey.width, grey.height);
    Plane own;
    const View in = tight(grey, own);
    const int width = grey.width;
    std::vector<byte> column(static_cast<std::size_t>(width) + 2);
    for (int y = 0; width > 0 && y < grey.height; ++y) {
        const Three rows(in, y);
        byte *const inner = column.data() + 1, *const to = out.at(y);
        for (int x = 0; x < width; ++x)
            inner[x] = std::max(std::max(rows.above[x], rows.here[x]), rows.below[x]);
        column[0] = inner[0];
        inner[width] = inner[width - 1];
        for (int x = 0; x < width; ++x)
            to[x] = std::max(std::max(inner[x - 1], inner[x]), inner[x + 1]);
    }
}

void smooth(const View &grey, Plane &out)
{
    out.resize(grey.width, grey.height);
    Plane own;
    const View in = tight(grey, own);
    for_sums(in, [&](int y, const std::uint16_t *sum, const byte *) {
        byte *const to = out.at(y);
        for (int x = 0; x < in.width; ++x)
            to[x] = mean9(sum[x]);
    });
}

void sharpen(const View &grey, int amount, Plane &out)
{
    if (amount < 1 || amount > 8)
        throw std::invalid_argument("sharpening amount is " + std::to_string(amount) + ", must be 1 to 8");
    out.resize(grey.width, grey.height);
    Plane own;
    const View in = tight(grey, own);
    for_sums(in, [&](int y, const std::uint16_t *sum, const byte *row) {
        byte *const to = out.at(y);
        for (int x = 0; x < in.width; ++x)
            to[x] = static_cast<byte>(std::clamp(row[x] + amount * (row[x] - mean9(sum[x])), 0, 255));
    });
}

void binarise(const View &grey, int window, int offset, Plane &out)
{
    if (window < 3 || window > 255 || window % 2 == 0)
        throw std::invalid_argument("threshold window is " + std::to_string(window) + ", must be odd, 3 to 255 pixels");
    if (offset < -255 || offset > 255)
        throw std::invalid_argument("threshold offset is " + std::to_string(offset) + ", must be -255 to 255 levels");
    out.resize(grey.width, grey.height);
    Plane own;
    const View in = tight(grey, own);
    const int radius = window / 2, height = grey.height;
    Band band(grey.width);
    for (int y = 0; y < std::min(radius, height); ++y)
        band.add(in.at(y));
    for (int y = 0; y < height; ++y) {
        if (y + radius < height)
            band.add(in.at(y + radius));
        if (y > radius)
            band.remove(in.at(y - radius - 1));
        const int rows = std::min(height - 1, y + radius) - std::max(0, y - radius) + 1;
        binarise_row(in.at(y), band.totals(), grey.width, radius, rows, offset, out.at(y));
    }
}

} // namespace ehc::frame
