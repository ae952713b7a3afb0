// bars.cpp: see bars.h.
#include "bars.h"

#include "rows.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <stdexcept>

namespace ehc::frame {

namespace {

using Direction = std::complex<float>; // of twice the angle, so that opposite edges of a bar agree

constexpr int least_side = 4 * part;  // of a view, pixels
constexpr int around = 2;             // cells on each side that are weighed together with one
constexpr float along_one = 0.2F;     // of the change, at least, more along its direction than across it
constexpr float least_change = 0.06F; // of that of a cell full of edges
constexpr float like = 0.9F;          // cosine of twice the angle between neighbours: 13 degrees
constexpr std::size_t least_cells = 12;
constexpr double least_filled = 0.4; // of the parallelogram around them
constexpr double least_straight = 0.7;
constexpr double margin = 0.06, further = 2 * part;

/// How the levels change in parts of 8 x 8 pixels: how much in all, and along which direction.
struct Cells {
    int width, height;
    std::vector<float> change;
    std::vector<Direction> direction; // its length is how much more the levels change along it than across it

    explicit Cells(const View &in)
        : width(in.width / part), height(in.height / part), change(static_cast<std::size_t>(width * height)),
          direction(change.size())
    {
    }
};

/// Sums over the rows of a part, of each two columns: squares and products of differences of levels.
class Columns {
public:
    explicit Columns(int width)
        : width_(width), xx_(static_cast<std::size_t>(width / 2)), yy_(xx_.size()), xy_(xx_.size())
    {
    }

    void clear() noexcept
    {
        for (auto *sums : {&xx_, &yy_, &xy_})
            std::fill(sums->begin(), sums->end(), 0);
    }

    /// The border columns and rows have no neighbours and are left out.
    void add(const std::uint8_t *above, const std::uint8_t *here, const std::uint8_t *below) noexcept
    {
        rows().add_changes(above, here, below, width_, xx_.data(), yy_.data(), xy_.data());
    }

    void to(Cells &out, int row) const
    {
        for (int cell = 0; cell < out.width; ++cell) {
            int xx = 0, yy = 0, xy = 0;
            for (int k = cell * part / 2; k < (cell + 1) * part / 2; ++k) {
                const auto x = static_cast<std::size_t>(k);
                xx += xx_[x], yy += yy_[x], xy += xy_[x];
            }
            const auto at = static_cast<std::size_t>(row * out.width + cell);
            out.change[at] = static_cast<float>(xx + yy);
            out.direction[at] = {static_cast<float>(xx - yy), 2 * static_cast<float>(xy)};
        }
    }

private:
    int width_;
    std::vector<int> xx_, yy_, xy_;
};

Cells cells_of(const View &in)
{
    Cells out(in);
    Columns columns(in.width);
    for (int row = 0; row < out.height; ++row) {
        columns.clear();
        for (int y = std::max(row * part, 1); y < std::min((row + 1) * part, in.height - 1); ++y)
            columns.add(in.at(y - 1), in.at(y), in.at(y + 1));
        columns.to(out, row);
    }
    return out;
}

/// Each cell as the sum of those around it, along one axis.
template <class T>
void summed(std::vector<T> &values, std::size_t count, std::size_t lines, std::size_t step, std::size_t next_line)
{
    std::vector<T> line(count);
    for (std::size_t k = 0; k < lines; ++k) {
        T *const at = values.data() + k * next_line;
        for (std::size_t i = 0; i < count; ++i)
            line[i] = at[i * step];
        for (std::size_t i = 0; i < count; ++i) {
            T sum{};
            for (std::size_t m = i < around ? 0 : i - around; m < std::min(count, i + around + 1); ++m)
                sum += line[m];
            at[i * step] = sum;
        }
    }
}

template <class T> void smoothed(std::vector<T> &values, const Cells &in)
{
    const auto width = static_cast<std::size_t>(in.width), height = static_cast<std::size_t>(in.height);
    summed(values, width, height, 1, width);
    summed(values, height, width, width, 1);
}

/// 1 for cells with bars. Their directions are made of length 1.
std::vector<std::uint8_t> with_bars(Cells &cells)
{
    std::vector<float> sorted(cells.change);
    const auto full = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 49 / 50);
    std::nth_element(sorted.begin(), full, sorted.end());
    const float least = least_change * *full + 4 * part * part;
    std::vector<std::uint8_t> out(cells.change.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const float length = std::abs(cells.direction[i]);
        out[i] = cells.change[i] > least && length > along_one * cells.change[i];
        if (out[i])
            cells.direction[i] /= length;
    }
    return out;
}

/// Cells next to each other in which the bars have nearly one direction; taken out of the map.
void take_group(std::vector<std::uint8_t> &map, const Cells &cells, int start, std::vector<int> &out)
{
    out.assign(1, start);
    map[static_cast<std::size_t>(start)] = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int at = out[i], x = at % cells.width, y = at / cells.width;
        const Direction here = cells.direction[static_cast<std::size_t>(at)];
        const auto take = [&](int next, bool inside) {
            const auto k = static_cast<std::size_t>(next);
            if (!inside || !map[k] || (here * std::conj(cells.direction[k])).real() < like)
                return;
            map[k] = 0;
            out.push_back(next);
        };
        take(at + 1, x + 1 < cells.width), take(at - 1, x > 0);
        take(at + cells.width, y + 1 < cells.height), take(at - cells.width, y > 0);
    }
}

/// What a group of cells spans, in pixels: u across the bars, v along them.
struct Span {
    double straight;     // 0 to 1: how much all of it has one direction
    double cosine, sine; // of that, across the bars
    double middle = 0;   // of u
    double shear = 0;    // of v a pixel of u
    double left = 0, right = 0, top = 0, bottom = 0;

    Span(const std::vector<int> &group, const Cells &cells)
    {
        Direction sum{};
        for (const int at : group)
            sum += cells.direction[static_cast<std::size_t>(at)];
        straight = std::abs(sum) / static_cast<double>(group.size());
        const double angle = 0.5 * std::arg(std::complex<double>(sum));
        cosine = std::cos(angle), sine = std::sin(angle);
        sheared(group, cells.width);
        left = top = 1e9, right = bottom = -1e9;
        for (const int at : group) {
            const auto [u, v] = place(at, cells.width);
            const double upright = v - shear * (u - middle);
            left = std::min(left, u), right = std::max(right, u);
            top = std::min(top, upright), bottom = std::max(bottom, upright);
        }
        left -= 0.5 * part, right += 0.5 * part, top -= 0.5 * part, bottom += 0.5 * part;
    }

    double area() const noexcept { return (right - left) * (bottom - top); }

    /// A margin around it, for the quiet zone and for what the edge cells leave out.
    Bars bars() const noexcept
    {
        const double border = margin * (right - left) + further;
        const auto corner = [&](double u, double v) -> std::array<double, 2> {
            const double across = u - middle, along = v + shear * across;
            return {u * cosine - along * sine - 0.5, u * sine + along * cosine - 0.5};
        };
        return {corner(left - border, top - border), corner(right + border, top - border),
                corner(left - border, bottom + border)};
    }

private:
    std::pair<double, double> place(int at, int width) const noexcept
    {
        const double x = (at % width + 0.5) * part, y = (at / width + 0.5) * part;
        return {x * cosine + y * sine, y * cosine - x * sine};
    }

    /// The line through the middles of the columns: how rows run.
    void sheared(const std::vector<int> &group, int width)
    {
        double v_mean = 0, uv = 0, uu = 0;
        const auto count = static_cast<double>(group.size());
        for (const int at : group) {
            const auto [u, v] = place(at, width);
            middle += u / count, v_mean += v / count;
        }
        for (const int at : group) {
            const auto [u, v] = place(at, width);
            uv += (u - middle) * (v - v_mean), uu += (u - middle) * (u - middle);
        }
        shear = std::clamp(uv / (uu + 1), -1.0, 1.0); // uu: 0 where all stand in one column
    }
};

struct Likely {
    float change;
    Bars bars;
};

constexpr int fraction = 8; // bits behind the point, of places and of weights
constexpr int one = 1 << fraction;

/// A row of places in an image, in steps; 1 / `one` pixels.
struct Line {
    std::int64_t x, y, step_x, step_y; // over 16 bits finer: 8000 steps are off by less than a pixel's 200th
    static constexpr int finer = 16;

    Line(double from_x, double from_y, double by_x, double by_y) noexcept
        : x(fixed(from_x)), y(fixed(from_y)), step_x(fixed(by_x)), step_y(fixed(by_y))
    {
    }
    static std::int64_t fixed(double value) noexcept { return std::llround(value * one * (1 << finer)); }
    int at_x(int u) const noexcept { return static_cast<int>((x + u * step_x) >> finer); }
    int at_y(int u) const noexcept { return static_cast<int>((y + u * step_y) >> finer); }
};

/// The level between four pixels.
std::uint8_t between(const std::uint8_t *top, const std::uint8_t *bottom, std::ptrdiff_t right, int u, int v) noexcept
{
    const int above = top[0] * (one - u) + top[right] * u, below = bottom[0] * (one - u) + bottom[right] * u;
    return static_cast<std::uint8_t>((above * (one - v) + below * v + one * one / 2) >> (2 * fraction));
}

/// Places whose four pixels lie in the image.
void sample_inside(const View &in, const Line &line, int from, int to, std::uint8_t *out) noexcept
{
    for (int u = from; u < to; ++u) {
        const int x = line.at_x(u), y = line.at_y(u);
        const std::uint8_t *const top = in.at(y >> fraction) + (x >> fraction) * in.pixel;
        out[u] = between(top, top + in.row, in.pixel, x & (one - 1), y & (one - 1));
    }
}

/// Any places; beyond the border its pixels.
void sample(const View &in, const Line &line, int from, int to, std::uint8_t *out) noexcept
{
    for (int u = from; u < to; ++u) {
        const int x = std::clamp(line.at_x(u), 0, (in.width - 1) << fraction), left = x >> fraction;
        const int y = std::clamp(line.at_y(u), 0, (in.height - 1) << fraction), top = y >> fraction;
        const std::uint8_t *const at = in.at(top) + left * in.pixel;
        const std::ptrdiff_t right = left + 1 < in.width ? in.pixel : 0;
        out[u] = between(at, top + 1 < in.height ? at + in.row : at, right, x & (one - 1), y & (one - 1));
    }
}

bool inside(const View &in, const Line &line, int u) noexcept
{
    const int x = line.at_x(u), y = line.at_y(u);
    return x >= 0 && y >= 0 && x < (in.width - 1) << fraction && y < (in.height - 1) << fraction;
}

} // namespace

std::vector<Bars> bars(const View &grey, std::size_t most)
{
    if (grey.width < least_side || grey.height < least_side)
        return {};
    Plane own;
    if (grey.pixel != 1)
        luma(grey, Format::grey, own);
    Cells cells = cells_of(grey.pixel == 1 ? grey : own.view());
    smoothed(cells.change, cells), smoothed(cells.direction, cells);
    std::vector<std::uint8_t> map = with_bars(cells);
    std::vector<Likely> found;
    std::vector<int> group;
    for (std::size_t i = 0; i < map.size(); ++i) {
        if (!map[i])
            continue;
        take_group(map, cells, static_cast<int>(i), group);
        const Span span(group, cells);
        const double filled = static_cast<double>(group.size()) * part * part;
        if (group.size() < least_cells || filled < least_filled * span.area() || span.straight < least_straight)
            continue;
        float change = 0;
        for (const int at : group)
            change += cells.change[static_cast<std::size_t>(at)];
        found.push_back({change, span.bars()});
    }
    std::sort(found.begin(), found.end(), [](const Likely &a, const Likely &b) { return a.change > b.change; });
    std::vector<Bars> out;
    for (const Likely &likely : found)
        if (out.size() < most)
            out.push_back(likely.bars);
    return out;
}

void upright(const View &grey, const Bars &where, Plane &out)
{
    constexpr double furthest = 4 * longest_upright;
    for (const auto &[x, y] : where)
        if (!(std::abs(x) < furthest && std::abs(y) < furthest)) // written so that NaN is refused
            throw std::invalid_argument("a corner of bars is over " + std::to_string(4 * longest_upright) +
                                        " pixels away, or no number");
    const auto &[first, across, along] = where;
    const double right = std::hypot(across[0] - first[0], across[1] - first[1]);
    const double down = std::hypot(along[0] - first[0], along[1] - first[1]);
    if (std::max(right, down) >= longest_upright)
        throw std::invalid_argument("the sides of bars are " + std::to_string(right) + " and " + std::to_string(down) +
                                    " pixels, must be under " + std::to_string(longest_upright));
    if (grey.width < 1 || grey.height < 1)
        throw std::invalid_argument("an image without pixels has no bars");
    out.resize(static_cast<int>(right) + 1, static_cast<int>(down) + 1);
    const double columns = std::max(right, 1.0), rows = std::max(down, 1.0);
    for (int v = 0; v < out.height(); ++v) {
        const double way = v / rows;
        const Line line(first[0] + way * (along[0] - first[0]), first[1] + way * (along[1] - first[1]),
                        (across[0] - first[0]) / columns, (across[1] - first[1]) / columns);
        int from = 0, to = out.width(); // what lies inside lies in one piece
        while (from < to && !inside(grey, line, from))
            ++from;
        while (from < to && !inside(grey, line, to - 1))
            --to;
        sample(grey, line, 0, from, out.at(v));
        sample_inside(grey, line, from, to, out.at(v));
        sample(grey, line, to, out.width(), out.at(v));
    }
}

int edges(const View &grey, const Spot &from, const Spot &to)
{
    Plane row;
    upright(grey, {from, to, from}, row);
    int sum = 0, count = 0;
    for (int x = 0; x < row.width(); ++x)
        sum += row.at(0)[x];
    for (int x = 1; x < row.width(); ++x)
        count += (row.at(0)[x] * row.width() > sum) != (row.at(0)[x - 1] * row.width() > sum);
    return count;
}

} // namespace ehc::frame
