// hanxin_corners.cpp: see hanxin_corners.h.
#include "hanxin_corners.h"

#include "hanxin_layout.h"
#include "samples.h"

namespace ehc::grey {

namespace {

constexpr int corner = 8; // modules of a corner with its border to the data

constexpr bool is_dark(int x, int y, bool square_outside) noexcept
{
    return x < 7 && y < 7 && hanxin_corner(x, y, square_outside);
}

} // namespace

Point inside(int which, float x, float y, int size) noexcept
{
    const float scale = 2.0F / static_cast<float>(size), u = x * scale - 1, v = y * scale - 1;
    return {which == 1 || which == 2 ? -u : u, which >= 2 ? -v : v};
}

std::array<Sums, 2> corner_seen(const Image &image, const Warp &warp, int which, int size) noexcept
{
    std::array<float, corner * corner> seen;
    levels(
        image, warp, seen.size(),
        [&](std::size_t i) {
            const auto at = [](std::size_t k) { return static_cast<float>(k) + 0.5F; };
            return inside(which, at(i % corner), at(i / corner), size);
        },
        seen.data());
    std::array<Sums, 2> out;
    for (std::size_t i = 0; i < seen.size(); ++i)
        for (std::size_t way = 0; way < 2; ++way)
            out[way].add(seen[i], is_dark(static_cast<int>(i % corner), static_cast<int>(i / corner), way == 1), 1);
    return out;
}

Shift shift_of(const Image &image, const Warp &warp, int which, int size, bool square_outside) noexcept
{
    constexpr int reach = 6, side = 2 * corner + 2 * reach;
    std::array<float, side * side> seen;
    levels(
        image, warp, seen.size(),
        [&](std::size_t i) {
            const auto at = [](std::size_t k) { return 0.5F * (static_cast<float>(k) - reach) + 0.5F; };
            return inside(which, at(i % side), at(i / side), size);
        },
        seen.data());
    Shift best{0, 0, -1};
    for (int dy = 0; dy <= 2 * reach; ++dy)
        for (int dx = 0; dx <= 2 * reach; ++dx) {
            float dark = 0, light = 0, squares = 0;
            for (int y = 0; y < corner; ++y)
                for (int x = 0; x < corner; ++x) {
                    const float level = seen[static_cast<std::size_t>((2 * y + dy) * side + 2 * x + dx)];
                    (is_dark(x, y, square_outside) ? dark : light) += level;
                    squares += level * level;
                }
            constexpr int darks = [] {
                int count = 0;
                for (int i = 0; i < corner * corner; ++i)
                    count += is_dark(i % corner, i / corner, false);
                return count;
            }();
            constexpr int all = corner * corner;
            const float mean = (dark + light) / all, variance = std::max(squares / all - mean * mean, 0.0F);
            const float agreement = std::abs(dark / darks - light / (all - darks)) / std::sqrt(variance + 4);
            const int away = (dx - reach) * (dx - reach) + (dy - reach) * (dy - reach);
            if (const float found = agreement - 0.002F * static_cast<float>(away); found > best.agreement)
                best = {0.5F * static_cast<float>(dx - reach), 0.5F * static_cast<float>(dy - reach), found};
        }
    return best;
}

std::pair<Warp, float> through_corners(const Image &image, const Warp &warp, int size) noexcept
{
    Corners from{}, to{};
    float agreement = 0;
    for (int which = 0; which < 4; ++which) {
        const Shift shift = shift_of(image, warp, which, size, which == 3);
        const Point place = inside(which, 3.5F, 3.5F, size);
        const Point there = inside(which, 3.5F + shift.x, 3.5F + shift.y, size), seen = warp.at(there.x, there.y);
        const auto at = static_cast<std::size_t>(2 * which);
        from[at] = place.x, from[at + 1] = place.y, to[at] = seen.x, to[at + 1] = seen.y;
        agreement += shift.agreement / 4;
    }
    return {Warp(from, to), agreement};
}

} // namespace ehc::grey
