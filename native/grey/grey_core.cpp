// grey_core.cpp: see grey_core.h.
#include "grey_core.h"

#include "agreement.h"
#include "hanxin_corners.h"
#include "hanxin_layout.h"
#include "qr_layout.h"
#include "samples.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace ehc::grey {

namespace {

constexpr int most_passes = 2; // of 180 symbols that were read three took the second, and none a third
constexpr std::size_t most_places = 64;
constexpr std::size_t most_tracks = 3, most_looks = 6; // of earlier frames
constexpr double least_agreement = 0.25;               // of looks at one symbol
constexpr float good_score = 0.36F;                    // of a symbol; surroundings that are none stay below, mostly
constexpr float least_score = 0.22F; // under it nothing is looked at; between the two once, for the sake of fusion

constexpr float least_blurred = 0.3F; // through a strong blur: finder patterns alone agree better

constexpr float clear_format = 0.2F; // the format of whatever was read later stood out by 0.35 or more

constexpr float stills[] = {1e-2F, 4e-4F}; // moves of a module under which the resolved are looked at

double now() noexcept
{
    using namespace std::chrono;
    return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

/// Sums over squares of modules of a field that is sampled twice a module.
class Squares {
public:
    Squares(const float *seen, int side) : row_(side + 2), sum_(static_cast<std::size_t>(row_ * row_))
    {
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x)
                at(x, y) = seen[y * side + x] + at(x - 2, y) + at(x, y - 2) - at(x - 2, y - 2);
    }

    /// Of the modules up to so many from the one at (x, y).
    float within(int modules, int x, int y) noexcept
    {
        const int far = 2 * modules, before = far + 2;
        return at(x + far, y + far) - at(x - before, y + far) - at(x + far, y - before) + at(x - before, y - before);
    }

private:
    float &at(int x, int y) noexcept { return sum_[static_cast<std::size_t>((y + 2) * row_ + x + 2)]; }

    int row_;
    std::vector<float> sum_;
};

/// Where a pattern of squares within one another looks most like one, up to four modules from where the warp has it, in
/// steps of half a module. middle_u, middle_v: of the pattern; ring: the outermost one; dark: bits of the rings that are.
Point seen_near(const Image &image, const Warp &warp, float half, float middle_u, float middle_v, int ring,
                unsigned dark)
{
    constexpr int reach = 8, most_ring = 4, most_side = 2 * (reach + 2 * most_ring) + 1; // halves of a module
    const int middle = reach + 2 * ring, side = 2 * middle + 1;
    std::array<float, most_side * most_side> seen;
    const auto count = static_cast<std::size_t>(side * side);
    levels(
        image, warp, count,
        [&](std::size_t i) {
            const int x = static_cast<int>(i) % side - middle, y = static_cast<int>(i) / side - middle;
            return Point{middle_u + static_cast<float>(x) * half, middle_v + static_cast<float>(y) * half};
        },
        seen.data());
    for (std::size_t i = 0; i < count; ++i)
        seen[i] -= 128; // so that their squares stay exact
    Squares levels_in(seen.data(), side);
    for (std::size_t i = 0; i < count; ++i)
        seen[i] *= seen[i];
    Squares squares_in(seen.data(), side);
    const float all = static_cast<float>((2 * ring + 1) * (2 * ring + 1));
    float best = -1;
    Point at{middle_u, middle_v};
    for (int dv = -reach; dv <= reach; ++dv)
        for (int du = -reach; du <= reach; ++du) {
            const int x = middle + du, y = middle + dv;
            float inside = 0, darks = 0, sum = 0;
            for (int r = 0; r <= ring; ++r) {
                const float upto = levels_in.within(r, x, y);
                if (dark >> r & 1)
                    darks += r == 0 ? 1.0F : static_cast<float>(8 * r), sum += upto - inside;
                inside = upto;
            }
            const float mean = inside / all, variance = squares_in.within(ring, x, y) / all - mean * mean;
            const float contrast = std::abs(sum / darks - (inside - sum) / (all - darks));
            const float agreement = contrast / std::sqrt(std::max(variance, 0.0F) + 4);
            const float found = agreement - 0.00125F * static_cast<float>(du * du + dv * dv);
            if (found > best) {
                best = found;
                at = {middle_u + static_cast<float>(du) * half, middle_v + static_cast<float>(dv) * half};
            }
        }
    return warp.at(at.x, at.y);
}

constexpr unsigned finder_rings = 0b01011, alignment_rings = 0b101; // dark ones

/// Through the alignment pattern at the bottom right, and through the finder patterns where they look most like one.
Warp through_patterns(const Image &image, const Warp &warp, int size, bool finders)
{
    const float half = 1.0F / static_cast<float>(size), middle = 1 - 13 * half;
    const float near = 7 * half - 1, far = 1 - 7 * half;
    const auto finder = [&](float u, float v) {
        return finders ? seen_near(image, warp, half, u, v, 4, finder_rings) : warp.at(u, v);
    };
    const Point a = finder(near, near), b = finder(far, near), d = finder(near, far);
    const Point c = seen_near(image, warp, half, middle, middle, 2, alignment_rings);
    return Warp({near, near, far, near, middle, middle, near, far}, {a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y});
}

/// The better of the corners as they are and of those that the alignment pattern, or each corner's own pattern, says.
Start start_at(const Image &image, const Candidate &candidate, int version, std::size_t blur)
{
    const Layout &layout = layout_of(candidate.symbology, version);
    const Pattern &pattern = *layout.patterns[blur];
    Start out{&layout, Warp(candidate.corners), {}, blur};
    if (!out.warp.sound(image, layout.size))
        return {nullptr, out.warp, {}, blur};
    out.fit = fit(image, pattern, out.warp, 3, false);
    const Warp rough = out.warp;
    const bool hanxin = layout.symbology == Symbology::hanxin;
    for (const bool finders : {false, true}) {
        if (out.fit.score > 0.6F || (hanxin ? finders : layout.alignment.empty()))
            break;
        Warp other = hanxin ? through_corners(image, Warp(candidate.corners), layout.size, blur).first
                            : through_patterns(image, finders ? Warp(candidate.corners) : rough, layout.size, finders);
        const Fit found = other.sound(image, layout.size) ? fit(image, pattern, other, 3, false) : Fit{};
        if (found.score > out.fit.score)
            out.warp = other, out.fit = found;
    }
    return out;
}

/// The corners of a symbol of another version with its finder patterns in the same places.
Candidate with_finders_of(const Start &start, int version)
{
    const Symbology symbology = start.layout->symbology;
    const auto middle = [=](int of) {
        return 1 - 7.0F / static_cast<float>(size_of(symbology, of));
    }; // of a finder pattern
    const float far = middle(start.layout->version) / middle(version);
    const Point a = start.warp.at(-far, -far), b = start.warp.at(far, -far);
    const Point c = start.warp.at(far, far), d = start.warp.at(-far, far);
    return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}, version, symbology};
}

/// What a Han Xin symbol says beside its corners, where all versions say it in the same place; a mirror image says it in
/// other places, and is the same but for that and its data.
struct Said {
    int version;
    bool mirrored;
};
Said said_beside_corners(const Image &image, const Start &start)
{
    const Layout &layout = *start.layout;
    const auto soft = SoftGrid(image, start.warp, start.fit.light, layout.size).equalised(layout.known.data(), 3);
    const auto mirrored = [n = layout.size](int module) { return n * (n - 1 - module % n) + n - 1 - module / n; };
    std::pair<float, int> straight{-1e9F, layout.version}, turned = straight;
    for (int version = 1; version <= last_hanxin_version; ++version)
        for (int format = 0; format < 4 * layout.masks; ++format) {
            const std::uint32_t bits = function_information(version, format / layout.masks, format % layout.masks);
            float one = 0, other = 0;
            for (const auto &copy : layout.format)
                for (std::size_t i = 0; i < copy.size(); ++i) {
                    const float sign = bits >> (copy.size() - 1 - i) & 1 ? 1.0F : -1.0F;
                    one += sign * soft[copy[i]];
                    other += sign * soft[static_cast<std::size_t>(mirrored(copy[i]))];
                }
            straight = std::max(straight, {one, version}), turned = std::max(turned, {other, version});
        }
    if (turned.first > 1.25F * straight.first)
        return {turned.second, true};
    return {straight.second, false};
}

/// A version, then those up to four modules smaller or larger.
std::vector<int> versions_near(Symbology symbology, int said)
{
    std::vector<int> out;
    for (const int step : {0, -1, 1, -2, 2})
        if (said + step >= 1 && said + step <= last_version_of(symbology) &&
            std::abs(size_of(symbology, said + step) - size_of(symbology, said)) <= 4)
            out.push_back(said + step);
    return out;
}

/// Of a symbol out of focus, whose timing patterns may be seen the other way around: the version that is said and those
/// beside it, which hardly differ then, the one that agrees best first.
std::vector<Start> out_of_focus(const Image &image, const Candidate &candidate, int said)
{
    std::vector<Start> out;
    for (const int version : versions_near(candidate.symbology, said)) {
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
    for (const int other : versions_near(candidate.symbology, said)) {
        if (other == said || best.fit.score > 0.6F || best.fit.score < 0.1F)
            continue;
        const Start found = start_at(image, candidate, other, 0);
        if (found.layout && found.fit.score > best.fit.score)
            best = found;
    }
    if (!best.layout)
        return {};
    const bool hanxin = candidate.symbology == Symbology::hanxin;
    std::vector<Start> out{best};
    if (hanxin && best.fit.score > 0.1F)
        if (const Said beside = said_beside_corners(image, best);
            beside.mirrored || beside.version != best.layout->version) {
            Candidate other = with_finders_of(best, beside.version);
            if (beside.mirrored)
                std::swap_ranges(&other.corners[0], &other.corners[2], &other.corners[4]);
            const Start found = start_at(image, other, beside.version, 0);
            if (found.layout && beside.mirrored) // out of focus that may be wrong
                out.insert(out.begin(), found);
            else if (found.layout && found.fit.score > best.fit.score)
                out[0] = found;
        }
    const float score = out[0].fit.score;
    if (score < 0.1F || score > (hanxin ? 0.85F : 0.6F)) // four corners agree more than three
        return out;
    std::vector<Start> all;
    for (const Start &start : out) {
        auto blurred = hanxin
                           ? out_of_focus(image, with_finders_of(start, start.layout->version), start.layout->version)
                           : out_of_focus(image, candidate, said);
        if (!blurred.empty() && blurred[0].fit.score > start.fit.score)
            all.insert(all.end(), blurred.begin(), blurred.end());
        else
            all.push_back(start);
    }
    return all;
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
    const std::uint32_t format = layout.formats[format_of(layout, soft.data()).first];
    for (std::size_t i = 0; i < out.size(); ++i)
        if (out[i] == 0)
            out[i] = 0.9F * std::tanh(3 * soft[i]);
    for (const auto &copy : layout.format)
        for (std::size_t i = 0; i < copy.size(); ++i)
            out[copy[i]] = format >> (copy.size() - 1 - i) & 1 ? 1.0F : -1.0F;
    return out;
}

} // namespace

std::optional<Found> GreyCore::read(const Image &image, const Candidate &candidate, double microseconds)
{
    const double until = now() + microseconds;
    const int least = candidate.symbology == Symbology::qr ? 0 : 1;
    if (candidate.version < least || candidate.version > last_version_of(candidate.symbology) || image.width < 21 ||
        image.height < 21 || !Warp(candidate.corners).sound(image, size_of(candidate.symbology, 1)))
        return std::nullopt;
    for (const Start &rough : starts(image, candidate)) {
        const Start start = refined(image, rough);
        if (start.fit.score < least_score || looked_at(start.warp.corners(), *start.layout))
            continue;
        if (auto found = passes(image, start, until))
            return found;
        if (now() > until)
            break;
    }
    return std::nullopt;
}

/// Whether this frame was looked at in that place before, to half a module; from now on it was.
bool GreyCore::looked_at(const Corners &corners, const Layout &layout)
{
    const double module = std::hypot(corners[2] - corners[0], corners[3] - corners[1]) / layout.size;
    for (const Place &before : places_) {
        double furthest = 0;
        for (std::size_t i = 0; i < 8; ++i)
            furthest = std::max(furthest, std::abs(before.corners[i] - corners[i]));
        if (before.layout == &layout && furthest < 0.5 * module)
            return true;
    }
    if (places_.size() < most_places)
        places_.push_back({corners, &layout});
    return false;
}

std::optional<Found> GreyCore::passes(const Image &image, const Start &start, double until)
{
    const Layout &layout = *start.layout;
    const bool blurred = start.blur > 0; // nothing is to be seen of the format before it is resolved
    Warp warp = start.warp;
    Fit found = start.fit;
    std::vector<float> known(layout.known), soft;
    Symbol symbol;
    const auto read = [&](const SoftGrid &grid) {
        soft = grid.equalised(layout.known.data(), 3);
        bool done = decode(layout, soft.data(), symbol);
        for (int again = 0; again < (blurred ? 5 : 3) && !done; ++again) {
            if (!(blurred && again == 0) && !promising(layout, soft))
                break;
            SoftGrid::Resolving modules({&grid}, known.data(), layout.known.data());
            for (const float still : stills) {
                soft = modules.until(still);
                if ((done = decode(layout, soft.data(), symbol)))
                    break;
            }
            known = believed(layout, soft);
        }
        return done;
    };
    for (int pass = 1; pass <= most_passes; ++pass) {
        SoftGrid grid(image, warp, found.light, layout.size);
        bool done = pass == 1 && read(grid);
        if (!done && pass == 1 && !blurred) {
            known = layout.known; // what glare makes of the others is not to be believed
            grid.even(known.data());
            done = read(grid);
        }
        for (int again = 0; again < pass && !done && promising(layout, soft); ++again) {
            grid.even_as(known.data());
            done = read(grid);
        }
        if (done)
            return Found{symbol, warp.corners(), pass, 1, found.score};
        const float clear = format_of(layout, soft.data()).clear;
        const bool over = now() > until || pass == most_passes || found.score < good_score || clear <= clear_format;
        if (!latest_ || clear > latest_->clear)
            latest_ = Look{&layout, warp.corners(), std::move(grid), soft, found.score, clear};
        if (over)
            break;
        const Pattern pattern(layout.size, known.data(), blurs[start.blur], true);
        if (!pattern.fits)
            break;
        found = fit(image, pattern, warp, 4, true);
    }
    return std::nullopt;
}

bool GreyCore::waiting() const noexcept
{
    return latest_ && latest_->score >= good_score;
}

/// What several looks at one symbol show of it, each weighed by how clear its format was.
std::vector<float> GreyCore::mean(const Track &track)
{
    std::vector<float> out(track[0].soft.size());
    float total = 0;
    for (const Look &look : track) {
        const float weight = look.clear * look.clear;
        total += weight;
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] += weight * look.soft[i];
    }
    for (float &value : out)
        value /= total;
    return out;
}

/// How well a look agrees with earlier ones, -1 .. 1.
double GreyCore::alike(const Look &look, const Track &track)
{
    if (look.layout != track[0].layout)
        return -1;
    double both = 0, mine = 1e-9, theirs = 1e-9;
    const std::vector<float> seen = mean(track);
    for (const auto i : look.layout->order) {
        both += look.soft[i] * seen[i];
        mine += look.soft[i] * look.soft[i], theirs += seen[i] * seen[i];
    }
    return both / std::sqrt(mine * theirs);
}

std::optional<Candidate> GreyCore::expected() const
{
    if (tracks_.empty())
        return std::nullopt;
    const Look &last = tracks_.back().back();
    return Candidate{last.corners, last.layout->version};
}

std::optional<Found> GreyCore::fuse()
{
    places_.clear();
    if (!latest_ || latest_->clear < clear_format) {
        latest_.reset();
        return std::nullopt;
    }
    auto at = tracks_.end();
    double best = least_agreement;
    for (auto track = tracks_.begin(); track != tracks_.end(); ++track)
        if (const double found = alike(*latest_, *track); found > best)
            at = track, best = found;
    if (at == tracks_.end()) {
        if (tracks_.size() == most_tracks)
            tracks_.erase(tracks_.begin());
        at = tracks_.emplace(tracks_.end());
    }
    std::rotate(at, at + 1, tracks_.end());
    Track &track = tracks_.back();
    if (track.size() == most_looks)
        track.erase(track.begin());
    track.push_back(std::move(*latest_));
    latest_.reset();
    if (track.size() < 2)
        return std::nullopt;
    const Layout &layout = *track[0].layout;
    std::vector<const SoftGrid *> grids;
    for (const Look &look : track)
        grids.push_back(&look.grid);
    std::vector<float> soft = mean(track);
    Symbol symbol;
    bool done = decode(layout, soft.data(), symbol);
    for (int again = 0; again < 3 && !done; ++again) {
        soft = SoftGrid::Resolving(grids, believed(layout, soft).data(), layout.known.data()).until(stills[1]);
        done = decode(layout, soft.data(), symbol);
    }
    if (!done)
        return std::nullopt;
    const Found found{symbol, track.back().corners, 0, static_cast<int>(track.size()), track.back().score};
    tracks_.pop_back();
    return found;
}

} // namespace ehc::grey
