// agreement.h: how much a place in an image looks like a symbol of a version,
// by what all symbols of it have in common.
#pragma once

#include "warp.h"

namespace ehc::grey {

/// What was seen of modules that are dark, and of those that are light.
struct Sums {
    float dark = 0, light = 0, squares = 0, darks = 0, lights = 0;

    void add(float seen, bool is_dark, float weight) noexcept
    {
        (is_dark ? dark : light) += weight * seen, (is_dark ? darks : lights) += weight;
        squares += weight * seen * seen;
    }

    void add(const Sums &other, float weight = 1) noexcept
    {
        dark += weight * other.dark, light += weight * other.light, squares += weight * other.squares;
        darks += weight * other.darks, lights += weight * other.lights;
    }

    float agreement() const noexcept
    {
        const float mass = darks + lights, mean = (dark + light) / mass, variance = squares / mass - mean * mean;
        return std::abs(dark / darks - light / lights) / std::sqrt(std::max(variance, 0.0F) + 4);
    }
};

/// How well the finder and timing patterns of a version agree with what a warp
/// shows, 0 or more.
float agreement(const Image &image, const Warp &warp, int version) noexcept;

/// A version that looks right.
struct Guess {
    int version;
    float agreement;
};

/// The one that agrees best, for each turn of the corners: the symbol's own top
/// left is the first of them, then the second and so on
std::array<Guess, 4> versions_seen(const Image &image, const Warp &warp) noexcept;

} // namespace ehc::grey
