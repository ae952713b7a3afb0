// hanxin_finder.h: where Han Xin symbols may be in an image: dark quadrilaterals, and corner patterns that fit together;
// in either the four corners are then looked for where they must be.
#pragma once

#include "grey_core.h"

#include <vector>

namespace ehc::grey {

/// Corners and version of what may be symbols, the likeliest first, at most `most`: by the outline of the whole symbol.
std::vector<Candidate> hanxin_outlines(const Image &image, std::size_t most);

/// The same by the squares of three by three modules in the corners, which four, or three, lines lead to: dark, light, dark,
/// light, dark, 1:1:1:1:3, along a row or a column.
std::vector<Candidate> locate_hanxin(const Image &image, std::size_t most);

} // namespace ehc::grey
