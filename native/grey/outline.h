// outline.h: where a symbol may be when nothing in it can be told apart any more: blurred by more than a module it is an
// even grey quadrilateral in its quiet zone.
#pragma once

#include "grey_core.h"

#include <vector>

namespace ehc::grey {

/// Pixels of a side of the cells that an image is seen in as a whole.
int cell_of(const Image &image) noexcept;

/// Quadrilaterals that are darker than what lies around them; the largest first, corners clockwise. cell: no side of the
/// image is shorter.
std::vector<Corners> quadrilaterals(const Image &image, int cell);

/// Quadrilaterals that are darker than what lies around them, and in them the turn and version whose finder and timing
/// patterns agree best with what is seen; the best agreement first, at most `most`.
std::vector<Candidate> outlines(const Image &image, std::size_t most);

} // namespace ehc::grey
