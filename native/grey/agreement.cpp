// agreement.cpp: see agreement.h. Of a square of n x n modules each corner and
// each side is looked at once: a turn takes the three corners and the two sides
// that are its finder and its timing patterns.
#include "agreement.h"

#include "qr_layout.h"
#include "samples.h"

namespace ehc::grey {

namespace {

class Square {
public:
    Square(const Image &image, const Warp &warp, int n) noexcept : image_(image), warp_(warp), n_(n) {}

    /// A finder pattern and the light around it; corners clockwise from the top
    /// left.
    Sums corner(int which) const noexcept
    {
        constexpr int side = 9;
        const auto place = [&](std::size_t i) {
            const int x = static_cast<int>(i) % side - 1, y = static_cast<int>(i) / side - 1;
            return at(which == 1 || which == 2 ? n_ - 1 - x : x, which >= 2 ? n_ - 1 - y : y);
        };
        const auto is_dark = [](std::size_t i) {
            const int x = static_cast<int>(i) % side - 4, y = static_cast<int>(i) / side - 4;
            const int ring = std::max(std::abs(x), std::abs(y));
            return ring != 2 && ring != 4;
        };
        return sums(side * side, place, is_dark);
    }

    /// The timing pattern along a side; sides clockwise from the top one.
    Sums side(int which) const noexcept
    {
        const auto place = [&](std::size_t i) {
            const int along = static_cast<int>(i) + 8, deep = which == 1 || which == 2 ? n_ - 7 : 6;
            return which % 2 ? at(deep, along) : at(along, deep);
        };
        return sums(static_cast<std::size_t>(n_ - 16), place, [](std::size_t i) { return i % 2 == 0; });
    }

private:
    /// The middle of a module.
    Point at(int x, int y) const noexcept
    {
        const float scale = 2.0F / static_cast<float>(n_);
        return {(static_cast<float>(x) + 0.5F) * scale - 1, (static_cast<float>(y) + 0.5F) * scale - 1};
    }

    template <class Place, class Dark> Sums sums(std::size_t count, Place place, Dark is_dark) const noexcept
    {
        std::array<float, size_of(last_version)> seen;
        levels(image_, warp_, count, place, seen.data());
        Sums out;
        for (std::size_t i = 0; i < count; ++i)
            out.add(seen[i], is_dark(i), 1);
        return out;
    }

    const Image &image_;
    const Warp &warp_;
    const int n_;
};

/// Of a turn: the corners but for the opposite one, and the sides that meet in
/// the first; timing patterns weigh never more than two thirds of a finder
/// pattern each.
float of_turn(const std::array<Sums, 4> &corners, const std::array<Sums, 4> &sides, std::size_t turn, int n) noexcept
{
    Sums all = corners[turn];
    all.add(corners[(turn + 1) % 4]), all.add(corners[(turn + 3) % 4]);
    const float weight = 32.0F / static_cast<float>(n - 16);
    all.add(sides[turn], weight), all.add(sides[(turn + 3) % 4], weight);
    return all.agreement();
}

} // namespace

float agreement(const Image &image, const Warp &warp, int version) noexcept
{
    const Square square(image, warp, size_of(version));
    return of_turn({square.corner(0), square.corner(1), {}, square.corner(3)}, {square.side(0), {}, {}, square.side(3)},
                   0, size_of(version));
}

std::array<Guess, 4> versions_seen(const Image &image, const Warp &warp) noexcept
{
    const Corners c = warp.corners();
    double longest = 0;
    for (std::size_t i = 0; i < 8; i += 2)
        longest = std::max(longest, std::hypot(c[(i + 2) % 8] - c[i], c[(i + 3) % 8] - c[i + 1]));
    std::array<Guess, 4> best;
    best.fill({1, -1});
    for (int version = 1; version <= last_version; ++version) {
        const int n = size_of(version);
        if (longest < n && version > 1) // modules under a pixel
            break;
        const Square square(image, warp, n);
        std::array<Sums, 4> corners, sides;
        for (std::size_t k = 0; k < 4; ++k)
            corners[k] = square.corner(static_cast<int>(k)), sides[k] = square.side(static_cast<int>(k));
        for (std::size_t turn = 0; turn < 4; ++turn) {
            const float found = of_turn(corners, sides, turn, n);
            if (found > best[turn].agreement)
                best[turn] = {version, found};
        }
    }
    return best;
}

} // namespace ehc::grey
