// probes.h: points of a symbol whose brightness is known, or believed, before it is read; what geometry is fitted to.
#pragma once

#include "least_squares.h"

#include <array>
#include <cstddef>
#include <vector>

namespace ehc::grey {

constexpr std::size_t plane_terms = 8;   // of a homography
constexpr std::size_t curved_terms = 14; // and of a sheet that is bent

struct Probe {
    float u, v;   // -1 .. 1 across the symbol
    float value;  // 1 dark .. -1 light, as seen through a blur of half a module
    float du, dv; // its slope, a unit of u and v
    float weight; // 0 .. 1: how much of what is seen there is known
};

/// Many of them, so that loops over them become vectors: `lanes` at a time, the last ones filled up with probes of no weight.
struct Probes {
    static constexpr std::size_t lanes = 4;

    std::vector<float> u, v, value, du, dv, weight;
    float mass = 0; // of all weights

    Probes() = default;
    explicit Probes(const std::vector<Probe> &probes);
    std::size_t size() const noexcept { return u.size(); }
};

/// How a point moves with each term of the geometry; the first eight are those of a homography.
struct Motion {
    std::array<float, curved_terms> u, v;
};
Motion motion_at(float u, float v) noexcept;

/// The probes with the factors of their normal equations, which do not depend on the image.
struct Pattern {
    Probes probes;
    LeastSquares light{6}, plane{plane_terms}, curved{curved_terms};
    bool fits = false; // every term can be told from the others

    /// known: of size * size modules, 1 dark .. -1 light, 0 unknown; around them lies light. A pattern for one fit is
    /// for a curved one.
    Pattern(int size, const float *known, float blur, bool for_one_fit);
};

/// The terms that light falls on a symbol by: level and contrast, each a plane.
std::array<float, most_unknowns> light_at(const Probe &probe) noexcept;

} // namespace ehc::grey
