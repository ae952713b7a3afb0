// warp.h: where the points of a symbol lie in an image, and the fit of that to points whose brightness is known.
#pragma once

#include "probes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace ehc::grey {

/// Somebody's grey pixels, side by side in a row; at least one.
struct Image {
    const std::uint8_t *data;
    int width, height;
    std::ptrdiff_t row; // bytes from a pixel to the one below it

    /// The last pixel that has one beside it, and below it; 0 where none has.
    int last_left() const noexcept { return std::max(width - 2, 0); }
    int last_top() const noexcept { return std::max(height - 2, 0); }

    /// Linear between the middles of pixels (pixel 0 has its middle at 0); the border repeated; any x and y.
    float at(float x, float y) const noexcept
    {
        const float right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
        x = x > 0 ? std::min(x, right) : 0.0F; // written so that NaN becomes 0
        y = y > 0 ? std::min(y, bottom) : 0.0F;
        const int left = std::min(static_cast<int>(x), last_left()), top = std::min(static_cast<int>(y), last_top());
        const float fx = x - static_cast<float>(left), fy = y - static_cast<float>(top);
        const std::uint8_t *const a = data + top * row + left, *const b = a + (height > 1 ? row : 0);
        const int next = width > 1;
        const float above = static_cast<float>(a[0]) + fx * static_cast<float>(a[next] - a[0]);
        const float below = static_cast<float>(b[0]) + fx * static_cast<float>(b[next] - b[0]);
        return above + fy * (below - above);
    }
};

using Corners = std::array<double, 8>; // x, y clockwise from the symbol's own top left; pixels

struct Point {
    float x, y;
};

/// -1 .. 1 across the symbol to pixels: bent in its own plane, then seen in perspective.
class Warp {
public:
    /// The corners of the symbol are those of pixels, as `Image::at` counts them.
    explicit Warp(const Corners &corners) noexcept;

    /// Flat, through four points: `from` in -1 .. 1 across the symbol, `to` in pixels, both in the same turn.
    Warp(const Corners &from, const Corners &to) noexcept;

    Point at(float u, float v) const noexcept
    {
        const float uu = 1 - u * u, vv = 1 - v * v;
        return flat_at(u + bend_[0] * uu + bend_[1] * vv + bend_[2] * u * uu,
                       v + bend_[3] * uu + bend_[4] * vv + bend_[5] * v * vv);
    }
    Point flat_at(float s, float t) const noexcept
    {
        const float scale = 1 / (f_[6] * s + f_[7] * t + f_[8]);
        return {(f_[0] * s + f_[1] * t + f_[2]) * scale, (f_[3] * s + f_[4] * t + f_[5]) * scale};
    }

    /// Nothing is bent: then `flat_at` is `at`.
    bool flat() const noexcept { return bend_ == std::array<float, 6>{}; }
    Corners corners() const noexcept;

    /// Every point of the symbol lies before the camera, its corners turn one way, it is at least `least` pixels wide
    /// and nowhere far outside an image of this size.
    bool sound(const Image &image, double least) const noexcept;

    /// Moved so that what is seen at a point was meant to be `terms` further on.
    void move(const std::array<float, most_unknowns> &terms) noexcept;

private:
    void set(const std::array<double, 9> &h) noexcept;

    std::array<double, 9> h_{};
    std::array<float, 9> f_{}; // the same, for the loops
    std::array<float, 6> bend_{};
};

/// level + contrast * value is what is seen, both planes across the symbol.
struct Light {
    std::array<float, 3> level{}, contrast{};

    float level_at(float u, float v) const noexcept { return level[0] + level[1] * u + level[2] * v; }
    float contrast_at(float u, float v) const noexcept { return contrast[0] + contrast[1] * u + contrast[2] * v; }
};

/// A contrast that is never near 0, so that it may divide.
inline float steady(float contrast, const Light &light) noexcept
{
    const float least = 0.2F * std::abs(light.contrast[0]) + 1e-3F;
    return std::abs(contrast) < least ? std::copysign(least, light.contrast[0]) : contrast;
}

struct Fit {
    Light light;
    float score = 0; // 0 .. 1: how much of what is seen at the probes the pattern explains
};

/// Moves the warp, in at most `rounds` rounds, to where the image agrees most with the pattern. curved: may bend it.
Fit fit(const Image &image, const Pattern &pattern, Warp &warp, int rounds, bool curved);

} // namespace ehc::grey
