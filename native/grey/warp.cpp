// warp.cpp: see warp.h. The fit is Gauss and Newton's with the slopes of the pattern instead of the image's: they hold no
// noise, and the normal equations are factored once for all images (Baker and Matthews, inverse compositional).
#include "warp.h"

#include "samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ehc::grey {

namespace {

using Matrix = std::array<double, 9>;

Matrix product(const Matrix &a, const Matrix &b) noexcept
{
    Matrix out{};
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t k = 0; k < 3; ++k)
            out[3 * i + k] = a[3 * i] * b[k] + a[3 * i + 1] * b[3 + k] + a[3 * i + 2] * b[6 + k];
    return out;
}

/// Up to a factor, which a homography does not have.
Matrix inverse(const Matrix &m) noexcept
{
    return {m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
            m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
            m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
}

/// The unit square to four points (Heckbert 1989).
Matrix from_unit_square(const Corners &c) noexcept
{
    const double sx = c[0] - c[2] + c[4] - c[6], sy = c[1] - c[3] + c[5] - c[7];
    const double ax = c[2] - c[4], ay = c[3] - c[5], bx = c[6] - c[4], by = c[7] - c[5];
    const double turn = ax * by - bx * ay;
    const double g = (sx * by - bx * sy) / turn, h = (ax * sy - sx * ay) / turn;
    return {c[2] - c[0] + g * c[2],
            c[6] - c[0] + h * c[6],
            c[0],
            c[3] - c[1] + g * c[3],
            c[7] - c[1] + h * c[7],
            c[1],
            g,
            h,
            1};
}

/// Four probes in one go; what is added up is added up in four lanes.
using Lanes = float __attribute__((vector_size(4 * sizeof(float))));
static_assert(sizeof(Lanes) == Probes::lanes * sizeof(float));

Lanes four(const float *at) noexcept
{
    Lanes out;
    std::memcpy(&out, at, sizeof out);
    return out;
}

float total(const Lanes &sums) noexcept
{
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// What is seen at the probes, the light that explains it best, and how much of it is explained.
Fit look(const Image &image, const Pattern &pattern, const Warp &warp, std::vector<float> &seen)
{
    const Probes &probes = pattern.probes;
    levels(image, warp, seen.size(), [&](std::size_t i) { return Point{probes.u[i], probes.v[i]}; }, seen.data());
    Lanes level[3]{}, contrast[3]{}, squares{};
    for (std::size_t i = 0; i < seen.size(); i += Probes::lanes) {
        const Lanes u = four(&probes.u[i]), v = four(&probes.v[i]), here = four(&seen[i]);
        const Lanes part = four(&probes.weight[i]) * here, dark = part * four(&probes.value[i]);
        level[0] += part, level[1] += part * u, level[2] += part * v;
        contrast[0] += dark, contrast[1] += dark * u, contrast[2] += dark * v;
        squares += part * here;
    }
    const LeastSquares::Row right{total(level[0]),    total(level[1]),    total(level[2]),
                                  total(contrast[0]), total(contrast[1]), total(contrast[2])};
    const auto x = pattern.light.solve(right);
    double explained = 0;
    for (std::size_t k = 0; k < 6; ++k)
        explained += static_cast<double>(x[k]) * right[k];
    const double even = static_cast<double>(right[0]) * right[0] / std::max(probes.mass, 1e-9F);
    const double all = total(squares) - even;
    const double part = all > 1e-3 * probes.mass ? (explained - even) / all : 0;
    return {{{x[0], x[1], x[2]}, {x[3], x[4], x[5]}}, static_cast<float>(std::clamp(part, 0.0, 1.0))};
}

/// How far, in terms of the geometry, the image has moved against the pattern.
LeastSquares::Row shift_of(const Pattern &pattern, const float *seen, const Light &light, bool curved)
{
    const Probes &probes = pattern.probes;
    Lanes flat[plane_terms]{}, bent[curved_terms - plane_terms]{};
    for (std::size_t i = 0; i < probes.size(); i += Probes::lanes) {
        float pull[Probes::lanes];
        for (std::size_t k = 0; k < Probes::lanes; ++k) {
            const float u = probes.u[i + k], v = probes.v[i + k], contrast = steady(light.contrast_at(u, v), light);
            const float error = (seen[i + k] - light.level_at(u, v)) / contrast - probes.value[i + k];
            pull[k] = probes.weight[i + k] * std::clamp(error, -1.0F, 1.0F); // a glare spot pulls no more than an error
        }
        const Lanes u = four(&probes.u[i]), v = four(&probes.v[i]);
        const Lanes du = four(pull) * four(&probes.du[i]), dv = four(pull) * four(&probes.dv[i]),
                    both = u * du + v * dv;
        flat[0] += du, flat[1] += u * du, flat[2] += v * du, flat[3] += dv, flat[4] += u * dv, flat[5] += v * dv;
        flat[6] += u * both, flat[7] += v * both;
        if (!curved)
            continue;
        const Lanes uu = 1.0F - u * u, vv = 1.0F - v * v;
        bent[0] += du * uu, bent[1] += du * vv, bent[2] += du * u * uu;
        bent[3] += dv * uu, bent[4] += dv * vv, bent[5] += dv * v * vv;
    }
    LeastSquares::Row right{};
    for (std::size_t k = 0; k < plane_terms; ++k)
        right[k] = total(flat[k]);
    for (std::size_t k = plane_terms; curved && k < curved_terms; ++k)
        right[k] = total(bent[k - plane_terms]);
    return (curved ? pattern.curved : pattern.plane).solve(right);
}

} // namespace

void Warp::set(const std::array<double, 9> &h) noexcept
{
    const double scale = 1 / h[8];
    for (std::size_t i = 0; i < 9; ++i)
        h_[i] = scale * h[i], f_[i] = static_cast<float>(h_[i]);
}

Warp::Warp(const Corners &corners) noexcept
{
    const Matrix to_unit = {0.5, 0, 0.5, 0, 0.5, 0.5, 0, 0, 1};
    set(product(from_unit_square(corners), to_unit));
}

Warp::Warp(const Corners &from, const Corners &to) noexcept
{
    set(product(from_unit_square(to), inverse(from_unit_square(from))));
}

Corners Warp::corners() const noexcept
{
    const Point a = at(-1, -1), b = at(1, -1), c = at(1, 1), d = at(-1, 1);
    return {a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y};
}

bool Warp::sound(const Image &image, double least) const noexcept
{
    const Corners c = corners();
    int turns = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const double s = i == 1 || i == 2 ? 1.2 : -1.2, t = i >= 2 ? 1.2 : -1.2;
        if (!(h_[6] * s + h_[7] * t + h_[8] > 1e-3)) // written so that NaN is refused
            return false;
        const double x = c[2 * i], y = c[2 * i + 1];
        const double ax = c[(2 * i + 2) % 8] - x, ay = c[(2 * i + 3) % 8] - y;
        const double bx = c[(2 * i + 6) % 8] - x, by = c[(2 * i + 7) % 8] - y;
        turns += ax * by - ay * bx > 0 ? 1 : -1;
        const double reach_x = 0.5 * image.width, reach_y = 0.5 * image.height;
        if (!(x > -reach_x && x < image.width + reach_x && y > -reach_y && y < image.height + reach_y))
            return false;
        if (!(ax * ax + ay * ay > least * least))
            return false;
    }
    for (const float bend : bend_)
        if (!(std::abs(bend) < 0.25F))
            return false;
    return turns == 4 || turns == -4;
}

void Warp::move(const std::array<float, most_unknowns> &d) noexcept
{
    const Matrix shift = {1.0 + d[1], d[2], d[0], d[4], 1.0 + d[5], d[3], -d[6], -d[7], 1};
    set(product(h_, inverse(shift)));
    for (std::size_t i = 0; i < bend_.size(); ++i)
        bend_[i] -= d[plane_terms + i];
}

Fit fit(const Image &image, const Pattern &pattern, Warp &warp, int rounds, bool curved)
{
    std::vector<float> seen(pattern.probes.size());
    Fit best = look(image, pattern, warp, seen);
    std::vector<float> seen_best = seen;
    for (int round = 0; round < rounds; ++round) {
        auto step = shift_of(pattern, seen_best.data(), best.light, curved);
        Fit found;
        Warp next = warp;
        for (int tries = 0; tries < 3; ++tries) { // a step too far is halved
            next = warp;
            next.move(step);
            found = next.sound(image, 8) ? look(image, pattern, next, seen) : Fit{};
            if (found.score > best.score)
                break;
            for (float &term : step)
                term *= 0.5F;
        }
        const float gained = found.score - best.score;
        if (gained <= 0)
            break;
        warp = next, best = found;
        std::swap(seen, seen_best);
        if (gained < 1e-4F)
            break;
    }
    return best;
}

} // namespace ehc::grey
