// threshold.h: a frame in black and white, by the levels around each part of it. C++17, no Python.
#pragma once

#include "pixels.h"

namespace ehc::frame {

/// Pixels of a side that a view must have for `threshold`, at least.
constexpr int least_thresholded = 40;

/// 0 where a pixel is dark, 255 where it is light, bit by bit as zxing-cpp (its LocalAverage) takes them, which spends half of
/// a look on it. A part's threshold is the middle of its levels, where they lie more than 24 apart, averaged over the 5x5
/// parts around; where there is none, that of the next part that has one. Parts that would be cut off begin further left or
/// further up. False where no part has a threshold: `out` says nothing then.
/// Throws std::invalid_argument for a view with a side under `least_thresholded`.
bool threshold(const View &grey, Plane &out);

} // namespace ehc::frame
