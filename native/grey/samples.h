// samples.h: the levels of an image at many points of a symbol. What `Image::at` and `Warp::at` say of one point, to the
// bit, in three loops over a few points each: the first and the last have no branches, so a compiler makes vectors of them.
#pragma once

#include "warp.h"

namespace ehc::grey {

/// out[i] is the level at point(i), which says u and v across the symbol; i from 0 to count - 1.
template <class At> void levels(const Image &image, const Warp &warp, std::size_t count, At point, float *out) noexcept
{
    constexpr std::size_t most = 64; // points in one go
    const float right = static_cast<float>(image.width - 1), bottom = static_cast<float>(image.height - 1);
    const int last_left = image.last_left(), last_top = image.last_top(), next = image.width > 1;
    const std::ptrdiff_t below_it = image.height > 1 ? image.row : 0;
    float x[most], y[most];
    std::int32_t left[most], top[most], seen[4][most];
    for (std::size_t from = 0; from < count; from += most, out += most) {
        const std::size_t some = std::min(most, count - from);
        for (std::size_t i = 0; i < some; ++i) {
            const Point at = point(from + i);
            x[i] = at.x, y[i] = at.y;
        }
        for (std::size_t i = 0; i < some; ++i) {
            const Point at = warp.at(x[i], y[i]);
            const float u = at.x > 0 ? at.x : 0.0F, v = at.y > 0 ? at.y : 0.0F; // written so that NaN becomes 0
            x[i] = u < right ? u : right, y[i] = v < bottom ? v : bottom;
            left[i] = std::min(static_cast<std::int32_t>(x[i]), last_left);
            top[i] = std::min(static_cast<std::int32_t>(y[i]), last_top);
            x[i] -= static_cast<float>(left[i]), y[i] -= static_cast<float>(top[i]);
        }
        for (std::size_t i = 0; i < some; ++i) {
            const std::uint8_t *const a = image.data + top[i] * image.row + left[i], *const b = a + below_it;
            seen[0][i] = a[0], seen[1][i] = a[next], seen[2][i] = b[0], seen[3][i] = b[next];
        }
        for (std::size_t i = 0; i < some; ++i) {
            const float above = static_cast<float>(seen[0][i]) + x[i] * static_cast<float>(seen[1][i] - seen[0][i]);
            const float below = static_cast<float>(seen[2][i]) + x[i] * static_cast<float>(seen[3][i] - seen[2][i]);
            out[i] = above + y[i] * (below - above);
        }
    }
}

} // namespace ehc::grey
