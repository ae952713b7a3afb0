// outline.cpp: see outline.h.
#include "outline.h"

#include "finder.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ehc::grey {

namespace {

constexpr int cells = 176;      // of the longer side: one is at most a quiet zone wide, for symbols worth a look
constexpr int around = 12;      // cells over which the lightest counts as the paper
constexpr int least_cells = 60; // of a symbol's area

struct Cells {
    int width, height, pixels; // a cell has pixels * pixels
    std::vector<float> level;

    float at(int x, int y) const { return level[static_cast<std::size_t>(y * width + x)]; }
};

Cells cells_of(const Image &image)
{
    const int pixels = std::max(1, std::max(image.width, image.height) / cells);
    Cells out{image.width / pixels, image.height / pixels, pixels, {}};
    std::vector<int> sums(static_cast<std::size_t>(out.width));
    const float scale = 1.0F / static_cast<float>(pixels * pixels);
    for (int y = 0; y < out.height; ++y) {
        std::fill(sums.begin(), sums.end(), 0);
        for (int i = 0; i < pixels; ++i) {
            const std::uint8_t *at = image.data + (y * pixels + i) * image.row;
            for (int &sum : sums)
                for (int k = 0; k < pixels; ++k)
                    sum += *at++;
        }
        for (const int sum : sums)
            out.level.push_back(scale * static_cast<float>(sum));
    }
    return out;
}

/// Means of 3x3 cells, the border repeated.
std::vector<float> smoothed(const Cells &in)
{
    std::vector<float> out(in.level.size());
    for (int y = 0; y < in.height; ++y)
        for (int x = 0; x < in.width; ++x) {
            float sum = 0;
            for (int i = std::max(y - 1, 0); i <= y + 1; ++i)
                for (int k = std::max(x - 1, 0); k <= x + 1; ++k)
                    sum += in.at(std::min(k, in.width - 1), std::min(i, in.height - 1));
            const int count = (y == 0 ? 2 : 3) * (x == 0 ? 2 : 3);
            out[static_cast<std::size_t>(y * in.width + x)] = sum / static_cast<float>(count);
        }
    return out;
}

/// The largest value within `around` cells, along rows and then along columns.
std::vector<float> lightest(const Cells &in, const std::vector<float> &level)
{
    std::vector<float> rows(in.level.size()), out(in.level.size());
    const auto window = [](const float *from, float *to, int count, int step) {
        for (int i = 0; i < count; ++i) {
            float most = 0;
            for (int k = std::max(0, i - around); k <= std::min(count - 1, i + around); ++k)
                most = std::max(most, from[k * step]);
            to[i * step] = most;
        }
    };
    for (int y = 0; y < in.height; ++y)
        window(&level[static_cast<std::size_t>(y * in.width)], &rows[static_cast<std::size_t>(y * in.width)], in.width,
               1);
    for (int x = 0; x < in.width; ++x)
        window(&rows[static_cast<std::size_t>(x)], &out[static_cast<std::size_t>(x)], in.height, in.width);
    return out;
}

using Spot = std::pair<int, int>;

/// Connected cells from a start, taken out of the map; four neighbours.
std::vector<Spot> taken(std::vector<char> &map, int width, int height, Spot start)
{
    std::vector<Spot> out{start};
    map[static_cast<std::size_t>(start.second * width + start.first)] = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto [x, y] = out[i];
        for (const auto &[nx, ny] : {Spot{x + 1, y}, Spot{x - 1, y}, Spot{x, y + 1}, Spot{x, y - 1}})
            if (nx >= 0 && ny >= 0 && nx < width && ny < height && map[static_cast<std::size_t>(ny * width + nx)]) {
                map[static_cast<std::size_t>(ny * width + nx)] = 0;
                out.push_back({nx, ny});
            }
    }
    return out;
}

/// Convex hull, counter-clockwise in a plane with y upwards, so clockwise in an image (Andrew's monotone chain).
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
        const auto &a = hull[i], &b = hull[k], &c = hull[m];
        return 0.5 *
               std::abs((b.first - a.first) * (c.second - a.second) - (b.second - a.second) * (c.first - a.first));
    };
    for (std::size_t i = 0; i + 2 < n; ++i)
        for (std::size_t k = i + 2; k < n; ++k) { // a diagonal, and the furthest point on either side of it
            std::size_t one = i + 1, other = k;
            for (std::size_t m = i + 1; m < k; ++m)
                if (area(i, k, m) > area(i, k, one))
                    one = m;
            double far = 0;
            for (std::size_t m = k + 1; m < n + i; ++m)
                if (area(i, k, m % n) > far)
                    far = area(i, k, m % n), other = m % n;
            if (area(i, k, one) + far > best.second)
                best = {{hull[i], hull[one], hull[k], hull[other]}, area(i, k, one) + far};
        }
    return best;
}

/// Corners of the cells' outline in pixels: pushed outwards by half a cell, for the spots are middles.
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
    for (std::size_t turn = 0; turn < 4; ++turn) {
        Corners turned{};
        for (std::size_t i = 0; i < 8; ++i)
            turned[i] = corners[(i + 2 * turn) % 8];
        if (!Warp(turned).sound(image, size_of(1)) || slender(turned))
            continue;
        const Guess guess = version_seen(image, Warp(turned));
        out.push_back({guess.agreement, {turned, guess.version}});
    }
}

} // namespace

std::vector<Candidate> outlines(const Image &image, std::size_t most)
{
    const Cells grid = cells_of(image);
    const std::vector<float> even = smoothed(grid), paper = lightest(grid, even); // noise is no paper
    const std::vector<float> &level = noise_of(image) > 4 * static_cast<float>(grid.pixels) ? even : grid.level;
    std::vector<char> dark(grid.level.size());
    for (std::size_t i = 0; i < dark.size(); ++i)
        dark[i] = level[i] < 0.85F * paper[i] - 2;
    std::vector<Likely> found;
    for (int y = 0; y < grid.height; ++y)
        for (int x = 0; x < grid.width; ++x) {
            if (!dark[static_cast<std::size_t>(y * grid.width + x)])
                continue;
            const auto spots = taken(dark, grid.width, grid.height, {x, y});
            if (spots.size() < least_cells)
                continue;
            const auto hull = hull_of(spots);
            if (hull.size() < 4 || hull.size() > 80)
                continue;
            const auto [quad, area] = largest_quadrilateral(hull);
            if (area < least_cells || static_cast<double>(spots.size()) < 0.7 * area)
                continue;
            turns_of(image, pixels_of(quad, grid.pixels), found);
        }
    std::sort(found.begin(), found.end(), [](const Likely &a, const Likely &b) { return a.agreement > b.agreement; });
    std::vector<Candidate> out;
    for (const Likely &likely : found)
        if (out.size() < most)
            out.push_back(likely.candidate);
    return out;
}

} // namespace ehc::grey
