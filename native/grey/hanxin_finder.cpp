// hanxin_finder.cpp: see hanxin_finder.h.
#include "hanxin_finder.h"

#include "finder.h"
#include "hanxin_corners.h"
#include "hanxin_layout.h"
#include "outline.h"
#include "turns.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace ehc::grey {

namespace {

// Of corners in a symbol of an outline, however blurred, 0.79 or more was seen, and out of focus 1.57 or more; of such with
// their squares 1.71 or more. In other places up to 1.34, out of focus 1.43, of squares 1.19.
constexpr float least_blurred = 0.75F, least_out_of_focus = 1.45F, least_sharp = 1.4F;

struct Likely {
    float agreement;
    Candidate candidate;
    std::size_t blur = 0; // which of `blurs` it is seen through
};

Corners turned(const Corners &corners, std::size_t turn) noexcept
{
    Corners out{};
    for (std::size_t i = 0; i < 8; ++i)
        out[i] = corners[(i + 2 * turn) % 8];
    return out;
}

double longest_side(const Corners &corners) noexcept
{
    double longest = 0;
    for (std::size_t i = 0; i < 8; i += 2)
        longest =
            std::max(longest, std::hypot(corners[(i + 2) % 8] - corners[i], corners[(i + 3) % 8] - corners[i + 1]));
    return longest;
}

/// Each turn of a quadrilateral with the version that agrees best with it, sharp or out of focus. The last corner has its
/// square outside.
void turns_of(const Image &image, const Corners &corners, std::size_t blur, std::vector<Likely> &out)
{
    const Warp warp(corners);
    if (!warp.sound(image, hanxin_size_of(1)))
        return;
    const double longest = longest_side(corners);
    std::array<Likely, 4> best;
    for (std::size_t turn = 0; turn < 4; ++turn)
        best[turn] = {-1, {turned(corners, turn), 1, Symbology::hanxin}, blur};
    for (int version = 1; version <= last_hanxin_version; ++version) {
        const int size = hanxin_size_of(version);
        if (longest < size && version > 1) // modules under a pixel
            break;
        std::array<std::array<Sums, 2>, 4> seen;
        for (int which = 0; which < 4; ++which)
            seen[static_cast<std::size_t>(which)] = corner_seen(image, warp, which, size, blur);
        for (std::size_t turn = 0; turn < 4; ++turn) {
            Sums all;
            for (std::size_t which = 0; which < 4; ++which)
                all.add(seen[(which + turn) % 4][which == 3]);
            if (const float found = all.agreement(); found > best[turn].agreement)
                best[turn].agreement = found, best[turn].candidate.version = version;
        }
    }
    out.insert(out.end(), best.begin(), best.end());
}

/// The same of a small one, whose corners may be off by more than a module each: wherever they look like themselves.
void turns_of_small(const Image &image, const Corners &corners, std::vector<Likely> &out)
{
    const Warp warp(corners);
    if (!warp.sound(image, 16))
        return;
    const double side = longest_side(corners);
    std::array<Likely, 4> best;
    for (std::size_t turn = 0; turn < 4; ++turn)
        best[turn] = {-1, {turned(corners, turn), 1, Symbology::hanxin}};
    for (int version = 1; version <= last_hanxin_version && hanxin_size_of(version) < 1.1 * side; ++version) {
        const int size = hanxin_size_of(version);
        std::array<std::array<float, 2>, 4> seen{};
        for (int which = 0; which < 4; ++which)
            for (const bool outside : {false, true})
                seen[static_cast<std::size_t>(which)][outside] =
                    shift_of(image, warp, which, size, outside, 0).agreement;
        for (std::size_t turn = 0; turn < 4; ++turn) {
            float all = 0;
            for (std::size_t which = 0; which < 4; ++which)
                all += seen[(which + turn) % 4][which == 3] / 4;
            if (all > best[turn].agreement)
                best[turn].agreement = all, best[turn].candidate.version = version;
        }
    }
    out.insert(out.end(), best.begin(), best.end());
}

/// The corners where they are found.
Likely at_corners(const Image &image, const Likely &rough)
{
    const int size = hanxin_size_of(rough.candidate.version);
    const auto [found, agreement] = through_corners(image, Warp(rough.candidate.corners), size, rough.blur);
    if (!found.sound(image, size) || agreement < rough.agreement)
        return rough;
    return {agreement, {found.corners(), rough.candidate.version, Symbology::hanxin}, rough.blur};
}

/// No corner is further away than a module.
bool nearly(const Candidate &a, const Candidate &b) noexcept
{
    const double side = std::hypot(a.corners[2] - a.corners[0], a.corners[3] - a.corners[1]);
    double furthest = 0;
    for (std::size_t i = 0; i < 8; ++i)
        furthest = std::max(furthest, std::abs(a.corners[i] - b.corners[i]));
    return a.version == b.version && furthest * hanxin_size_of(a.version) < side;
}

/// least: agreement under which there is no symbol, unless out of focus.
std::vector<Candidate> likeliest(const Image &image, std::vector<Likely> &found, float least, std::size_t most)
{
    constexpr std::size_t looked_at = 12;
    const auto by_agreement = [](const Likely &a, const Likely &b) { return a.agreement > b.agreement; };
    std::sort(found.begin(), found.end(), by_agreement);
    if (found.size() > looked_at)
        found.resize(looked_at);
    for (Likely &one : found)
        one = at_corners(image, one);
    std::sort(found.begin(), found.end(), by_agreement);
    std::vector<Candidate> out;
    for (const Likely &likely : found) {
        const auto same = [&](const Candidate &other) { return nearly(likely.candidate, other); };
        if (likely.agreement > (likely.blur > 0 ? least_out_of_focus : least) && out.size() < most &&
            std::none_of(out.begin(), out.end(), same))
            out.push_back(likely.candidate);
    }
    return out;
}

/// A square of three by three modules that lines lead to along a row or a column.
struct Spot {
    float x, y;   // of its middle, pixels
    float module; // pixels along the row or column
    bool dark;
    bool upright; // in a column
    int votes;    // rows or columns that crossed it
    float apart;  // levels between the darkest light and the lightest dark that they crossed
    int rays = 0; // of `ray_count` that cross something like the lines beside it
};

/// The square of five runs from edge i on that are 1:1:1:1:3 or 3:1:1:1:1: its middle and module.
std::optional<Spot> crossing(const Turns &turns, std::size_t i)
{
    const float module = (turns.edge(i + 5) - turns.edge(i)) / 7;
    const auto run = [&](std::size_t k) { return turns.edge(i + k + 1) - turns.edge(i + k); };
    const std::size_t wide = run(0) > run(4) ? 0 : 4;
    if (module < 0.8F || run(wide) < 2 * module || run(wide) > 4.2F * module)
        return std::nullopt;
    for (std::size_t k = 0; k < 5; ++k)
        if (k != wide && std::abs(run(k) - module) > 0.65F * module)
            return std::nullopt;
    // levels: turns i .. i + 6 are outside, then the five runs, then outside
    const bool dark = turns.level(i + 1) < turns.level(i);
    const float apart = turns.five_apart(i, dark);
    if (apart <= 0)
        return std::nullopt;
    return Spot{(turns.edge(i + wide) + turns.edge(i + wide + 1)) / 2, 0, module, dark, false, 1, apart};
}

/// Squares along the rows of an image; of its columns when it is given turned over.
class Squares {
public:
    explicit Squares(float least) : least_(least) {}

    void find(const Image &image, bool upright)
    {
        const int step = image.height > 1000 ? 3 : image.height > 500 ? 2 : 1;
        open_.clear();
        most_ = found_.size() + most_found;
        for (int y = 0; y < image.height; y += step) {
            const std::uint8_t *const pixels = image.data + y * image.row;
            turns_.find(pixels, image.width, least_);
            for (std::size_t i = 0; i + 5 < turns_.size(); ++i)
                if (auto found = crossing(turns_, i)) {
                    found->y = static_cast<float>(y), found->upright = upright;
                    vote(*found, step);
                }
        }
    }

    /// Those that most rays from their middle show to be corners; what a row and a column crossed is one.
    std::vector<Spot> best(const Image &image, std::size_t most)
    {
        constexpr std::size_t most_checked = 200;
        constexpr int least_rays = 3;
        const auto strength = [](const Spot &spot) {
            return static_cast<float>(spot.votes) * spot.apart / spot.module;
        };
        std::sort(found_.begin(), found_.end(),
                  [&](const Spot &a, const Spot &b) { return strength(a) > strength(b); });
        std::vector<Spot> out;
        for (std::size_t i = 0; i < std::min(found_.size(), most_checked); ++i) {
            Spot spot = found_[i];
            const auto same = [&](const Spot &other) {
                return other.dark == spot.dark && std::hypot(other.x - spot.x, other.y - spot.y) < 2 * spot.module;
            };
            if (spot.votes < 2 || std::any_of(out.begin(), out.end(), same))
                continue;
            for (int ray = 0; ray < ray_count; ++ray) {
                const float angle = 2 * 3.14159265F * static_cast<float>(ray) / ray_count;
                spot.rays += crosses_lines(image, spot, std::cos(angle), std::sin(angle));
            }
            if (spot.rays >= least_rays)
                out.push_back(spot);
        }
        const auto clear = [](const Spot &spot) { return static_cast<float>(spot.rays * spot.rays) * spot.apart; };
        std::stable_sort(out.begin(), out.end(), [&](const Spot &a, const Spot &b) { return clear(a) > clear(b); });
        if (out.size() > most)
            out.resize(most);
        return out;
    }

private:
    static constexpr int ray_count = 16;

    /// Whether half the square and four runs of a module follow one another from its middle on, in whatever scale.
    bool crosses_lines(const Image &image, const Spot &spot, float dx, float dy)
    {
        const int steps = std::min(static_cast<int>(11 * spot.module) + 4, 400);
        turns_.find(
            [&](int i) { return image.at(spot.x + static_cast<float>(i) * dx, spot.y + static_cast<float>(i) * dy); },
            steps, least_, [](int, float, float) { return 0; });
        if (turns_.size() < 5 || (turns_.level(0) < turns_.level(1)) != spot.dark)
            return false;
        const float module = turns_.edge(4) / 5.5F;
        for (std::size_t k = 0; k < 4; ++k)
            if (std::abs(turns_.edge(k + 1) - turns_.edge(k) - module) > 0.5F * module)
                return false;
        return std::abs(turns_.edge(0) - 1.5F * module) < 0.8F * module;
    }

    /// Rows below one another that cross in the same place are one square.
    void vote(Spot seen, int step)
    {
        const float along = seen.x, across = seen.y;
        if (seen.upright)
            std::swap(seen.x, seen.y);
        for (std::size_t k = 0; k < open_.size();) {
            Spot &known = found_[open_[k]];
            const float known_along = known.upright ? known.y : known.x,
                        known_across = known.upright ? known.x : known.y;
            const float last = known_across + static_cast<float>(step * known.votes) / 2;
            if (across - last > 2 * static_cast<float>(step) + known.module) {
                open_[k] = open_.back();
                open_.pop_back();
                continue;
            }
            if (known.dark == seen.dark && std::abs(known_along - along) < seen.module &&
                std::max(known.module, seen.module) < 1.6F * std::min(known.module, seen.module)) {
                const float part = 1 / static_cast<float>(++known.votes);
                known.x += part * (seen.x - known.x), known.y += part * (seen.y - known.y);
                known.module += part * (seen.module - known.module), known.apart += part * (seen.apart - known.apart);
                return;
            }
            ++k;
        }
        if (found_.size() < most_) {
            open_.push_back(found_.size());
            found_.push_back(seen);
        }
    }

    static constexpr std::size_t most_found = 4000; // along rows, and along columns
    std::size_t most_ = 0;
    const float least_;
    Turns turns_;
    std::vector<Spot> found_;
    std::vector<std::size_t> open_; // those of found_ that the next row may still add to
};

std::vector<std::uint8_t> turned_over(const Image &image)
{
    constexpr int tile = 16;
    std::vector<std::uint8_t> out(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
    for (int top = 0; top < image.height; top += tile)
        for (int left = 0; left < image.width; left += tile)
            for (int y = top; y < std::min(top + tile, image.height); ++y)
                for (int x = left; x < std::min(left + tile, image.width); ++x)
                    out[static_cast<std::size_t>(x) * static_cast<std::size_t>(image.height) +
                        static_cast<std::size_t>(y)] = image.data[y * image.row + x];
    return out;
}

/// Modules from one square to another along a line: what a module is along it follows from what it is along the row.
float modules_between(const Spot &a, const Spot &b) noexcept
{
    const float dx = b.x - a.x, dy = b.y - a.y, length = std::hypot(dx, dy) + 1e-9F;
    const float straight = std::max(std::abs(dx), std::abs(dy)) / length; // how much longer a slanted module is
    return 2 * length / ((a.module + b.module) * straight);
}

/// How deep inside its corner of a symbol the middle of a square lies.
constexpr float depth_of(int which) noexcept
{
    return which == 3 ? 1.5F : 5.5F;
}

/// The version that agrees best, of those that the distances allow. three: corners that follow one another clockwise; first:
/// which of the symbol's the first of them is; fourth: the one that is left, null: where a parallelogram has it.
Likely symbol_of(const Image &image, const std::array<Spot, 3> &three, int first, const Spot *fourth)
{
    const auto which = [first](int i) { return (first + i) % 4; };
    float side = 0;
    for (int i = 0; i < 2; ++i) {
        const auto at = static_cast<std::size_t>(i);
        side += (modules_between(three[at], three[at + 1]) + depth_of(which(i)) + depth_of(which(i + 1))) / 2;
    }
    const int about = static_cast<int>(std::lround((side - 21) / 2));
    Likely best{-1, {}};
    for (int version = std::max(about - 3, 1); version <= std::min(about + 3, last_hanxin_version); ++version) {
        const int size = hanxin_size_of(version);
        std::array<Point, 4> places{}, seen{};
        for (int i = 0; i < 4; ++i)
            places[static_cast<std::size_t>(i)] = inside(which(i), depth_of(which(i)), depth_of(which(i)), size);
        for (std::size_t i = 0; i < 3; ++i)
            seen[i] = {three[i].x, three[i].y};
        const auto [a, b, c, d] = places;
        const float area = (a.x - b.x) * (c.y - b.y) - (a.y - b.y) * (c.x - b.x);
        const float s = ((d.x - b.x) * (c.y - b.y) - (d.y - b.y) * (c.x - b.x)) / area;
        const float t = ((a.x - b.x) * (d.y - b.y) - (a.y - b.y) * (d.x - b.x)) / area;
        seen[3] = {seen[1].x + s * (seen[0].x - seen[1].x) + t * (seen[2].x - seen[1].x),
                   seen[1].y + s * (seen[0].y - seen[1].y) + t * (seen[2].y - seen[1].y)};
        if (fourth != nullptr)
            seen[3] = {fourth->x, fourth->y};
        Corners from{}, to{};
        for (int i = 0; i < 4; ++i) {
            const auto k = static_cast<std::size_t>(i), at = static_cast<std::size_t>(2 * which(i));
            from[at] = places[k].x, from[at + 1] = places[k].y, to[at] = seen[k].x, to[at + 1] = seen[k].y;
        }
        const Warp warp(from, to);
        if (!warp.sound(image, size))
            continue;
        Sums all;
        for (int i = 0; i < 4; ++i)
            all.add(corner_seen(image, warp, i, size, 0)[i == 3]);
        if (const float found = all.agreement(); found > best.agreement)
            best = {found, {warp.corners(), version, Symbology::hanxin}};
    }
    return best;
}

/// Twice the area of a triangle, positive when it goes clockwise in an image.
float clockwise(const Spot &a, const Spot &b, const Spot &c) noexcept
{
    return (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
}

bool alike(const Spot &a, const Spot &b) noexcept
{
    return a.dark == b.dark && std::max(a.module, b.module) < 2.5F * std::min(a.module, b.module);
}

/// Whether b may be the corner between a and c of one symbol: alike, in the same turn, and as many modules from either.
bool between(const Spot &a, const Spot &b, const Spot &c) noexcept
{
    const float ab = std::hypot(b.x - a.x, b.y - a.y), bc = std::hypot(c.x - b.x, c.y - b.y);
    if (!alike(a, b) || !alike(b, c) || !alike(a, c) || clockwise(a, b, c) < 0.3F * ab * bc)
        return false;
    const float one = modules_between(a, b), other = modules_between(b, c);
    return std::abs(one - other) < 4 + 0.25F * std::min(one, other);
}

/// Three corners, and the last one where a parallelogram has it, or where a spot lies near that; those that were seen best
/// first.
void symbols_of(const Image &image, const std::vector<Spot> &spots, std::vector<Likely> &out)
{
    constexpr std::size_t most_tried = 300; // 5 ms
    constexpr float sure = 1.6F;            // of an agreement
    std::size_t left = most_tried;
    const auto look = [&](const std::array<Spot, 3> &three, int first, const Spot *fourth) {
        if (left == 0)
            return;
        const Likely found = symbol_of(image, three, first, fourth);
        left = found.agreement > sure ? 0 : left - 1;
        if (found.agreement > 0)
            out.push_back(found);
    };
    const auto each = [&](const Spot &a, const Spot &b, const Spot &c) {
        if (!between(a, b, c))
            return;
        const float x = a.x + c.x - b.x, y = a.y + c.y - b.y, away = 0.3F * std::hypot(x - b.x, y - b.y);
        for (int first = 0; first < 4; ++first)
            look({a, b, c}, first, nullptr);
        for (const Spot &e : spots)
            if (alike(a, e) && std::hypot(e.x - x, e.y - y) < away && clockwise(c, e, a) > 0 && clockwise(b, c, e) > 0)
                for (int first = 0; first < 4; ++first)
                    look({a, b, c}, first, &e);
    };
    for (std::size_t m = 2; m < spots.size(); ++m)
        for (std::size_t k = 1; k < m; ++k)
            for (std::size_t i = 0; i < k; ++i)
                for (const auto &[a, b, c] :
                     {std::array{i, k, m}, {k, m, i}, {m, i, k}, {m, k, i}, {k, i, m}, {i, m, k}})
                    each(spots[a], spots[b], spots[c]);
}

} // namespace

std::vector<Candidate> hanxin_outlines(const Image &image, std::size_t most)
{
    constexpr int coarse = 3;
    constexpr double small = 100;
    const int cell = cell_of(image);
    std::vector<Likely> found;
    for (const Corners &quad : quadrilaterals(image, cell))
        for (std::size_t blur = 0; blur < blurs.size(); ++blur)
            turns_of(image, quad, blur, found);
    if (cell < coarse && image.width >= coarse && image.height >= coarse)
        for (const Corners &quad : quadrilaterals(image, coarse))
            if (longest_side(quad) < small)
                turns_of_small(image, quad, found);
    return likeliest(image, found, least_blurred, most);
}

std::vector<Candidate> locate_hanxin(const Image &image, std::size_t most)
{
    constexpr std::size_t most_squares = 24;
    Squares squares(std::max(3.0F, 2.5F * noise_of(image)));
    squares.find(image, false);
    const auto columns = turned_over(image);
    squares.find({columns.data(), image.height, image.width, image.height}, true);
    const auto spots = squares.best(image, most_squares);
    std::vector<Likely> found;
    symbols_of(image, spots, found);
    return likeliest(image, found, least_sharp, most);
}

} // namespace ehc::grey
