// outline.h: where a QR symbol may be when nothing in it can be told apart any more: blurred by more than a module it is an
// even grey quadrilateral in its quiet zone.
#pragma once

#include "grey_core.h"

#include <vector>

namespace ehc::grey {

/// Quadrilaterals that are darker than what lies around them, and in them the turn and version whose finder and timing
/// patterns agree best with what is seen; the best agreement first, at most `most`.
std::vector<Candidate> outlines(const Image &image, std::size_t most);

} // namespace ehc::grey
