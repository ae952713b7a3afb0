// soft_grid.h: the modules of a symbol as grey levels, made even and sharp with what is known of them.
#pragma once

#include "warp.h"

#include <vector>

namespace ehc::grey {

constexpr int margin = 2; // modules around the symbol that the widest filter looks at

using Taps = std::array<float, 25>; // of a module over 5x5 around it

/// How two modules share what is seen of them: 9x9, the one in the middle, in rows of whole vectors, the last three 0.
constexpr int reach = 4;
constexpr std::size_t row_of_shared = 12;
using Shared = std::array<std::array<float, row_of_shared>, 2 * reach + 1>;

class SoftGrid {
public:
    /// Nine points a module, their mean, as (level - light.level) / light.contrast: about 1 dark .. -1 light.
    SoftGrid(const Image &image, const Warp &warp, const Light &light, int size);

    /// Takes out what light does to the parts of a symbol, a spot of glare above all: over a few modules around each, dark
    /// is as often as light but for the known ones, and as far from the middle. known: of size * size modules, 1 dark,
    /// -1 light, 0 unknown. Where little is between dark and light, as where both are blown, a module is trusted less.
    void even(const float *known);

    /// The same by what each module is believed to be, 1 dark .. -1 light, spread as the believed ones are: over a few modules
    /// around each the level and the range of light are those that explain best what is seen. A blur stays what it is.
    void even_as(const float *believed);

    /// Each module as a linear combination of the 3x3 or 5x5 (taps) around it, the one that gives the believed ones best.
    /// In units in which 1 is dark and -1 light; size * size, weighed down where there is little contrast to see.
    std::vector<float> equalised(const float *believed, int taps) const;

    class Resolving;

private:
    struct Spread {
        Taps tap;
        float level;
        float rest; // the variance of what they leave unexplained
    };

    std::vector<float> plane(float value) const;                // as large as `value_`
    std::vector<float> with_border(const float *modules) const; // light beyond them; as `value_`
    Spread spread_seen(const std::vector<float> &state) const;
    LeastSquares weighed_up(const std::vector<float> &state, const std::vector<float> &sure, const Taps &nominal) const;
    static Spread spread_near(LeastSquares system, const Taps &nominal);
    void spread_row(const Taps &tap, const std::vector<float> &plane, int y, float *out) const;

    std::size_t index(int x, int y) const noexcept
    {
        return static_cast<std::size_t>((y + margin) * side_ + x + margin);
    }

    int size_, side_;
    std::vector<float> value_; // side_ * side_, and some that a row of whole vectors may read behind the last
    std::vector<float> trust_; // size_ * size_
};

/// Each module as the one of two levels that explains what is seen of it and its neighbours: the spread of a module
/// over 5x5 is measured on the believed ones, then all are set, one after the other, between dark and light to what
/// leaves the least unexplained. These bounds are what a linear filter does not know, and what a strong blur is beaten by.
/// Of several grids, as frames showed one symbol: one set of equations in the modules that they share, each frame with its
/// own spread, weighed by what that leaves unexplained.
class SoftGrid::Resolving {
public:
    /// known: of size * size modules, 1 dark, -1 light, 0 unknown; stays as it is.
    Resolving(const std::vector<const SoftGrid *> &grids, const float *believed, const float *known);

    /// Goes on until no module moves by more than so much, on average; the modules then, as of `equalised`.
    const std::vector<float> &until(float still);

private:
    /// What one grid says of the modules: how it spreads them, and which way what they leave of it pulls each one.
    struct Equations {
        const SoftGrid &grid;
        Shared shared;
        std::size_t row; // of `pull`, which has `reach` modules more on all sides
        std::vector<float> pull;
        float energy, weight;

        Equations(const SoftGrid &of, const std::vector<float> &state);

        /// The first place that a module shares.
        float *at(int x, int y) noexcept
        {
            return &pull[static_cast<std::size_t>(y) * row + static_cast<std::size_t>(x)];
        }
    };

    /// A module that is not known.
    struct Module {
        int x, y;
        float hold, worth; // what holds it where it is; how much of what it says is to be trusted
    };

    float sweep(); // the squares of all moves

    std::vector<float> state_, out_;
    std::vector<Module> modules_; // in the order in which they are set
    std::vector<Equations> all_;
    int sweeps_ = 0;
};

} // namespace ehc::grey
