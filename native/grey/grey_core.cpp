// grey_core.cpp: see grey_core.h.
#include "grey_core.h"

#include "agreement.h"
#include "samples.h"
#include "soft_grid.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace ehc::grey {

namespace {

constexpr int most_passes = 2; // of 180 symbols that were read three took the second, and none a third
constexpr std::size_t most_places = 64;
constexpr float good_score = 0.36F;  // of a symbol; surroundings that are none stay below, mostly
constexpr float least_score = 0.22F; // under it nothing is looked at; between the two once, for the sake of fusion

constexpr float least_blurred = 0.3F; // through a strong blur: finder patterns alone agree better

constexpr float clear_format = 0.2F; // the format of whatever was read later stood out by 0.35 or more

double now() noexcept
{
    using namespace std::chrono;
    return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

/// Where the alignment pattern at the bottom right looks most like one, up to four modules from where the warp has it, in
/// steps of half a module.
Warp through_alignment(const Image &image, const Warp &warp, int size)
{
    constexpr int reach = 8, side = 2 * (reach + 4) + 1; // halves of a module; a pattern reaches four beyond its middle
    const float half = 1.0F / static_cast<float>(size), middle = 1 - 13 * half;
    const auto at = [&](int steps) { return middle + static_cast<float>(steps) * half; };
    std::array<float, side * side> seen;
    levels(
        image, warp, seen.size(),
        [&](std::size_t i) {
            return Point{at(static_cast<int>(i) % side - side / 2), at(static_cast<int>(i) / side - side / 2)};
        },
        seen.data());
    float best = -1, best_u = middle, best_v = middle;
    for (int dv = -reach; dv <= reach; ++dv)
        for (int du = -reach; du <= reach; ++du) {
            const float *const here = &seen[static_cast<std::size_t>((dv + side / 2) * side + du + side / 2)];
            float light = 0, dark = 0, squares = 0;
            for (int y = -2; y <= 2; ++y)
                for (int x = -2; x <= 2; ++x) {
                    const float level = here[2 * (y * side + x)];
                    (std::max(std::abs(x), std::abs(y)) == 1 ? light : dark) += level;
                    squares += level * level;
                }
            const float mean = (light + dark) / 25, variance = squares / 25 - mean * mean;
            const float agreement = std::abs(light / 8 - dark / 17) / std::sqrt(variance + 4);
            const float found = agreement - 0.00125F * static_cast<float>(du * du + dv * dv);
            if (found > best)
                best = found, best_u = at(du), best_v = at(dv);
        }
    const float near = 7 * half - 1, far = 1 - 7 * half;
    const Point a = warp.at(near, near), b = warp.at(far, near), c = warp.at(best_u, best_v), d = warp.at(near, far);
    return Warp({near, near, far, near, middle, middle, near, far}, {a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y});
}

/// The better of the corners as they are and of those that the alignment pattern says.
Start start_at(const Image &image, const Candidate &candidate, int version, std::size_t blur)
{
    const Layout &layout = layout_of(version);
    const Pattern &pattern = *layout.patterns[blur];
    Start out{&layout, Warp(candidate.corners), {}, blur};
    if (!out.warp.sound(image, size_of(version)))
        return {nullptr, out.warp, {}, blur};
    out.fit = fit(image, pattern, out.warp, 3, false);
    if (version >= 2 && out.fit.score < 0.6F) {
        Warp other = through_alignment(image, out.warp, layout.size);
        const Fit found = other.sound(image, size_of(version)) ? fit(image, pattern, other, 3, false) : Fit{};
        if (found.score > out.fit.score)
            out.warp = other, out.fit = found;
    }
    return out;
}

/// The corners of a symbol of another version with its finder patterns in the same places.
Candidate with_finders_of(const Start &start, int version)
{
    const auto middle = [](int of) { return 1 - 7.0F / static_cast<float>(size_of(of)); }; // of a finder pattern
    const float far = middle(start.layout->version) / middle(version);
    const Point a = start.warp.at(-far, -far), b = start.warp.at(far, -far);
    const Point c = start.warp.at(far, far), d = start.warp.at(-far, far);
    return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}, version};
}

/// Of a symbol out of focus, whose timing patterns may be seen the other way around: the version that is said and those
/// beside it, which hardly differ then, the one that agrees best first.
std::vector<Start> out_of_focus(const Image &image, const Candidate &candidate, int said)
{
    std::vector<Start> out;
    for (int version : {said, said - 1, said + 1}) {
        if (version < 1 || version > last_version)
            continue;
        const Start found = start_at(image, out.empty() ? candidate : with_finders_of(out[0], version), version, 1);
        if (found.layout != nullptr && found.fit.score > least_blurred)
            out.push_back(found);
        else if (out.empty())
            break;
    }
    std::sort(out.begin(), out.end(), [](const Start &a, const Start &b) { return a.fit.score > b.fit.score; });
    return out;
}

/// Fitted as well as it can be.
Start refined(const Image &image, Start start)
{
    const Pattern &pattern = *start.layout->patterns[start.blur];
    start.fit = fit(image, pattern, start.warp, 8, false);
    if (start.blur == 0 && start.fit.score < 0.8F) { // a sheet may be bent
        Warp bent = start.warp;
        const Fit found = fit(image, pattern, bent, 8, true);
        if (found.score > start.fit.score + 0.03F)
            start.warp = bent, start.fit = found;
    }
    return start;
}

/// The version that is said, and those beside it where it does not look right: whatever is worth a look, likeliest first.
std::vector<Start> starts(const Image &image, const Candidate &candidate)
{
    const int said = candidate.version ? candidate.version : versions_seen(image, Warp(candidate.corners))[0].version;
    Start best = start_at(image, candidate, said, 0);
    for (const int other : {said - 1, said + 1}) {
        if (best.fit.score > 0.6F || best.fit.score < 0.1F || other < 1 || other > last_version)
            continue;
        const Start found = start_at(image, candidate, other, 0);
        if (found.layout && found.fit.score > best.fit.score)
            best = found;
    }
    if (!best.layout)
        return {};
    if (best.fit.score > 0.1F && best.fit.score < 0.6F)
        if (const auto blurred = out_of_focus(image, candidate, said);
            !blurred.empty() && blurred[0].fit.score > best.fit.score)
            return blurred;
    return {best};
}

/// Whether the format stands out among all that there are: where it does not, the rest is not to be read either.
bool promising(const Layout &layout, const std::vector<float> &soft)
{
    return format_of(layout, soft.data()).clear > clear_format;
}

/// What is known of a symbol and, as far as they are sure, what was seen.
std::vector<float> believed(const Layout &layout, const std::vector<float> &soft)
{
    std::vector<float> out(layout.known);
    const unsigned format = format_bits(format_of(layout, soft.data()).first);
    for (std::size_t i = 0; i < out.size(); ++i)
        if (out[i] == 0)
            out[i] = 0.9F * std::tanh(3 * soft[i]);
    for (const auto &copy : layout.format)
        for (std::size_t i = 0; i < copy.size(); ++i)
            out[copy[i]] = format >> (14 - i) & 1 ? 1.0F : -1.0F;
    return out;
}

} // namespace

std::optional<Found> GreyCore::read(const Image &image, const Candidate &candidate, double microseconds)
{
    const double until = now() + microseconds;
    if (candidate.version < 0 || candidate.version > last_version || image.width < 21 || image.height < 21 ||
        !Warp(candidate.corners).sound(image, size_of(1)))
        return std::nullopt;
    for (const Start &rough : starts(image, candidate)) {
        const Start start = refined(image, rough);
        if (start.fit.score < least_score || looked_at(start.warp.corners(), start.layout->size))
            continue;
        if (auto found = passes(image, start, until))
            return found;
        if (now() > until)
            break;
    }
    return std::nullopt;
}

/// Whether this frame was looked at in that place before, to half a module; from now on it was.
bool GreyCore::looked_at(const Corners &corners, int size)
{
    const double module = std::hypot(corners[2] - corners[0], corners[3] - corners[1]) / size;
    for (const Place &before : places_) {
        double furthest = 0;
        for (std::size_t i = 0; i < 8; ++i)
            furthest = std::max(furthest, std::abs(before.corners[i] - corners[i]));
        if (before.size == size && furthest < 0.5 * module)
            return true;
    }
    if (places_.size() < most_places)
        places_.push_back({corners, size});
    return false;
}

std::optional<Found> GreyCore::passes(const Image &image, const Start &start, double until)
{
    const Layout &layout = *start.layout;
    Warp warp = start.warp;
    Fit found = start.fit;
    std::vector<float> known(layout.known), soft;
    Symbol symbol;
    for (int pass = 1; pass <= most_passes; ++pass) {
        SoftGrid grid(image, warp, found.light, layout.size);
        if (pass > 1)
            grid.even(layout.known.data());
        soft = grid.equalised(layout.known.data(), 3);
        bool done = decode(layout, soft.data(), symbol);
        const bool blurred = start.blur > 0; // nothing is to be seen of the format before it is resolved
        for (int again = 0; again < (blurred ? 5 : 3) && !done; ++again) {
            if (!(blurred && again == 0) && !promising(layout, soft))
                break;
            soft = grid.resolved(known.data(), layout.known.data());
            done = decode(layout, soft.data(), symbol);
            known = believed(layout, soft);
        }
        if (done)
            return Found{symbol, warp.corners(), pass, 1, found.score};
        if (now() > until || pass == most_passes || found.score < good_score || !promising(layout, soft))
            break;
        const Pattern pattern(layout.size, known.data(), blurs[start.blur], true);
        if (!pattern.fits)
            break;
        found = fit(image, pattern, warp, 4, true);
    }
    if (!latest_ || found.score > latest_->score)
        latest_ = Look{&layout, warp.corners(), soft, found.score};
    return std::nullopt;
}

bool GreyCore::waiting() const noexcept
{
    return latest_ && latest_->score >= good_score;
}

std::optional<Found> GreyCore::fuse()
{
    places_.clear();
    if (!latest_)
        return std::nullopt;
    const auto agrees = [&] {
        double both = 0, mine = 1e-9, theirs = 1e-9;
        for (const auto i : latest_->layout->order) {
            both += latest_->soft[i] * sum_->soft[i];
            mine += latest_->soft[i] * latest_->soft[i], theirs += sum_->soft[i] * sum_->soft[i];
        }
        return both > 0.25 * std::sqrt(mine * theirs);
    };
    if (looks_ > 0 && latest_->layout == sum_->layout && agrees()) {
        for (std::size_t i = 0; i < sum_->soft.size(); ++i)
            sum_->soft[i] += latest_->soft[i];
        sum_->corners = latest_->corners;
        ++looks_;
    } else {
        sum_ = latest_, looks_ = 1;
    }
    const float score = latest_->score;
    latest_.reset();
    if (looks_ < 2)
        return std::nullopt;
    std::vector<float> mean(sum_->soft);
    for (float &value : mean)
        value /= static_cast<float>(looks_);
    Symbol symbol;
    if (!decode(*sum_->layout, mean.data(), symbol))
        return std::nullopt;
    return Found{symbol, sum_->corners, 0, looks_, score};
}

} // namespace ehc::grey
