// bars.h: where bars stand side by side, at any turn, and the pixels there as if they stood upright: for decoders that
// read bars along the rows of an image alone (PDF417, one-dimensional codes). C++17, no state, no Python.
#pragma once

#include "pixels.h"

#include <array>
#include <cstddef>
#include <vector>

namespace ehc::frame {

using Spot = std::array<double, 2>; // x and y in pixels of an image

/// A parallelogram by three of its corners: the middles of its first pixel, of the last one
/// across the bars, of the last one along them. A sheet that is tilted shears what stands on it.
using Bars = std::array<Spot, 3>;

/// Where the levels change mostly along one direction and all around along the same one, a quiet zone included; up to
/// `most`, those with the most in them first. Text in lines is taken for bars, too. Works on a view with pixels side by side
/// or not; one under 32 pixels a side holds none.
std::vector<Bars> bars(const View &grey, std::size_t most);

/// The pixels of a parallelogram in rows, as many as its sides are long, linear between the pixels' middles; beyond the
/// border its pixels repeated. Throws std::invalid_argument for sides over `longest_upright` pixels, or numbers that are
/// none.
void upright(const View &grey, const Bars &where, Plane &out);

/// How often the pixels from one place to another go from below their mean to above it, or back. Throws as `upright` does.
int edges(const View &grey, const Spot &from, const Spot &to);

constexpr int longest_upright = 8192;

} // namespace ehc::frame
