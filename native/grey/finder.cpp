// finder.cpp: see finder.h.
#include "finder.h"

#include "agreement.h"
#include "qr_layout.h"
#include "samples.h"
#include "turns.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace ehc::grey {

namespace {

/// Where a finder pattern lies on a line: its middle, and how long a module is.
struct Crossing {
    float middle, module;
    bool dark;
};

/// Whether the five runs from edge i on are 1:1:3:1:1.
std::optional<Crossing> crossing(const Turns &turns, std::size_t i)
{
    float run[5];
    for (std::size_t k = 0; k < 5; ++k)
        run[k] = turns.edge(i + k + 1) - turns.edge(i + k);
    const float module = (turns.edge(i + 5) - turns.edge(i)) / 7;
    if (module < 0.8F || run[2] < 1.7F * module ||
        run[2] > 4.2F * module) // a blur narrows the middle, and no other run
        return std::nullopt;
    for (const std::size_t k : {0, 1, 3, 4})
        if (std::abs(run[k] - module) > 0.65F * module)
            return std::nullopt;
    // levels: turns i .. i + 6 are outside, ring, gap, middle, gap, ring, outside
    const bool dark = turns.level(i + 3) < turns.level(i + 2);
    if (turns.five_apart(i, dark) <= 0)
        return std::nullopt;
    return Crossing{(turns.edge(i + 2) + turns.edge(i + 3)) / 2, module, dark};
}

class Search {
public:
    explicit Search(const Image &image) : image_(image), least_(std::max(3.0F, 2.5F * noise_of(image))) {}

    std::vector<FinderPattern> patterns(std::size_t most)
    {
        for (int y = 0; y < image_.height; y += step_)
            row(y);
        std::vector<FinderPattern> out;
        for (const FinderPattern &rough : rough_)
            if (rough.votes >= 2)
                if (const auto checked = check(rough))
                    add(out, *checked);
        std::sort(out.begin(), out.end(), [](const auto &a, const auto &b) { return a.votes > b.votes; });
        if (out.size() > most)
            out.resize(most);
        return out;
    }

    /// The finder pattern crossed by a line through (x, y), in units of a step along it; nothing if there is none.
    std::optional<Crossing> along(float x, float y, float dx, float dy, float reach)
    {
        constexpr int most_steps = 400;
        const int steps = std::min(static_cast<int>(reach), most_steps), count = 2 * steps + 1;
        std::array<float, 2 * most_steps + 1> seen;
        float xs[most_at_once], ys[most_at_once];
        for (int from = 0; from < count; from += static_cast<int>(most_at_once)) {
            const int some = std::min(static_cast<int>(most_at_once), count - from);
            for (int i = 0; i < some; ++i) {
                const float t = static_cast<float>(from + i - steps);
                xs[i] = x + t * dx, ys[i] = y + t * dy;
            }
            levels_at(image_, static_cast<std::size_t>(some), xs, ys, &seen[static_cast<std::size_t>(from)]);
        }
        turns_.find([&](int i) { return seen[static_cast<std::size_t>(i)]; }, count, least_,
                    [](int, float, float) { return 0; });
        std::optional<Crossing> best;
        for (std::size_t i = 0; i + 5 < turns_.size(); ++i)
            if (auto found = crossing(turns_, i)) {
                found->middle -= static_cast<float>(steps);
                if (!best || std::abs(found->middle) < std::abs(best->middle))
                    best = found;
            }
        return best;
    }

    const Image &image() const noexcept { return image_; }

private:
    void row(int y)
    {
        const std::uint8_t *const pixels = image_.data + y * image_.row;
        turns_.find(pixels, image_.width, least_);
        for (std::size_t i = 0; i + 5 < turns_.size(); ++i)
            if (const auto found = crossing(turns_, i))
                vote({found->middle, static_cast<float>(y), found->module, found->dark, 1});
    }

    /// Rows below one another that cross in the same place are one pattern.
    void vote(const FinderPattern &seen)
    {
        for (std::size_t k = 0; k < open_.size();) {
            FinderPattern &known = rough_[open_[k]];
            const float last =
                known.y + static_cast<float>(step_) * known.votes / 2; // y is that of the middle row so far
            if (seen.y - last > 2 * static_cast<float>(step_) + known.module) {
                open_[k] = open_.back();
                open_.pop_back();
                continue;
            }
            if (known.dark == seen.dark && std::abs(known.x - seen.x) < seen.module &&
                std::max(known.module, seen.module) < 1.6F * std::min(known.module, seen.module)) {
                const float votes = known.votes + 1;
                known.x += (seen.x - known.x) / votes, known.y += (seen.y - known.y) / votes;
                known.module += (seen.module - known.module) / votes, known.votes = votes;
                return;
            }
            ++k;
        }
        if (rough_.size() < most_rough) {
            open_.push_back(rough_.size());
            rough_.push_back(seen);
        }
    }

    /// Column, row again, and both diagonals.
    std::optional<FinderPattern> check(FinderPattern found)
    {
        const float reach = 16 * found.module + 4;
        const auto column = along(found.x, found.y, 0, 1, reach);
        if (!column || column->dark != found.dark || std::abs(column->middle) > 3 * found.module)
            return std::nullopt;
        found.y += column->middle;
        const auto again = along(found.x, found.y, 1, 0, reach);
        if (!again || again->dark != found.dark || std::abs(again->middle) > 2 * found.module)
            return std::nullopt;
        found.x += again->middle;
        if (std::max(again->module, column->module) > 4 * std::min(again->module, column->module))
            return std::nullopt;
        const auto falling = along(found.x, found.y, 0.7071F, 0.7071F, 1.5F * reach);
        const auto rising = along(found.x, found.y, 0.7071F, -0.7071F, 1.5F * reach);
        const auto agrees = [&](const auto &line) {
            return line && line->dark == found.dark && std::abs(line->middle) < 2 * found.module;
        };
        found.votes = std::min(found.votes * static_cast<float>(step_) / (3 * found.module), 1.0F) + agrees(falling) +
                      agrees(rising);
        found.module = (again->module + column->module) / 2;
        return found;
    }

    static void add(std::vector<FinderPattern> &out, const FinderPattern &found)
    {
        for (FinderPattern &known : out)
            if (known.dark == found.dark && std::hypot(known.x - found.x, known.y - found.y) < 2 * found.module) {
                if (known.votes < found.votes)
                    known = found;
                return;
            }
        out.push_back(found);
    }

    static constexpr std::size_t most_rough = 4000;
    const Image &image_;
    const float least_;
    const int step_ = image_.height > 1000 ? 3 : image_.height > 500 ? 2 : 1; // rows
    Turns turns_;
    std::vector<FinderPattern> rough_;
    std::vector<std::size_t> open_; // those of rough_ that the next row may still add to
};

constexpr float least_of_two = 0.65F; // agreement that a symbol of two patterns is believed from

struct Triple {
    float cost, agreement;
    Candidate candidate;
};

/// How many pixels a module has along a line through a pattern; 0 where it is none along there.
float module_along(Search &search, const FinderPattern &at, float dx, float dy)
{
    const auto found = search.along(at.x, at.y, dx, dy, 16 * at.module + 4);
    return found && std::abs(found->middle) < 2 * at.module ? found->module : 0.0F;
}

/// Corner, right of it and below it as one symbol: its version from the modules along both sides, its fourth corner from
/// how these modules shrink.
std::optional<Triple> symbol_at(Search &search, const FinderPattern &corner, const FinderPattern &right,
                                const FinderPattern &below)
{
    const float ax = right.x - corner.x, ay = right.y - corner.y, bx = below.x - corner.x, by = below.y - corner.y;
    const float across = std::hypot(ax, ay), down = std::hypot(bx, by);
    const float sine = (ax * by - ay * bx) / (across * down);
    if (!(sine > 0.35F) || across > 4 * down || down > 4 * across)
        return std::nullopt;
    const auto module = [&](const FinderPattern &at, float dx, float dy, float length) {
        return module_along(search, at, dx / length, dy / length);
    };
    const float a0 = module(corner, ax, ay, across), a1 = module(right, ax, ay, across);
    const float b0 = module(corner, bx, by, down), b1 = module(below, bx, by, down);
    if (a0 == 0 || a1 == 0 || b0 == 0 || b1 == 0)
        return std::nullopt;
    const float n_across = across / ((a0 + a1) / 2) + 7, n_down = down / ((b0 + b1) / 2) + 7;
    const float n = (n_across + n_down) / 2;
    const int version = static_cast<int>(std::lround((n - 17) / 4));
    if (version < 1 || version > last_version)
        return std::nullopt;
    const float unlike = std::abs(n_across - n_down) / n,
                shrink = std::abs(std::log(a0 / a1)) + std::abs(std::log(b0 / b1));
    if (unlike > 0.35F)
        return std::nullopt;
    // along a side, modules shrink with the square of the distance from the camera
    const float wa = std::sqrt(a0 / a1), wb = std::sqrt(b0 / b1), wc = std::max(wa + wb - 1, 0.3F);
    const float cx = (right.x * wa + below.x * wb - corner.x) / wc, cy = (right.y * wa + below.y * wb - corner.y) / wc;
    const double near = 7.0 / size_of(version) - 1, far = -near;
    const Warp warp({near, near, far, near, far, far, near, far},
                    {corner.x, corner.y, right.x, right.y, cx, cy, below.x, below.y});
    const float cost = 2 * unlike + 0.3F * shrink + 0.5F * (1 - sine) + std::abs(std::log(across / down)) * 0.3F;
    return Triple{cost, agreement(search.image(), warp, version), {warp.corners(), version}};
}

/// Two finder patterns beside one another or across, the third one under a spot of glare or a finger: the six ways in
/// which they may lie in a symbol.
void symbols_of_two(Search &search, const FinderPattern &one, const FinderPattern &other, std::vector<Triple> &out)
{
    const float ex = other.x - one.x, ey = other.y - one.y, length = std::hypot(ex, ey), dx = ex / length,
                dy = ey / length;
    const float a = module_along(search, one, dx, dy), b = module_along(search, other, dx, dy);
    const float c = module_along(search, one, -dy, dx), d = module_along(search, other, -dy, dx);
    if (a == 0 || b == 0 || c == 0 || d == 0)
        return;
    const float module = (a + b) / 2, stretch = (c + d) / (a + b);
    const int version = static_cast<int>(std::lround((length / module - 10) / 4));
    if (version < 1 || version > last_version || stretch > 2 || stretch < 0.5F)
        return;
    const float px = -ey * stretch, py = ex * stretch; // a quarter turn clockwise
    const double near = 7.0 / size_of(version) - 1, far = -near;
    const auto suggest = [&](float x, float y, float ux, float uy, float vx, float vy) {
        const Warp warp({near, near, far, near, far, far, near, far},
                        {x, y, x + ux, y + uy, x + ux + vx, y + uy + vy, x + vx, y + vy});
        const float found = agreement(search.image(), warp, version);
        if (found > least_of_two)
            out.push_back({0, found, {warp.corners(), version}});
    };
    suggest(one.x, one.y, ex, ey, px, py), suggest(one.x, one.y, -px, -py, ex, ey);
    suggest(other.x, other.y, -ex, -ey, -px, -py), suggest(other.x, other.y, px, py, -ex, -ey);
    for (const float way : {1.0F, -1.0F})
        suggest((one.x + other.x + way * px) / 2, (one.y + other.y + way * py) / 2, -(px + ex) * way / 2,
                -(py + ey) * way / 2, (ex - px) * way / 2, (ey - py) * way / 2);
}

} // namespace

/// The noise of an image in levels. The smallest quarter of the second differences along some rows is noise alone; they
/// are taken four pixels apart, so that a filter before does not hide it.
float noise_of(const Image &image)
{
    constexpr int apart = 4;
    std::array<int, 511> seen{};
    int count = 0;
    for (int y = 0; y < image.height; y += 16) {
        const std::uint8_t *const row = image.data + y * image.row;
        for (int x = apart; x + apart < image.width; x += 3, ++count)
            ++seen[static_cast<std::size_t>(std::abs(2 * row[x] - row[x - apart] - row[x + apart]))];
    }
    int below = 0;
    std::size_t quarter = 0;
    while (quarter < 510 && (below += seen[quarter]) < count / 4)
        ++quarter;
    return static_cast<float>(quarter) / (0.3186F * 2.449F); // of a normal distribution, and of three pixels
}

std::vector<FinderPattern> finder_patterns(const Image &image, std::size_t most)
{
    return Search(image).patterns(most);
}

std::vector<Candidate> locate(const Image &image, std::size_t most)
{
    Search search(image);
    const auto patterns = search.patterns(12);
    std::vector<Triple> triples, pairs;
    for (std::size_t i = 0; i < patterns.size(); ++i)
        for (std::size_t k = 0; k < patterns.size(); ++k)
            for (std::size_t m = 0; m < patterns.size(); ++m) {
                if (i == k || i == m || k == m || patterns[i].dark != patterns[k].dark ||
                    patterns[i].dark != patterns[m].dark)
                    continue;
                const auto [small, large] = std::minmax({patterns[i].module, patterns[k].module, patterns[m].module});
                if (large > 2.5F * small)
                    continue;
                if (auto found = symbol_at(search, patterns[i], patterns[k], patterns[m]))
                    triples.push_back(*found);
            }
    for (std::size_t i = 0; triples.empty() && i < patterns.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (patterns[i].dark == patterns[k].dark && std::max(patterns[i].module, patterns[k].module) <
                                                            1.6F * std::min(patterns[i].module, patterns[k].module))
                symbols_of_two(search, patterns[i], patterns[k], pairs);
    if (triples.empty())
        triples = std::move(pairs);
    const auto rank = [](const Triple &triple) { return triple.agreement - 0.3F * triple.cost; };
    std::sort(triples.begin(), triples.end(), [&](const Triple &a, const Triple &b) { return rank(a) > rank(b); });
    std::vector<Candidate> out;
    for (const Triple &triple : triples)
        if (out.size() < most && rank(triple) > rank(triples[0]) - 0.5F)
            out.push_back(triple.candidate);
    return out;
}

} // namespace ehc::grey
