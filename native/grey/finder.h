// finder.h: where QR symbols may be in an image too blurred, noisy or glaring for a thresholding decoder. Finder patterns
// are looked for as dark, light, dark, light, dark along a row, 1:1:3:1:1, each edge at the middle between the two levels
// beside it, so that no threshold has to suit more than one edge.
#pragma once

#include "grey_core.h"

#include <vector>

namespace ehc::grey {

struct FinderPattern {
    float x, y;   // of its middle, pixels
    float module; // pixels, along the row and the column on average
    bool dark;    // its middle; false in an inverted symbol
    float votes;  // 0 .. 3: rows that crossed it, of those that could, and diagonals
};

/// Every place that looks like a finder pattern along the row and the column; most votes first, at most
/// `most` of them.
std::vector<FinderPattern> finder_patterns(const Image &image, std::size_t most);

/// The standard deviation of the noise of an image, in levels.
float noise_of(const Image &image);

/// Symbols that three finder patterns could belong to, or two where no three could, likeliest first; at most `most`.
std::vector<Candidate> locate(const Image &image, std::size_t most);

} // namespace ehc::grey
