// warp.cpp: see warp.h. The fit is Gauss and Newton's with the slopes of the pattern instead of the image's: they hold no
// noise, and the normal equations are factored once for all images (Baker and Matthews, inverse compositional).
#include "warp.h"

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

Light light_of(const Pattern &pattern, const float *seen)
{
    LeastSquares::Row right{};
    for (std::size_t i = 0; i < pattern.probes.size(); ++i) {
        const auto terms = light_at(pattern.probes[i]);
        for (std::size_t k = 0; k < 6; ++k)
            right[k] += pattern.probes[i].weight * seen[i] * terms[k];
    }
    const auto x = pattern.light.solve(right);
    return {{x[0], x[1], x[2]}, {x[3], x[4], x[5]}};
}

float score_of(const Pattern &pattern, const float *seen, const Light &light)
{
    double mass = 0, sum = 0, squares = 0, rest = 0;
    for (std::size_t i = 0; i < pattern.probes.size(); ++i) {
        const Probe &p = pattern.probes[i];
        const double level = seen[i] - light.level_at(p.u, p.v);
        const double error = level - light.contrast_at(p.u, p.v) * p.value;
        mass += p.weight, sum += p.weight * level;
        squares += p.weight * level * level, rest += p.weight * error * error;
    }
    const double all = squares - sum * sum / std::max(mass, 1e-9);
    return all > 1e-3 * mass ? static_cast<float>(std::clamp(1 - rest / all, 0.0, 1.0)) : 0.0F;
}

/// How far, in terms of the geometry, the image has moved against the pattern.
LeastSquares::Row shift_of(const Pattern &pattern, const float *seen, const Light &light, bool curved)
{
    LeastSquares::Row right{};
    const float least = 0.25F * std::abs(light.contrast[0]) + 1e-3F;
    for (std::size_t i = 0; i < pattern.probes.size(); ++i) {
        const Probe &p = pattern.probes[i];
        float contrast = light.contrast_at(p.u, p.v);
        if (std::abs(contrast) < least)
            contrast = std::copysign(least, light.contrast[0]);
        const float error = (seen[i] - light.level_at(p.u, p.v)) / contrast - p.value;
        const float pull = p.weight * std::clamp(error, -1.0F, 1.0F); // a glare spot pulls no more than an error
        const Motion motion = motion_at(p.u, p.v);
        for (std::size_t k = 0; k < curved_terms; ++k)
            right[k] += pull * (p.du * motion.u[k] + p.dv * motion.v[k]);
    }
    return (curved ? pattern.curved : pattern.plane).solve(right);
}

} // namespace

float Image::at(float x, float y) const noexcept
{
    const float right = static_cast<float>(width - 1), bottom = static_cast<float>(height - 1);
    x = x > 0 ? std::min(x, right) : 0.0F; // written so that NaN becomes 0
    y = y > 0 ? std::min(y, bottom) : 0.0F;
    const int left = static_cast<int>(x), top = static_cast<int>(y);
    const float fx = x - static_cast<float>(left), fy = y - static_cast<float>(top);
    const std::uint8_t *const a = data + top * row + left;
    const std::uint8_t *const b = top + 1 < height ? a + row : a;
    const int next = left + 1 < width;
    const float above = static_cast<float>(a[0]) + fx * static_cast<float>(a[next] - a[0]);
    const float below = static_cast<float>(b[0]) + fx * static_cast<float>(b[next] - b[0]);
    return above + fy * (below - above);
}

Warp::Warp(const Corners &corners) noexcept
{
    const Matrix to_unit = {0.5, 0, 0.5, 0, 0.5, 0.5, 0, 0, 1};
    h_ = product(from_unit_square(corners), to_unit);
}

Warp::Warp(const Corners &from, const Corners &to) noexcept
{
    h_ = product(from_unit_square(to), inverse(from_unit_square(from)));
}

Point Warp::at(float u, float v) const noexcept
{
    const float uu = 1 - u * u, vv = 1 - v * v;
    const double s = u + bend_[0] * uu + bend_[1] * vv + bend_[2] * u * uu;
    const double t = v + bend_[3] * uu + bend_[4] * vv + bend_[5] * v * vv;
    const double scale = 1 / (h_[6] * s + h_[7] * t + h_[8]);
    return {static_cast<float>((h_[0] * s + h_[1] * t + h_[2]) * scale),
            static_cast<float>((h_[3] * s + h_[4] * t + h_[5]) * scale)};
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
        if (!((h_[6] * s + h_[7] * t + h_[8]) * h_[8] > 1e-3 * h_[8] * h_[8])) // written so that NaN is refused
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
    h_ = product(h_, inverse(shift));
    const double scale = 1 / h_[8];
    for (double &value : h_)
        value *= scale;
    for (std::size_t i = 0; i < bend_.size(); ++i)
        bend_[i] -= d[plane_terms + i];
}

Fit fit(const Image &image, const Pattern &pattern, Warp &warp, int rounds, bool curved)
{
    std::vector<float> seen(pattern.probes.size());
    const auto look = [&](const Warp &at) {
        for (std::size_t i = 0; i < seen.size(); ++i) {
            const Point p = at.at(pattern.probes[i].u, pattern.probes[i].v);
            seen[i] = image.at(p.x, p.y);
        }
        Fit out;
        out.light = light_of(pattern, seen.data());
        out.score = score_of(pattern, seen.data(), out.light);
        return out;
    };
    Fit best = look(warp);
    std::vector<float> seen_best = seen;
    for (int round = 0; round < rounds; ++round) {
        auto step = shift_of(pattern, seen_best.data(), best.light, curved);
        Fit found;
        Warp next = warp;
        for (int tries = 0; tries < 3; ++tries) { // a step too far is halved
            next = warp;
            next.move(step);
            found = next.sound(image, 8) ? look(next) : Fit{};
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
