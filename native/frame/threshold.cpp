// threshold.cpp: see threshold.h.
#include "threshold.h"

#include "extremes.h"
#include "rows.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace ehc::frame {

namespace {

using byte = std::uint8_t;

constexpr int least_contrast = 24;             // levels between the lightest and the darkest pixel of a part
constexpr int reach = 2, side = 2 * reach + 1; // parts over which thresholds are averaged

/// A value for each part, row after row.
struct Parts {
    int columns, rows;
    std::vector<byte> value;

    explicit Parts(const View &in)
        : columns((in.width + part - 1) / part), rows((in.height + part - 1) / part),
          value(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows))
    {
    }

    byte *row(int y) { return value.data() + static_cast<std::ptrdiff_t>(y) * columns; }
    const byte *row(int y) const { return value.data() + static_cast<std::ptrdiff_t>(y) * columns; }
};

/// The middle of each part's levels; 0 where it has too little contrast.
Parts middles(const View &in)
{
    Parts out(in);
    Extremes extremes(in.width);
    for (int y = 0; y < out.rows; ++y) {
        extremes.look(in, std::min(y * part, in.height - part));
        const byte *const low = extremes.least(), *const high = extremes.most();
        byte *const to = out.row(y);
        for (int x = 0; x < out.columns; ++x)
            to[x] = high[x] - low[x] > least_contrast ? static_cast<byte>((high[x] + low[x]) / 2) : byte{0};
    }
    return out;
}

/// out[x] = the sum of `side` values from x on.
void sums_of_side(const int *in, int count, int *__restrict out) noexcept
{
    static_assert(side == 5);
    for (int x = 0; x < count; ++x)
        out[x] = in[x] + in[x + 1] + in[x + 2] + in[x + 3] + in[x + 4];
}

/// Means over the parts around each one, itself counted twice more; of those that have a threshold.
Parts averaged(const Parts &in)
{
    Parts out(in);
    const auto columns = static_cast<std::size_t>(in.columns);
    const int inner = in.columns - 2 * reach;
    std::vector<int> sum(columns), count(columns), sums(columns), counts(columns);
    for (int y = 0; y < in.rows; ++y) {
        std::fill(sum.begin(), sum.end(), 0), std::fill(count.begin(), count.end(), 0);
        const int top = std::clamp(y, reach, in.rows - reach - 1) - reach;
        for (int i = 0; i < side; ++i) {
            const byte *const from = in.row(top + i);
            for (std::size_t x = 0; x < columns; ++x)
                sum[x] += from[x], count[x] += from[x] > 0;
        }
        sums_of_side(sum.data(), inner, sums.data() + reach);
        sums_of_side(count.data(), inner, counts.data() + reach);
        for (std::size_t x = 0; x < reach; ++x) { // at the border the windows of those inside
            sums[x] = sums[reach], sums[columns - 1 - x] = sums[columns - 1 - reach];
            counts[x] = counts[reach], counts[columns - 1 - x] = counts[columns - 1 - reach];
        }
        const byte *const own = in.row(y);
        byte *const to = out.row(y);
        for (std::size_t x = 0; x < columns; ++x) { // exact: no quotient is within a float's step below a whole number
            const int of = counts[x] + 2 * (own[x] > 0);
            to[x] = static_cast<byte>(static_cast<float>(sums[x] + 2 * own[x]) / static_cast<float>(std::max(of, 1)));
        }
    }
    return out;
}

/// Parts without a threshold take the next one's, the last ones the last; false where there is none at all.
bool fill(Parts &parts)
{
    const auto end = parts.value.end();
    auto open = parts.value.begin();
    for (auto at = open; at != end; ++at)
        if (*at) {
            std::fill(open, at, *at);
            open = at + 1;
        }
    if (open == parts.value.begin())
        return false;
    std::fill(open, end, open[-1]);
    return true;
}

} // namespace

bool threshold(const View &grey, Plane &out)
{
    if (std::min(grey.width, grey.height) < least_thresholded)
        throw std::invalid_argument("frame is " + std::to_string(grey.width) + " x " + std::to_string(grey.height) +
                                    " pixels, must be " + std::to_string(least_thresholded) + " a side at least");
    Plane own;
    const View in = tight(grey, own);
    Parts parts = averaged(middles(in));
    if (!fill(parts))
        return false;
    out.resize(in.width, in.height);
    std::vector<byte> level(static_cast<std::size_t>(in.width));
    int before = -1;
    for (int y = 0; y < in.height; ++y) {
        const int of = y < in.height - part ? y / part : parts.rows - 1;
        if (of != before)
            for (int x = 0; x < parts.columns; ++x)
                std::fill_n(level.data() + std::min(x * part, in.width - part), part, parts.row(of)[x]);
        before = of;
        rows().lighter(in.at(y), level.data(), in.width, out.at(y));
    }
    return true;
}

} // namespace ehc::frame
