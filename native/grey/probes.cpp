// probes.cpp: see probes.h.
#include "probes.h"

#include <cmath>

namespace ehc::grey {

namespace {

constexpr float apart = 0.3F; // of the four points of a module from its middle

/// What the blur sees of the modules before, here and behind a point `offset` from the middle of a module; and how that
/// changes with the offset.
struct Share {
    std::array<float, 3> part, slope;

    Share(float offset, float blur)
    {
        const auto below = [&](float edge) {
            return 0.5F * (1 + std::erf((edge - offset) / (blur * std::sqrt(2.0F))));
        };
        const auto density = [&](float edge) {
            const float z = (edge - offset) / blur;
            return std::exp(-0.5F * z * z) / (blur * std::sqrt(2 * 3.14159265F));
        };
        part = {below(-0.5F), below(0.5F) - below(-0.5F), 1 - below(0.5F)};
        slope = {-density(-0.5F), density(-0.5F) - density(0.5F), density(0.5F)};
    }
};

class Probing {
public:
    Probing(int size, const float *known, float blur, std::vector<Probe> &out)
        : n_(size), known_(known), shares_{Share(-apart, blur), Share(apart, blur)}, out_(out)
    {
    }

    void all()
    {
        for (int y = 0; y < n_; ++y)
            for (int x = 0; x < n_; ++x)
                if (known(x, y) != 0)
                    four(x, y);
    }

private:
    float known(int x, int y) const { return x < 0 || y < 0 || x >= n_ || y >= n_ ? -1.0F : known_[y * n_ + x]; }

    void four(int x, int y)
    {
        for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t k = 0; k < 2; ++k)
                one(x, y, shares_[k], shares_[i], k ? 0.5F + apart : 0.5F - apart, i ? 0.5F + apart : 0.5F - apart);
    }

    void one(int x, int y, const Share &across, const Share &down, float dx, float dy)
    {
        float sum = 0, mass = 0, slope_x = 0, slope_y = 0;
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t k = 0; k < 3; ++k) {
                const float value = known(x + static_cast<int>(k) - 1, y + static_cast<int>(i) - 1);
                sum += across.part[k] * down.part[i] * value;
                mass += across.part[k] * down.part[i] * std::abs(value);
                slope_x += across.slope[k] * down.part[i] * value;
                slope_y += across.part[k] * down.slope[i] * value;
            }
        const float half = 0.5F * static_cast<float>(n_);
        out_.push_back({(static_cast<float>(x) + dx) / half - 1, (static_cast<float>(y) + dy) / half - 1, sum,
                        slope_x * half, slope_y * half, mass * mass});
    }

    const int n_;
    const float *const known_;
    const std::array<Share, 2> shares_;
    std::vector<Probe> &out_;
};

} // namespace

Probes::Probes(const std::vector<Probe> &probes)
{
    const std::size_t count = (probes.size() + lanes - 1) / lanes * lanes;
    for (auto *const values : {&u, &v, &value, &du, &dv, &weight})
        values->reserve(count);
    for (const Probe &p : probes) {
        u.push_back(p.u), v.push_back(p.v), value.push_back(p.value);
        du.push_back(p.du), dv.push_back(p.dv), weight.push_back(p.weight);
        mass += p.weight;
    }
    for (auto *const values : {&u, &v, &value, &du, &dv, &weight})
        values->resize(count);
}

Motion motion_at(float u, float v) noexcept
{
    const float uu = 1 - u * u, vv = 1 - v * v;
    return {{1, u, v, 0, 0, 0, u * u, u * v, uu, vv, u * uu, 0, 0, 0},
            {0, 0, 0, 1, u, v, u * v, v * v, 0, 0, 0, uu, vv, v * vv}};
}

std::array<float, most_unknowns> light_at(const Probe &p) noexcept
{
    return {1, p.u, p.v, p.value, p.value * p.u, p.value * p.v};
}

Pattern::Pattern(int size, const float *known, float blur, bool for_one_fit)
{
    std::vector<Probe> all;
    Probing(size, known, blur, all).all();
    probes = Probes(all);
    for (const Probe &probe : all) {
        light.add(light_at(probe), 0, probe.weight);
        const Motion motion = motion_at(probe.u, probe.v);
        LeastSquares::Row row{};
        for (std::size_t i = 0; i < curved_terms; ++i)
            row[i] = probe.du * motion.u[i] + probe.dv * motion.v[i];
        if (!for_one_fit)
            plane.add(row, 0, probe.weight);
        curved.add(row, 0, probe.weight);
    }
    const float some = static_cast<float>(all.size());
    for (std::size_t i = 0; i < curved_terms; ++i) { // perspective and bending only where the image asks for it
        if (i < plane_terms)
            plane.prefer(i, 0, i < 6 ? 0 : 0.05F * some);
        curved.prefer(i, 0, i < 6 ? 0 : i < plane_terms ? 0.05F * some : 0.5F * some);
    }
    fits = light.factor() && curved.factor() && (for_one_fit || plane.factor());
}

} // namespace ehc::grey
