// hanxin_corners.h: how much the corners of a place in an image look like those of a Han Xin symbol, and where near it they
// look most so.
#pragma once

#include "agreement.h"

#include <utility>

namespace ehc::grey {

/// Of a corner of a warp, clockwise from its first, the place that lies (x, y) modules inside along both sides.
Point inside(int which, float x, float y, int size) noexcept;

/// What a corner shows, were its square inside, and were it outside. blur: which of `blurs` it is seen through; out of focus
/// its lines are even, or turned over.
std::array<Sums, 2> corner_seen(const Image &image, const Warp &warp, int which, int size, std::size_t blur) noexcept;

/// Flat, through the four corners where they look most like themselves, up to three modules from where a warp has them;
/// and how much they do.
std::pair<Warp, float> through_corners(const Image &image, const Warp &warp, int size, std::size_t blur) noexcept;

/// Where a corner looks most like itself, up to three modules from where a warp has it, as modules along both sides; and how
/// much it does.
struct Shift {
    float x, y, agreement;
};
Shift shift_of(const Image &image, const Warp &warp, int which, int size, bool square_outside,
               std::size_t blur) noexcept;

} // namespace ehc::grey
