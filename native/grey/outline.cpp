// outline.cpp: see outline.h.
#include "outline.h"

#include "agreement.h"
#include "finder.h"
#include "qr_layout.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace ehc::grey {

namespace {

constexpr int cells = 176;              // of the longer side: one is at most a quiet zone
                                        // wide, for symbols worth a look
constexpr std::size_t around = 12;      // cells over which the lightest counts as the paper
constexpr std::size_t least_cells = 60; // of a symbol's area
constexpr std::size_t most_quads = 8;   // the largest ones

using byte = std::uint8_t;

struct Cells {
    int width, height, pixels; // a cell has pixels * pixels
    std::vector<byte> level;

    const byte *row(int y) const { return level.data() + static_cast<std::ptrdiff_t>(y) * width; }
};

Cells cells_of(const Image &image, int pixels)
{
    Cells out{image.width / pixels, image.height / pixels, pixels, {}};
    std::vector<int> sums(static_cast<std::size_t>(out.width));
    const float scale = 1.0F / static_cast<float>(pixels * pixels);
    for (int y = 0; y < out.height; ++y) {
        const byte *at = image.data + y * pixels * image.row;
        if (pixels == 1) {
            out.level.insert(out.level.end(), at, at + out.width);
            continue;
        }
        std::fill(sums.begin(), sums.end(), 0);
        for (int i = 0; i < pixels; ++i, at += image.row)
            for (int x = 0; x < out.width; ++x)
                for (int k = 0; k < pixels; ++k)
                    sums[static_cast<std::size_t>(x)] += at[x * pixels + k];
        for (const int sum : sums)
            out.level.push_back(static_cast<byte>(scale * static_cast<float>(sum) + 0.5F));
    }
    return out;
}

/// Means of 3x3 cells, the border repeated.
std::vector<byte> smoothed(const Cells &in)
{
    std::vector<byte> out(in.level.size());
    std::vector<std::uint16_t> sum(static_cast<std::size_t>(in.width) + 2);
    for (int y = 0; y < in.height; ++y) {
        const byte *const here = in.row(y), *const above = in.row(std::max(y - 1, 0));
        const byte *const below = in.row(std::min(y + 1, in.height - 1));
        std::uint16_t *const inner = sum.data() + 1;
        for (int x = 0; x < in.width; ++x)
            inner[x] = static_cast<std::uint16_t>(above[x] + here[x] + below[x]);
        sum.front() = sum[1], sum.back() = inner[in.width - 1];
        byte *const to = out.data() + static_cast<std::ptrdiff_t>(y) * in.width;
        for (int x = 0; x < in.width; ++x)
            to[x] = static_cast<byte>((inner[x - 1] + inner[x] + inner[x + 1] + 4) / 9);
    }
    return out;
}

/// The largest level within `around` cells of each, outside of all of them 0.
/// In a plane with a border of that width every window is one of 25 cells that
/// begins where its middle stood, made of windows of 2, 4, 8 and 16.
std::vector<byte> lightest(const Cells &in, const std::vector<byte> &level)
{
    const std::size_t width = static_cast<std::size_t>(in.width), height = static_cast<std::size_t>(in.height);
    const std::size_t wide = width + 2 * around, last = 2 * around + 1 - 16;
    std::vector<byte> plane(wide * (height + 2 * around)), out(level.size());
    for (std::size_t y = 0; y < height; ++y)
        std::copy_n(&level[y * width], width, &plane[(y + around) * wide + around]);
    for (const std::size_t step : {std::size_t{1}, wide})
        for (const std::size_t further : {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{8}, last}) {
            byte *const at = plane.data();
            const std::size_t ahead = further * step, count = plane.size() - ahead;
            for (std::size_t i = 0; i < count; ++i)
                at[i] = std::max(at[i], at[i + ahead]);
        }
    for (std::size_t y = 0; y < height; ++y)
        std::copy_n(&plane[y * wide], width, &out[y * width]);
    return out;
}

/// 1 for each level that is well under that of the paper around it, else 0.
std::vector<byte> darker(const std::vector<byte> &level, const std::vector<byte> &paper)
{
    std::vector<byte> out(level.size());
    const byte *const seen = level.data(), *const white = paper.data();
    byte *const to = out.data();
    for (std::size_t i = 0; i < out.size(); ++i)
        to[i] = 20 * seen[i] < 17 * white[i] - 40;
    return out;
}

using Spot = std::pair<int, int>;

/// A connected area of cells: how many they are, and of each of its rows the
/// first and the last.
struct Area {
    std::size_t count = 0;
    std::vector<Spot> ends;
};

/// Takes the areas of a map out of it, one after the other. What an area needs
/// is used again for the next: noise has thousands of them.
class Areas {
public:
    Areas(std::vector<byte> &map, int width, int height)
        : map_(map), width_(width), height_(height), first_(static_cast<std::size_t>(height), width),
          last_(first_.size(), -1)
    {
    }

    /// The area around a start, four neighbours each; of a small one the ends are
    /// not said.
    Area take(std::size_t start)
    {
        const int row = static_cast<int>(start) / width_;
        open_.clear();
        visit(static_cast<int>(start) - row * width_, row);
        int top = row, bottom = row;
        for (std::size_t i = 0; i < open_.size(); ++i) {
            const auto [x, y] = open_[i];
            top = std::min(top, y), bottom = std::max(bottom, y);
            visit(x + 1, y), visit(x - 1, y), visit(x, y + 1), visit(x, y - 1);
        }
        Area out{open_.size(), {}};
        for (int y = top; y <= bottom; ++y) {
            int &first = first_[static_cast<std::size_t>(y)], &last = last_[static_cast<std::size_t>(y)];
            if (out.count >= least_cells)
                out.ends.push_back({first, y}), out.ends.push_back({last, y});
            first = width_, last = -1;
        }
        return out;
    }

private:
    void visit(int x, int y)
    {
        if (x < 0 || y < 0 || x >= width_ || y >= height_)
            return;
        byte &set = map_[static_cast<std::size_t>(y * width_ + x)];
        if (!set)
            return;
        set = 0;
        int &first = first_[static_cast<std::size_t>(y)], &last = last_[static_cast<std::size_t>(y)];
        first = std::min(first, x), last = std::max(last, x);
        open_.push_back({x, y});
    }

    std::vector<byte> &map_;
    const int width_, height_;
    std::vector<int> first_,
        last_; // of each row, of the area that is being taken
    std::vector<Spot> open_;
};

/// Convex hull, counter-clockwise in a plane with y upwards, so clockwise in an
/// image (Andrew's monotone chain).
std::vector<Spot> hull_of(std::vector<Spot> spots)
{
    std::sort(spots.begin(), spots.end());
    const auto turn = [](const Spot &a, const Spot &b, const Spot &c) {
        return (b.first - a.first) * (c.second - a.second) - (b.second - a.second) * (c.first - a.first);
    };
    std::vector<Spot> hull;
    for (int pass = 0; pass < 2; ++pass) {
        const std::size_t start = hull.size();
        for (const Spot &spot : spots) {
            while (hull.size() >= start + 2 && turn(hull[hull.size() - 2], hull.back(), spot) <= 0)
                hull.pop_back();
            hull.push_back(spot);
        }
        hull.pop_back();
        std::reverse(spots.begin(), spots.end());
    }
    return hull;
}

/// The four points of a hull that span the largest area, and that area.
std::pair<std::array<Spot, 4>, double> largest_quadrilateral(const std::vector<Spot> &hull)
{
    std::pair<std::array<Spot, 4>, double> best{{}, 0};
    const std::size_t n = hull.size();
    const auto area = [&](std::size_t i, std::size_t k, std::size_t m) {
        const auto &a = hull[i], &b = hull[k % n], &c = hull[m % n];
        return 0.5 *
               std::abs((b.first - a.first) * (c.second - a.second) - (b.second - a.second) * (c.first - a.first));
    };
    for (std::size_t i = 0; i + 2 < n; ++i) { // a diagonal from here, and the furthest point on either side of
                                              // it:
        std::size_t one = i + 1,
                    other = i + 3; // as its other end goes around the hull, both go with it
        for (std::size_t k = i + 2; k < n; ++k) {
            while (one + 1 < k && area(i, k, one + 1) >= area(i, k, one))
                ++one;
            other = std::max(other, k + 1);
            while (other + 1 < n + i && area(i, k, other + 1) >= area(i, k, other))
                ++other;
            const double found = area(i, k, one) + (other < n + i ? area(i, k, other) : 0);
            if (found > best.second)
                best = {{hull[i], hull[one], hull[k], hull[other < n + i ? other % n : k]}, found};
        }
    }
    return best;
}

/// Corners of the cells' outline in pixels: pushed outwards by half a cell, for
/// the spots are middles.
Corners pixels_of(const std::array<Spot, 4> &quad, int pixels)
{
    double cx = 0, cy = 0;
    for (const auto &[x, y] : quad)
        cx += x / 4.0, cy += y / 4.0;
    Corners out{};
    for (std::size_t i = 0; i < 4; ++i) {
        const double dx = quad[i].first - cx, dy = quad[i].second - cy, length = std::hypot(dx, dy) + 1e-9;
        out[2 * i] = (quad[i].first + 0.5 * dx / length + 0.5) * pixels - 0.5;
        out[2 * i + 1] = (quad[i].second + 0.5 * dy / length + 0.5) * pixels - 0.5;
    }
    return out;
}

/// A line of text, or a bar: one side is over five times another.
bool slender(const Corners &c)
{
    double least = 1e9, most = 0;
    for (std::size_t i = 0; i < 8; i += 2) {
        const double side = std::hypot(c[(i + 2) % 8] - c[i], c[(i + 3) % 8] - c[i + 1]);
        least = std::min(least, side), most = std::max(most, side);
    }
    return most > 5 * least;
}

struct Likely {
    float agreement;
    Candidate candidate;
};

/// Each turn of a quadrilateral with the version that agrees best with it.
void turns_of(const Image &image, const Corners &corners, std::vector<Likely> &out)
{
    const Warp warp(corners);
    if (!warp.sound(image, size_of(1)))
        return;
    const auto guesses = versions_seen(image, warp);
    for (std::size_t turn = 0; turn < 4; ++turn) {
        Corners turned{};
        for (std::size_t i = 0; i < 8; ++i)
            turned[i] = corners[(i + 2 * turn) % 8];
        out.push_back({guesses[turn].agreement, {turned, guesses[turn].version}});
    }
}

} // namespace

int cell_of(const Image &image) noexcept
{
    return std::max(1, std::max(image.width, image.height) / cells);
}

std::vector<Corners> quadrilaterals(const Image &image, int cell)
{
    const Cells grid = cells_of(image, cell);
    const std::vector<byte> even = smoothed(grid), paper = lightest(grid, even); // noise is no paper
    const std::vector<byte> &level = noise_of(image) > 4 * static_cast<float>(grid.pixels) ? even : grid.level;
    std::vector<byte> dark = darker(level, paper);
    std::vector<std::pair<double, Corners>> quads;
    Areas areas(dark, grid.width, grid.height);
    for (std::size_t i = 0; i < dark.size(); ++i) {
        const void *const next = std::memchr(&dark[i], 1, dark.size() - i);
        if (next == nullptr)
            break;
        i = static_cast<std::size_t>(static_cast<const byte *>(next) - dark.data());
        const Area seen = areas.take(i);
        if (seen.count < least_cells)
            continue;
        const auto hull = hull_of(seen.ends);
        if (hull.size() < 4 || hull.size() > 80)
            continue;
        const auto [quad, area] = largest_quadrilateral(hull);
        const Corners corners = pixels_of(quad, grid.pixels);
        if (area >= static_cast<double>(least_cells) && static_cast<double>(seen.count) >= 0.7 * area &&
            !slender(corners))
            quads.emplace_back(area, corners);
    }
    std::sort(quads.begin(), quads.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
    if (quads.size() > most_quads)
        quads.resize(most_quads);
    std::vector<Corners> out;
    for (const auto &quad : quads)
        out.push_back(quad.second);
    return out;
}

std::vector<Candidate> outlines(const Image &image, std::size_t most)
{
    std::vector<Likely> found;
    for (const Corners &quad : quadrilaterals(image, cell_of(image)))
        turns_of(image, quad, found);
    std::sort(found.begin(), found.end(), [](const Likely &a, const Likely &b) { return a.agreement > b.agreement; });
    std::vector<Candidate> out;
    for (const Likely &likely : found)
        if (out.size() < most)
            out.push_back(likely.candidate);
    return out;
}

} // namespace ehc::grey
