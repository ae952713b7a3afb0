// turns.h: where the levels along a line turn, and its edges: each at the middle between the two levels beside it, so that no
// threshold has to suit more than one edge.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ehc::grey {

/// A place where a signal turns, and its level there.
struct Turn {
    float at, level;
};

constexpr int block = 32; // pixels that are looked at in one go

/// Pixels from `at` on, in whole blocks, up to the first block with one that is not within lowest .. highest.
inline int even(const std::uint8_t *at, int left, float lowest, float highest) noexcept
{
    const int low = std::max(static_cast<int>(std::ceil(lowest)), 0),
              span = static_cast<int>(std::floor(highest)) - low;
    int skipped = 0;
    for (; skipped + block <= left; skipped += block) {
        std::uint8_t most = 0; // a level below the lowest wraps around to a large one
        for (int k = 0; k < block; ++k)
            most = std::max(most, static_cast<std::uint8_t>(at[skipped + k] - low));
        if (most > span)
            break;
    }
    return skipped;
}

/// Where a signal turns by more than `least` levels: highs and lows by turns. Two vectors used again from row to row.
class Turns {
public:
    /// skip: how many of the pixels from i on are sure to change nothing, given the highest and the lowest level since
    /// the last turn and whether the signal rises or falls.
    template <class Level, class Skip> void find(Level level, int count, float least, Skip skip)
    {
        turns_.clear();
        edges_.clear();
        float top = level(0), bottom = top, top_at = 0, bottom_at = 0;
        int i = 1;
        for (; i < count && top - bottom <= least; ++i) { // it is not known yet whether it rises
            if (i % block == 0)
                i += skip(i, bottom, top);
            if (i >= count)
                break;
            const float value = level(i);
            if (value > top)
                top = value, top_at = static_cast<float>(i);
            if (value < bottom)
                bottom = value, bottom_at = static_cast<float>(i);
        }
        if (top - bottom > least) {
            // downwards the same with its sign turned: what noise decides is then one branch a pixel, seldom taken
            float sign = top_at > bottom_at ? 1.0F : -1.0F;
            float most = std::max(sign * top, sign * bottom);
            int at = static_cast<int>(std::max(top_at, bottom_at));
            turns_.push_back(sign > 0 ? Turn{bottom_at, bottom} : Turn{top_at, top});
            while (i < count) {
                if (i % block == 0)
                    i += skip(i, sign > 0 ? most - least : -most, sign > 0 ? most : least - most);
                for (const int end = std::min(count, i - i % block + block); i < end; ++i) {
                    const float value = sign * level(i);
                    at = value > most ? i : at;
                    most = value > most ? value : most;
                    if (most - value > least) {
                        turns_.push_back({static_cast<float>(at), sign * most});
                        sign = -sign, most = -value, at = i;
                    }
                }
            }
            turns_.push_back({static_cast<float>(at), sign * most});
        }
        for (std::size_t n = 0; n + 1 < turns_.size(); ++n)
            edges_.push_back(edge(level, turns_[n], turns_[n + 1]));
    }

    /// Of a row of pixels.
    void find(const std::uint8_t *pixels, int count, float least)
    {
        find([pixels](int i) { return static_cast<float>(pixels[i]); }, count, least,
             [&](int i, float lowest, float highest) { return even(pixels + i, count - i, lowest, highest); });
    }

    std::size_t size() const noexcept { return edges_.size(); }
    float edge(std::size_t i) const noexcept { return edges_[i]; } // between turns i and i + 1
    float level(std::size_t i) const noexcept { return turns_[i].level; }

    /// Of the five runs from edge i on and what is outside them, how far every dark level is under every light one. dark:
    /// the first run is.
    float five_apart(std::size_t i, bool dark) const noexcept
    {
        const float sign = dark ? 1.0F : -1.0F;
        float lightest_dark = -1e9F, darkest_light = 1e9F;
        for (std::size_t k = 0; k < 7; ++k) {
            const float seen = sign * level(i + k);
            if (k % 2 == 1)
                lightest_dark = std::max(lightest_dark, seen);
            else
                darkest_light = std::min(darkest_light, seen);
        }
        return darkest_light - lightest_dark;
    }

private:
    /// Where the signal passes the middle between two turns.
    template <class Level> static float edge(Level level, const Turn &a, const Turn &b)
    {
        const float middle = (a.level + b.level) / 2;
        const bool up = b.level > a.level;
        int i = static_cast<int>(a.at) + 1;
        while (i < static_cast<int>(b.at) && (level(i) < middle) == up)
            ++i;
        const float before = level(i - 1), after = level(i);
        const float part = after == before ? 0.5F : (middle - before) / (after - before);
        return static_cast<float>(i - 1) + std::clamp(part, 0.0F, 1.0F);
    }

    std::vector<Turn> turns_;
    std::vector<float> edges_;
};

} // namespace ehc::grey
