// samples.h: the levels of an image at many points of a symbol. What `Image::at` and `Warp::at` say of one point, to the
// bit, in three loops over a few points each: the first and the last have no branches, so a compiler makes vectors of them.
#pragma once

#include "warp.h"

namespace ehc::grey {

constexpr std::size_t most_at_once = 64; // points

/// out[i] is the level at pixel x[i], y[i], which are spoilt: of most_at_once points or fewer, of an image that has two pixels
/// or more each way.
inline void levels_at(const Image &image, std::size_t count, float *__restrict x, float *__restrict y,
                      float *__restrict out) noexcept
{
    const float right = static_cast<float>(image.width - 1), bottom = static_cast<float>(image.height - 1);
    std::int32_t left[most_at_once], top[most_at_once], above[most_at_once], below[most_at_once];
    for (std::size_t i = 0; i < count; ++i) {
        const float u = x[i] > 0 ? x[i] : 0.0F, v = y[i] > 0 ? y[i] : 0.0F; // written so that NaN becomes 0
        x[i] = u < right ? u : right, y[i] = v < bottom ? v : bottom;
        left[i] = static_cast<std::int32_t>(x[i] < right - 1 ? x[i] : right - 1);
        top[i] = static_cast<std::int32_t>(y[i] < bottom - 1 ? y[i] : bottom - 1);
        x[i] -= static_cast<float>(left[i]), y[i] -= static_cast<float>(top[i]);
    }
    for (std::size_t i = 0; i < count; ++i) { // two pixels in one go
        const std::uint8_t *const a = image.data + top[i] * image.row + left[i], *const b = a + image.row;
        above[i] = a[0] | a[1] << 8, below[i] = b[0] | b[1] << 8;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t a = above[i] & 255, b = below[i] & 255;
        const float over = static_cast<float>(a) + x[i] * static_cast<float>((above[i] >> 8) - a);
        const float under = static_cast<float>(b) + x[i] * static_cast<float>((below[i] >> 8) - b);
        out[i] = over + y[i] * (under - over);
    }
}

/// out[i] is the level at point(i), which says u and v across the symbol; i from 0 to count - 1.
template <class At> void levels(const Image &image, const Warp &warp, std::size_t count, At point, float *out) noexcept
{
    const bool flat = warp.flat();
    float x[most_at_once], y[most_at_once];
    for (std::size_t from = 0; from < count; from += most_at_once) {
        const std::size_t some = std::min(most_at_once, count - from);
        for (std::size_t i = 0; i < some; ++i) {
            const Point at = point(from + i);
            x[i] = at.x, y[i] = at.y;
        }
        const auto to_pixels = [&](auto warped) {
            for (std::size_t i = 0; i < some; ++i) {
                const Point at = warped(x[i], y[i]);
                x[i] = at.x, y[i] = at.y;
            }
        };
        if (flat)
            to_pixels([&](float u, float v) { return warp.flat_at(u, v); });
        else
            to_pixels([&](float u, float v) { return warp.at(u, v); });
        levels_at(image, some, x, y, out + from);
    }
}

} // namespace ehc::grey
