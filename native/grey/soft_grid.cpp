// soft_grid.cpp: see soft_grid.h.
#include "soft_grid.h"

#include "samples.h"

#include <algorithm>
#include <cmath>

namespace ehc::grey {

namespace {

constexpr float spread = 0.28F; // of the nine points from the middle of a module, modules
constexpr int sweeps = 20;      // after which modules have weighed against one another enough
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

/// How two modules share what is seen of them: 9x9, the one in the middle, in rows of whole vectors, the last three 0.
constexpr int reach = 4;
constexpr std::size_t row_of_shared = 12;
using Shared = std::array<std::array<float, row_of_shared>, 2 * reach + 1>;

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

/// What is no Gaussian: a lens out of focus spreads a point over a disc, a moving hand along a line.
std::vector<Taps> discs_and_lines()
{
    std::vector<Taps> out;
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
    : size_(size), side_(size + 2 * margin), value_(static_cast<std::size_t>(side_ * side_)),
      trust_(static_cast<std::size_t>(size * size), 1.0F)
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
    const std::vector<float> state = with_border(believed);
    const Taps tap = spread_seen(state).tap;
    const auto count = static_cast<std::size_t>(size_ * size_);
    std::vector<float> mass(count), meant(count), seen(count), squares(count), both(count);
    const auto each = [&](auto use) {
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x)
                use(static_cast<std::size_t>(y * size_ + x), index(x, y));
    };
    each([&](std::size_t i, std::size_t at) {
        float sum = 0, sure = 0;
        for (std::size_t k = 0; k < tap.size(); ++k)
            sum += tap[k] * state[beside(at, k)], sure += tap[k] * std::abs(state[beside(at, k)]);
        mass[i] = sure * sure, meant[i] = mass[i] * sum, seen[i] = mass[i] * value_[at];
        squares[i] = meant[i] * sum, both[i] = meant[i] * value_[at];
    });
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
    const int reach = taps / 2;
    const auto terms = static_cast<std::size_t>(taps * taps), n = static_cast<std::size_t>(size_);
    const auto around = [&](int x, int y) {
        LeastSquares::Row row{};
        std::size_t term = 0;
        for (int i = -reach; i <= reach; ++i)
            for (int k = -reach; k <= reach; ++k)
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
                      &value_[index(static_cast<int>(i) % taps - reach, y + static_cast<int>(i) / taps - reach)], n,
                      row);
        for (std::size_t x = 0; x < n; ++x)
            row[x] = (row[x] + weights[terms]) * trust_[static_cast<std::size_t>(y) * n + x];
    }
    return out;
}

/// What one grid says of the modules: how it spreads them, and which way what they leave of it pulls each one.
struct SoftGrid::Equations {
    const SoftGrid &grid;
    Shared shared;
    std::size_t row; // of `pull`, which has `reach` modules more on all sides
    std::vector<float> pull;
    float energy, weight;

    Equations(const SoftGrid &of, const std::vector<float> &state)
        : grid(of), row(static_cast<std::size_t>(of.size_) + row_of_shared - 1),
          pull(row * (static_cast<std::size_t>(of.size_) + 2 * reach))
    {
        const Spread spread = of.spread_seen(state);
        shared = shared_of(spread.tap), energy = shared[reach][reach], weight = 1 / (spread.rest + 0.01F);
        const auto n = static_cast<std::size_t>(of.size_);
        std::vector<float> rest(of.value_.size());
        for (int y = 0; y < of.size_; ++y) {
            const std::size_t first = of.index(0, y);
            for (std::size_t i = first; i < first + n; ++i)
                rest[i] = of.value_[i] - spread.level;
            for (std::size_t tap = 0; tap < 25; ++tap)
                add_times(-spread.tap[tap], &state[of.beside(first, tap)], n, &rest[first]);
        }
        for (int y = 0; y < of.size_; ++y)
            for (std::size_t tap = 0; tap < 25; ++tap) // a module is seen at the place of a tap's mirror image
                add_times(spread.tap[24 - tap], &rest[of.beside(of.index(0, y), tap)], n,
                          at(0, y) + reach * row + reach);
    }

    /// The first place that a module shares.
    float *at(int x, int y) noexcept { return &pull[static_cast<std::size_t>(y) * row + static_cast<std::size_t>(x)]; }
};

std::vector<float> SoftGrid::resolved(const std::vector<const SoftGrid *> &grids, const float *believed,
                                      const float *known)
{
    const SoftGrid &any = *grids[0];
    const int size = any.size_;
    std::vector<float> state = any.with_border(believed);
    std::vector<Equations> all;
    all.reserve(grids.size());
    for (const SoftGrid *grid : grids)
        all.emplace_back(*grid, state);
    std::vector<float> out(static_cast<std::size_t>(size * size));
    for (int sweep = 0; sweep < sweeps; ++sweep) {
        float moved = 0;
        for (int k = 0; k < apart * size; ++k)
            for (int x = k % apart; x < size; x += apart) {
                const int y = k / apart;
                const std::size_t i = any.index(x, y), at = static_cast<std::size_t>(y * size + x);
                if (known[at] != 0 && state[i] == known[at])
                    continue;
                float pull = 0, hold = 1e-6F, trusted = 0;
                for (Equations &one : all) {
                    const float weight = one.weight * one.grid.trust_[at];
                    pull += weight * one.at(x, y)[reach * one.row + reach];
                    hold += weight * one.energy, trusted += weight * one.energy * one.grid.trust_[at];
                }
                const float wanted = state[i] + pull / hold;
                out[at] = wanted * trusted / hold;
                const float next = known[at] != 0 ? known[at] : std::clamp(wanted, -1.0F, 1.0F);
                const float change = next - state[i];
                if (change == 0)
                    continue;
                state[i] = next;
                moved += change * change;
                for (Equations &one : all)
                    taken(one.shared, change, one.at(x, y), one.row);
            }
        if (moved < 4e-4F * static_cast<float>(size * size))
            break;
    }
    return out;
}

std::vector<float> SoftGrid::with_border(const float *modules) const
{
    std::vector<float> out(value_.size(), -1.0F);
    for (int y = 0; y < size_; ++y)
        std::copy_n(modules + y * size_, size_, &out[index(0, y)]);
    return out;
}

/// How well a Gaussian of this width explains what is sure: the variance of what is left.
double SoftGrid::unexplained(const std::vector<float> &state, const Taps &tap) const
{
    const auto n = static_cast<std::size_t>(size_);
    std::vector<float> weight(n), error(n);
    double mass = 1e-9, rest = 0, squares = 0;
    for (int y = 0; y < size_; ++y) {
        const std::size_t first = index(0, y);
        weigh(state, tap, y, weight);
        std::copy_n(&value_[first], n, error.begin());
        for (std::size_t k = 0; k < 25; ++k)
            add_times(-tap[k], &state[beside(first, k)], n, error.data());
        for (std::size_t x = 0; x < n; ++x)
            mass += weight[x], rest += weight[x] * error[x], squares += weight[x] * error[x] * error[x];
    }
    return (squares - rest * rest / mass) / mass;
}

/// From the middle downhill: the width that explains most has no other beside it that explains more.
SoftGrid::Spread SoftGrid::spread_seen(const std::vector<float> &state) const
{
    constexpr std::array<float, 7> sigmas = {0.25F, 0.35F, 0.45F, 0.55F, 0.65F, 0.75F, 0.9F};
    std::size_t best = 3;
    double least = unexplained(state, gaussian(sigmas[best]));
    for (const int way : {1, -1}) {
        const std::size_t start = best;
        for (std::size_t next = best + static_cast<std::size_t>(way); next < sigmas.size();
             next += static_cast<std::size_t>(way)) {
            const double found = unexplained(state, gaussian(sigmas[next]));
            if (found >= least)
                break;
            least = found, best = next;
        }
        if (best != start)
            break;
    }
    Taps nominal = gaussian(sigmas[best]);
    LeastSquares system = weighed_up(state, nominal);
    const Taps *other = nullptr;
    static const std::vector<Taps> others = discs_and_lines();
    least = left_of(system, nominal);
    for (const Taps &taps : others) {
        const double found = left_of(system, taps);
        if (found < least)
            least = found, other = &taps;
    }
    if (other != nullptr)
        nominal = *other, system = weighed_up(state, nominal);
    Spread out = spread_near(system, nominal);
    LeastSquares::Row x{};
    std::copy(out.tap.begin(), out.tap.end(), x.begin());
    x[25] = out.level;
    out.rest = static_cast<float>(std::max(system.left(x), 0.0)) / (system.weight(25) + 1e-6F);
    return out;
}

/// The weight of each module of a row: 0 where its neighbours are not known, mostly.
void SoftGrid::weigh(const std::vector<float> &state, const Taps &nominal, int y, std::vector<float> &out) const
{
    const auto n = static_cast<std::size_t>(size_);
    const float *const own = &state[index(0, y)];
    float *__restrict const sure = out.data();
    std::fill_n(sure, n, 0.0F);
    for (std::size_t tap = 0; tap < 25; ++tap) {
        const float *const from = &state[beside(index(0, y), tap)];
        for (std::size_t x = 0; x < n; ++x)
            sure[x] += nominal[tap] * std::abs(from[x]);
    }
    for (std::size_t x = 0; x < n; ++x) { // where it is not known itself, not even if all its neighbours are
        const bool known = nominal[12] * std::abs(own[x]) + 1 - nominal[12] > 0.75F && sure[x] > 0.75F;
        sure[x] = known ? sure[x] * sure[x] * sure[x] * sure[x] : 0.0F;
    }
}

/// What is sure, as equations in the 25 taps and the level.
LeastSquares SoftGrid::weighed_up(const std::vector<float> &state, const Taps &nominal) const
{
    LeastSquares system(26);
    std::vector<float> weight(static_cast<std::size_t>(size_));
    for (int y = 0; y < size_; ++y) {
        weigh(state, nominal, y, weight);
        for (std::size_t x = 0; x < weight.size(); ++x) {
            if (weight[x] == 0)
                continue;
            const std::size_t i = index(0, y) + x;
            LeastSquares::Row row{};
            for (std::size_t k = 0; k < 5; ++k)
                std::copy_n(&state[beside(i, 5 * k)], 5, &row[5 * k]);
            row[25] = 1;
            system.add(row, value_[i], weight[x]);
        }
    }
    return system;
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
