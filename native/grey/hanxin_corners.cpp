// hanxin_corners.cpp: see hanxin_corners.h.
#include "hanxin_corners.h"

#include "hanxin_layout.h"
#include "samples.h"

#include <cmath>

namespace ehc::grey {

namespace {

constexpr int corner = 8; // modules of a corner with its border to the data

/// Of a place in modules from the symbol's corner: 1 dark, -1 light, 0 data.
constexpr float meant(float x, float y, bool square_outside) noexcept
{
    if (x < 0 || y < 0)
        return -1;
    if (x >= corner || y >= corner)
        return 0;
    return x < 7 && y < 7 && hanxin_corner(static_cast<int>(x), static_cast<int>(y), square_outside) ? 1.0F : -1.0F;
}

/// What is seen of the modules of a corner, over their mean.
using Look = std::array<float, corner * corner>;

/// Each module as an even disc around its middle sees it. radius: modules.
Look through_disc(float radius, bool square_outside)
{
    constexpr int fine = 4; // points a module
    const int reach = static_cast<int>(std::ceil(radius * fine));
    Look out{};
    float mean = 0;
    for (int i = 0; i < corner * corner; ++i) {
        float sum = 0, count = 0;
        for (int dy = -reach; dy <= reach; ++dy)
            for (int dx = -reach; dx <= reach; ++dx) {
                const float x = static_cast<float>(dx) / fine, y = static_cast<float>(dy) / fine;
                if (x * x + y * y > radius * radius)
                    continue;
                sum += meant(static_cast<float>(i % corner) + 0.5F + x, static_cast<float>(i / corner) + 0.5F + y,
                             square_outside);
                ++count;
            }
        out[static_cast<std::size_t>(i)] = sum / count, mean += sum / count / (corner * corner);
    }
    for (float &one : out)
        one -= mean;
    return out;
}

/// By what it is seen through, and whether its square is outside. A sharp one has no mean: all modules count the same.
const Look &look_of(std::size_t blur, bool square_outside)
{
    static const std::array<std::array<Look, 2>, 2> looks = [] {
        constexpr float out_of_focus = 1.3F; // between what still shows lines and what is still read
        std::array<std::array<Look, 2>, 2> out;
        for (const bool outside : {false, true}) {
            for (std::size_t i = 0; i < corner * corner; ++i)
                out[0][outside][i] = meant(static_cast<float>(i % corner), static_cast<float>(i / corner), outside);
            out[1][outside] = through_disc(out_of_focus, outside);
        }
        return out;
    }();
    return looks[blur][square_outside];
}

} // namespace

Point inside(int which, float x, float y, int size) noexcept
{
    const float scale = 2.0F / static_cast<float>(size), u = x * scale - 1, v = y * scale - 1;
    return {which == 1 || which == 2 ? -u : u, which >= 2 ? -v : v};
}

std::array<Sums, 2> corner_seen(const Image &image, const Warp &warp, int which, int size, std::size_t blur) noexcept
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
    for (const bool outside : {false, true}) {
        const Look &look = look_of(blur, outside);
        for (std::size_t i = 0; i < seen.size(); ++i)
            out[outside].add(seen[i], look[i] > 0, std::abs(look[i]));
    }
    return out;
}

Shift shift_of(const Image &image, const Warp &warp, int which, int size, bool square_outside,
               std::size_t blur) noexcept
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
    const Look &look = look_of(blur, square_outside);
    float darks = 0, lights = 0;
    for (const float one : look)
        (one > 0 ? darks : lights) += std::abs(one);
    Look share{}, part{}; // of the dark ones over the light ones, and of both
    for (std::size_t i = 0; i < look.size(); ++i)
        share[i] = look[i] / (look[i] > 0 ? darks : lights), part[i] = std::abs(look[i]) / (darks + lights);
    Shift best{0, 0, -1};
    for (int dy = 0; dy <= 2 * reach; ++dy)
        for (int dx = 0; dx <= 2 * reach; ++dx) {
            float contrast = 0, mean = 0, squares = 0;
            for (int y = 0; y < corner; ++y)
                for (int x = 0; x < corner; ++x) {
                    const float level = seen[static_cast<std::size_t>((2 * y + dy) * side + 2 * x + dx)];
                    const auto i = static_cast<std::size_t>(y * corner + x);
                    contrast += share[i] * level, mean += part[i] * level, squares += part[i] * level * level;
                }
            const float variance = std::max(squares - mean * mean, 0.0F);
            const float agreement = std::abs(contrast) / std::sqrt(variance + 4);
            const int away = (dx - reach) * (dx - reach) + (dy - reach) * (dy - reach);
            if (const float found = agreement - 0.002F * static_cast<float>(away); found > best.agreement)
                best = {0.5F * static_cast<float>(dx - reach), 0.5F * static_cast<float>(dy - reach), found};
        }
    return best;
}

std::pair<Warp, float> through_corners(const Image &image, const Warp &warp, int size, std::size_t blur) noexcept
{
    Corners from{}, to{};
    float agreement = 0;
    for (int which = 0; which < 4; ++which) {
        const Shift shift = shift_of(image, warp, which, size, which == 3, blur);
        const Point place = inside(which, 3.5F, 3.5F, size);
        const Point there = inside(which, 3.5F + shift.x, 3.5F + shift.y, size), seen = warp.at(there.x, there.y);
        const auto at = static_cast<std::size_t>(2 * which);
        from[at] = place.x, from[at + 1] = place.y, to[at] = seen.x, to[at + 1] = seen.y;
        agreement += shift.agreement / 4;
    }
    return {Warp(from, to), agreement};
}

} // namespace ehc::grey
