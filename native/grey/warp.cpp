// warp.cpp: see warp.h. The fit is Gauss and Newton's with the slopes of the pattern instead of the image's: they hold no
// noise, and the normal equations are factored once for all images (Baker and Matthews, inverse compositional).
#include "warp.h"

#include "samples.h"

#include <algorithm>
#include <cmath>

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

/// What is seen at the probes, the light that explains it best, and how much of it is explained.
Fit look(const Image &image, const Pattern &pattern, const Warp &warp, std::vector<float> &seen)
{
    levels(
        image, warp, seen.size(), [&](std::size_t i) { return Point{pattern.probes[i].u, pattern.probes[i].v}; },
        seen.data());
    float level[3]{}, contrast[3]{}, squares = 0, mass = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const Probe &p = pattern.probes[i];
        const float part = p.weight * seen[i], dark = part * p.value;
        level[0] += part, level[1] += part * p.u, level[2] += part * p.v;
        contrast[0] += dark, contrast[1] += dark * p.u, contrast[2] += dark * p.v;
        squares += part * seen[i], mass += p.weight;
    }
    const LeastSquares::Row right{level[0], level[1], level[2], contrast[0], contrast[1], contrast[2]};
    const auto x = pattern.light.solve(right);
    double explained = 0;
    for (std::size_t k = 0; k < 6; ++k)
        explained += static_cast<double>(x[k]) * right[k];
    const double even = static_cast<double>(level[0]) * level[0] / std::max(mass, 1e-9F);
    const double all = squares - even;
    const double part = all > 1e-3 * mass ? (explained - even) / all : 0;
    return {{{x[0], x[1], x[2]}, {x[3], x[4], x[5]}}, static_cast<float>(std::clamp(part, 0.0, 1.0))};
}

/// How far, in terms of the geometry, the image has moved against the pattern.
LeastSquares::Row shift_of(const Pattern &pattern, const float *seen, const Light &light, bool curved)
{
    LeastSquares::Row right{};
    const std::size_t terms = curved ? curved_terms : plane_terms;
    for (std::size_t i = 0; i < pattern.probes.size(); ++i) {
        const Probe &p = pattern.probes[i];
        const float contrast = steady(light.contrast_at(p.u, p.v), light);
        const float error = (seen[i] - light.level_at(p.u, p.v)) / contrast - p.value;
        const float pull = p.weight * std::clamp(error, -1.0F, 1.0F); // a glare spot pulls no more than an error
        const float du = pull * p.du, dv = pull * p.dv, both = p.u * du + p.v * dv;
        const float flat[plane_terms] = {du, p.u * du, p.v * du, dv, p.u * dv, p.v * dv, p.u * both, p.v * both};
        for (std::size_t k = 0; k < plane_terms; ++k)
            right[k] += flat[k];
        if (terms > plane_terms) {
            const Motion motion = motion_at(p.u, p.v);
            for (std::size_t k = plane_terms; k < terms; ++k)
                right[k] += du * motion.u[k] + dv * motion.v[k];
        }
    }
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
