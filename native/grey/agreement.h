// agreement.h: how much a place in an image looks like a symbol of a version,
// by what all symbols of it have in common.
#pragma once

#include "warp.h"

namespace ehc::grey {

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
