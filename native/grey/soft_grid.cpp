// soft_grid.cpp: see soft_grid.h.
#include "soft_grid.h"

#include "samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ehc::grey {

namespace {

constexpr float spread = 0.28F; // of the nine points from the middle of a module, modules
constexpr int sweeps = 20;      // after which modules have weighed against one another enough
constexpr float eager = 1.3F;   // times what a module would move alone: the others will pull it further, mostly
constexpr int apart = 8;  // modules of a row from one that is weighed to the next: what was written is not read at once
constexpr int window = 4; // modules to each side over which light is taken to be even
constexpr float least_gain = 0.05F, most_gain = 2.0F; // of what is between dark and light there

/// Sums over the window around each module, cut at the border.
std::vector<float> window_sums(const std::vector<float> &in, int n)
{
    std::vector<float> rows(in.size()), out(in.size());
    const auto slide = [n](const float *from, float *to, int step) {
        float sum = 0;
        for (int i = 0; i < std::min(window, n); ++i)
            sum += from[i * step];
        for (int i = 0; i < n; ++i) {
            if (i + window < n)
                sum += from[(i + window) * step];
            if (i > window)
                sum -= from[(i - window - 1) * step];
            to[i * step] = sum;
        }
    };
    for (int i = 0; i < n; ++i)
        slide(&in[static_cast<std::size_t>(i * n)], &rows[static_cast<std::size_t>(i * n)], 1);
    for (int i = 0; i < n; ++i)
        slide(&rows[static_cast<std::size_t>(i)], &out[static_cast<std::size_t>(i)], n);
    return out;
}

/// What taps leave of a system of `weighed_up` unexplained, with the level that leaves the least.
double left_of(const LeastSquares &system, const Taps &taps)
{
    LeastSquares::Row x{};
    std::copy(taps.begin(), taps.end(), x.begin());
    x[25] = system.best(25, x);
    return system.left(x);
}

Shared shared_of(const Taps &tap)
{
    Shared out{};
    for (int y = 0; y < 25; ++y)
        for (int x = 0; x < 25; ++x)
            out[static_cast<std::size_t>(y / 5 - x / 5 + reach)][static_cast<std::size_t>(y % 5 - x % 5 + reach)] +=
                tap[static_cast<std::size_t>(y)] * tap[static_cast<std::size_t>(x)];
    return out;
}

inline void taken(const Shared &shared, float change, float *first, std::size_t row) noexcept
{
    for (const auto &weights : shared) {
        for (std::size_t x = 0; x < row_of_shared; ++x)
            first[x] -= weights[x] * change;
        first += row;
    }
}

/// Modules of a row that are weighed in one go.
constexpr std::size_t lanes = 8;
using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));

std::size_t whole_row(int size) noexcept
{
    return (static_cast<std::size_t>(size) + lanes - 1) / lanes * lanes;
}

std::vector<float> sizes_of(std::vector<float> values)
{
    for (float &value : values)
        value = std::abs(value);
    return values;
}

/// to[i] += factor * from[i].
inline void add_times(float factor, const float *from, std::size_t count, float *__restrict to) noexcept
{
    for (std::size_t i = 0; i < count; ++i)
        to[i] += factor * from[i];
}

Taps gaussian(float sigma)
{
    const auto below = [&](float edge) { return 0.5F * (1 + std::erf(edge / (sigma * std::sqrt(2.0F)))); };
    Taps out{};
    float one[5];
    for (int i = 0; i < 5; ++i)
        one[i] = below(static_cast<float>(i) - 1.5F) - below(static_cast<float>(i) - 2.5F);
    for (std::size_t i = 0; i < 25; ++i)
        out[i] = one[i / 5] * one[i % 5];
    return out;
}

/// A point of light that is spread evenly over a shape, as modules see it. inside: whether a place is in the shape, in
/// modules from its middle.
template <class Inside> Taps evenly(Inside inside)
{
    constexpr int fine = 8; // places a module
    const auto share = [](float from) {
        return std::max(0.0F, 1 - std::abs(from));
    }; // of a module as wide as its points
    Taps out{};
    float total = 0;
    for (int y = 0; y < 5 * fine; ++y)
        for (int x = 0; x < 5 * fine; ++x) {
            const float dx = (static_cast<float>(x) + 0.5F) / fine - 2.5F,
                        dy = (static_cast<float>(y) + 0.5F) / fine - 2.5F;
            if (!inside(dx, dy))
                continue;
            for (std::size_t i = 0; i < out.size(); ++i) {
                const float part =
                    share(dx + 2 - static_cast<float>(i % 5)) * share(dy + 2 - static_cast<float>(i / 5));
                out[i] += part, total += part;
            }
        }
    for (float &tap : out)
        tap /= total;
    return out;
}

constexpr float usual = 0.55F; // sigma of a spread, modules

/// Whatever a point may be spread over: a Gaussian, or a disc by a lens out of focus, or a line by a moving hand.
std::vector<Taps> shapes()
{
    std::vector<Taps> out;
    for (const float sigma : {usual, 0.25F, 0.35F, 0.45F, 0.65F, 0.75F, 0.9F})
        out.push_back(gaussian(sigma));
    for (const float radius : {0.7F, 0.9F, 1.1F, 1.3F, 1.5F, 1.7F})
        out.push_back(evenly([=](float x, float y) { return x * x + y * y < radius * radius; }));
    constexpr int turns = 8;
    for (const float length : {1.5F, 2.25F, 3.0F, 3.75F})
        for (int turn = 0; turn < turns; ++turn) {
            const float angle = 3.14159265F * static_cast<float>(turn) / turns, c = std::cos(angle),
                        s = std::sin(angle);
            out.push_back(evenly([=](float x, float y) {
                return std::abs(x * c + y * s) < length / 2 && std::abs(y * c - x * s) < 0.15F;
            }));
        }
    return out;
}

} // namespace

SoftGrid::SoftGrid(const Image &image, const Warp &warp, const Light &light, int size)
    : size_(size), side_(size + 2 * margin), value_(plane(0)), trust_(static_cast<std::size_t>(size * size), 1.0F)
{
    const float half = 0.5F * static_cast<float>(size);
    const auto across = [half](int at, int third) { // -1 .. 1 across the symbol, of a module and a third of it
        return (static_cast<float>(at) + 0.5F + spread * static_cast<float>(third - 1)) / half - 1;
    };
    std::vector<float> sum(static_cast<std::size_t>(side_)), seen(sum.size());
    for (int y = -margin; y < size + margin; ++y) {
        std::fill(sum.begin(), sum.end(), 0.0F);
        for (int k = 0; k < 9; ++k) {
            const float v = across(y, k / 3);
            levels(
                image, warp, seen.size(),
                [&](std::size_t i) { return Point{across(static_cast<int>(i) - margin, k % 3), v}; }, seen.data());
            for (std::size_t i = 0; i < sum.size(); ++i)
                sum[i] += seen[i];
        }
        for (int x = -margin; x < size + margin; ++x) {
            const float u = across(x, 1), v = across(y, 1);
            const float contrast = steady(light.contrast_at(u, v), light);
            const float mean = sum[static_cast<std::size_t>(x + margin)] / 9;
            value_[index(x, y)] = std::clamp((mean - light.level_at(u, v)) / contrast, -4.0F, 4.0F);
        }
    }
}

void SoftGrid::even(const float *known)
{
    const auto count = static_cast<std::size_t>(size_ * size_);
    std::vector<float> level(count), range(count), one(count, 1.0F);
    const auto each = [&](auto use) {
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x)
                use(static_cast<std::size_t>(y * size_ + x), value_[index(x, y)]);
    };
    each([&](std::size_t i, float value) { level[i] = value - known[i]; });
    level = window_sums(level, size_), one = window_sums(one, size_);
    each([&](std::size_t i, float &value) {
        value -= level[i] / one[i];
        range[i] = std::abs(value);
    });
    range = window_sums(range, size_);
    each([&](std::size_t i, float &value) {
        const float gain = std::clamp(range[i] / one[i], least_gain, most_gain);
        value = std::clamp(value / gain, -4.0F, 4.0F);
        trust_[i] = std::min(trust_[i] * gain, 1.0F);
    });
}

void SoftGrid::even_as(const float *believed)
{
    constexpr float prior = 4; // modules that say that light is even
    const std::vector<float> state = with_border(believed), sure_state = sizes_of(state);
    const Taps tap = spread_seen(state).tap;
    const auto count = static_cast<std::size_t>(size_ * size_);
    std::vector<float> mass(count), meant(count), seen(count), squares(count), both(count);
    const auto each = [&](auto use) {
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x)
                use(static_cast<std::size_t>(y * size_ + x), index(x, y));
    };
    std::vector<float> sum(whole_row(size_)), sure(sum.size());
    for (int y = 0; y < size_; ++y) {
        spread_row(tap, state, y, sum.data()), spread_row(tap, sure_state, y, sure.data());
        for (std::size_t x = 0; x < static_cast<std::size_t>(size_); ++x) {
            const std::size_t i = static_cast<std::size_t>(y * size_) + x;
            const float value = value_[index(0, y) + x];
            mass[i] = sure[x] * sure[x], meant[i] = mass[i] * sum[x], seen[i] = mass[i] * value;
            squares[i] = meant[i] * sum[x], both[i] = meant[i] * value;
        }
    }
    for (auto *const sums : {&mass, &meant, &seen, &squares, &both})
        *sums = window_sums(*sums, size_);
    each([&](std::size_t i, std::size_t at) {
        const float all = mass[i] + 1e-3F;
        const float varies = squares[i] - meant[i] * meant[i] / all, together = both[i] - meant[i] * seen[i] / all;
        const float gain = std::clamp((together + prior) / (std::max(varies, 0.0F) + prior), least_gain, most_gain);
        const float level = (seen[i] - gain * meant[i]) / all;
        value_[at] = std::clamp((value_[at] - level) / gain, -4.0F, 4.0F);
        trust_[i] = std::min(trust_[i] * gain, 1.0F);
    });
}

std::vector<float> SoftGrid::equalised(const float *believed, int taps) const
{
    const int half = taps / 2;
    const auto terms = static_cast<std::size_t>(taps * taps), n = static_cast<std::size_t>(size_);
    const auto around = [&](int x, int y) {
        LeastSquares::Row row{};
        std::size_t term = 0;
        for (int i = -half; i <= half; ++i)
            for (int k = -half; k <= half; ++k)
                row[term++] = value_[index(x + k, y + i)];
        row[terms] = 1;
        return row;
    };
    LeastSquares filter(terms + 1);
    float total = 0;
    for (int y = 0; y < size_; ++y)
        for (int x = 0; x < size_; ++x) {
            const float value = believed[y * size_ + x], weight = std::abs(value);
            if (weight < 0.2F)
                continue;
            filter.add(around(x, y), std::copysign(1.0F, value), weight * weight);
            total += weight * weight;
        }
    for (std::size_t i = 0; i < terms; ++i)
        filter.prefer(i, i == terms / 2 ? 1.0F : 0.0F, 0.02F * total);
    filter.prefer(terms, 0, 0.02F * total);
    std::vector<float> out(static_cast<std::size_t>(size_ * size_));
    if (!filter.factor())
        return out;
    const auto weights = filter.solve();
    for (int y = 0; y < size_; ++y) {
        float *const row = &out[static_cast<std::size_t>(y * size_)];
        for (std::size_t i = 0; i < terms; ++i)
            add_times(weights[i],
                      &value_[index(static_cast<int>(i) % taps - half, y + static_cast<int>(i) / taps - half)], n, row);
        for (std::size_t x = 0; x < n; ++x)
            row[x] = (row[x] + weights[terms]) * trust_[static_cast<std::size_t>(y) * n + x];
    }
    return out;
}

SoftGrid::Resolving::Equations::Equations(const SoftGrid &of, const std::vector<float> &state)
    : grid(of), row(static_cast<std::size_t>(of.size_) + row_of_shared - 1),
      pull(row * (static_cast<std::size_t>(of.size_) + 2 * reach))
{
    const Spread spread = of.spread_seen(state);
    shared = shared_of(spread.tap), energy = shared[reach][reach], weight = 1 / (spread.rest + 0.01F);
    std::vector<float> rest = of.plane(0), some(whole_row(of.size_));
    for (int y = 0; y < of.size_; ++y) {
        of.spread_row(spread.tap, state, y, some.data());
        for (int x = 0; x < of.size_; ++x)
            rest[of.index(x, y)] = of.value_[of.index(x, y)] - spread.level - some[static_cast<std::size_t>(x)];
    }
    Taps mirrored; // a module is seen at the place of a tap's mirror image
    std::reverse_copy(spread.tap.begin(), spread.tap.end(), mirrored.begin());
    for (int y = 0; y < of.size_; ++y) {
        of.spread_row(mirrored, rest, y, some.data());
        std::copy_n(some.begin(), of.size_, at(0, y) + reach * row + reach);
    }
}

SoftGrid::Resolving::Resolving(const std::vector<const SoftGrid *> &grids, const float *believed, const float *known)
    : state_(grids[0]->with_border(believed)), out_(grids[0]->trust_.size())
{
    all_.reserve(grids.size());
    for (const SoftGrid *grid : grids)
        all_.emplace_back(*grid, state_);
    const int size = grids[0]->size_;
    modules_.reserve(out_.size());
    for (int k = 0; k < apart * size; ++k)
        for (int x = k % apart, y = k / apart; x < size; x += apart) {
            const auto at = static_cast<std::size_t>(y * size + x);
            float hold = 1e-6F, trusted = 0;
            for (const Equations &one : all_) {
                const float trust = one.grid.trust_[at], held = one.weight * trust * one.energy;
                hold += held, trusted += held * trust;
            }
            if (known[at] == 0)
                modules_.push_back({x, y, hold, trusted / hold});
        }
}

const std::vector<float> &SoftGrid::Resolving::until(float still)
{
    while (sweeps_++ < sweeps && sweep() >= still * static_cast<float>(out_.size()))
        ;
    return out_;
}

float SoftGrid::Resolving::sweep()
{
    const SoftGrid &any = all_[0].grid;
    float moved = 0;
    for (const Module &module : modules_) {
        const auto at = static_cast<std::size_t>(module.y * any.size_ + module.x);
        float pull = 0;
        for (Equations &one : all_)
            pull += one.weight * one.grid.trust_[at] * one.at(module.x, module.y)[reach * one.row + reach];
        float &state = state_[any.index(module.x, module.y)];
        const float way = pull / module.hold;
        out_[at] = (state + way) * module.worth;
        const float change = std::clamp(state + eager * way, -1.0F, 1.0F) - state;
        if (change == 0)
            continue;
        state += change;
        moved += change * change;
        for (Equations &one : all_)
            taken(one.shared, change, one.at(module.x, module.y), one.row);
    }
    return moved;
}

std::vector<float> SoftGrid::plane(float value) const
{
    return std::vector<float>(static_cast<std::size_t>(side_ * side_) + lanes, value);
}

std::vector<float> SoftGrid::with_border(const float *modules) const
{
    std::vector<float> out = plane(-1);
    for (int y = 0; y < size_; ++y)
        std::copy_n(modules + y * size_, size_, &out[index(0, y)]);
    return out;
}

/// The shape that explains most, and near it what explains most of all.
SoftGrid::Spread SoftGrid::spread_seen(const std::vector<float> &state) const
{
    static const std::vector<Taps> all = shapes();
    const std::vector<float> sure = sizes_of(state);
    LeastSquares system = weighed_up(state, sure, all[0]);
    const Taps *best = &all[0];
    double least = left_of(system, *best);
    for (const Taps &taps : all) {
        const double found = left_of(system, taps);
        if (found < least)
            least = found, best = &taps;
    }
    if (best != &all[0])
        system = weighed_up(state, sure, *best);
    Spread out = spread_near(system, *best);
    LeastSquares::Row x{};
    std::copy(out.tap.begin(), out.tap.end(), x.begin());
    x[25] = out.level;
    out.rest = static_cast<float>(std::max(system.left(x), 0.0)) / (system.weight(25) + 1e-6F);
    return out;
}

/// What is sure, as equations in the 25 taps and the level. sure: how much each module is known.
LeastSquares SoftGrid::weighed_up(const std::vector<float> &state, const std::vector<float> &sure,
                                  const Taps &nominal) const
{
    LeastSquares system(26);
    std::vector<float> around(whole_row(size_));
    for (int y = 0; y < size_; ++y) {
        spread_row(nominal, sure, y, around.data());
        for (int x = 0; x < size_; ++x) {
            const float some = around[static_cast<std::size_t>(x)];
            // where it is not known itself, not even if all its neighbours are
            if (some <= 0.75F || nominal[12] * sure[index(x, y)] + 1 - nominal[12] <= 0.75F)
                continue;
            LeastSquares::Row row{};
            for (int k = 0; k < 5; ++k)
                std::copy_n(&state[index(x - margin, y - margin + k)], 5, &row[static_cast<std::size_t>(5 * k)]);
            row[25] = 1;
            system.add(row, value_[index(x, y)], some * some * some * some);
        }
    }
    return system;
}

/// What taps make of the modules of a row, in whole vectors: those behind its end mean nothing.
void SoftGrid::spread_row(const Taps &tap, const std::vector<float> &plane, int y, float *out) const
{
    for (int x = 0; x < size_; x += static_cast<int>(lanes)) {
        Lanes sum{};
        for (int i = 0; i < 5; ++i)
            for (int k = 0; k < 5; ++k) {
                Lanes some;
                std::memcpy(&some, &plane[index(x - margin + k, y - margin + i)], sizeof some);
                sum += tap[static_cast<std::size_t>(5 * i + k)] * some;
            }
        std::memcpy(out + x, &sum, sizeof sum);
    }
}

SoftGrid::Spread SoftGrid::spread_near(LeastSquares system, const Taps &nominal)
{
    const float total = system.weight(25);
    for (std::size_t tap = 0; tap < 25; ++tap)
        system.prefer(tap, nominal[tap], 0.1F * total + 1);
    system.prefer(25, 0, 0.01F * total + 1);
    Spread out{};
    if (!system.factor())
        return out;
    const auto found = system.solve();
    std::copy_n(found.begin(), 25, out.tap.begin());
    out.level = found[25];
    return out;
}

} // namespace ehc::grey
