// grey_core.h: a symbol that was located but could not be decoded, read from its grey levels; and several looks at one
// symbol, read together. C++17, no Python.
//
//   corners -> fit to the known modules -> nine grey points a module -> even light -> equaliser trained on the known
//   modules -> soft format and bits -> Reed-Solomon with erasures in order of doubt -> whole message? -> Symbol
//   and while that fails: what was seen, as far as it is believed, counts as known, and the geometry is fitted again
#pragma once

#include "soft_decode.h"
#include "soft_grid.h"
#include "warp.h"

#include <optional>
#include <vector>

namespace ehc::grey {

struct Candidate {
    Corners corners; // clockwise from the symbol's own top left, roughly; pixels
    int version;     // of those that the symbology has, roughly; 0: unknown, which only QR's may be
    Symbology symbology = Symbology::qr;
};

struct Found {
    Symbol symbol;
    Corners corners; // refined
    int passes;      // looks at the image it took, 1 or more
    int frames;      // looks that were read together: 1, or more after fusion
    float score;     // 0 .. 1, how well the known modules were met
};

/// Where the known modules are met best.
struct Start {
    const Layout *layout = nullptr;
    Warp warp;
    Fit fit;
    std::size_t blur = 0; // which of `blurs` they are seen through
};

/// One a source of frames: it remembers the symbol that it could not read. Not safe to share between threads.
class GreyCore {
public:
    /// A new frame: places that were looked at in vain may show something else now.
    void begin() noexcept { places_.clear(); }

    /// microseconds: no further pass starts after this time. Nothing where there is no such symbol, or no readable one.
    std::optional<Found> read(const Image &image, const Candidate &candidate, double microseconds);

    /// The best look since the last call of `fuse`, if any, is put to those of earlier frames that show the same symbol;
    /// then they are read as one.
    std::optional<Found> fuse();

    /// Where the symbol that earlier frames showed and that could not be read was last, if there is one.
    std::optional<Candidate> expected() const;

    /// Whether something was seen since the last call of `fuse` that is a symbol, most likely, and could not be read.
    bool waiting() const noexcept;

    /// Forget earlier frames.
    void forget() noexcept { tracks_.clear(), latest_.reset(), places_.clear(); }

private:
    struct Look {
        const Layout *layout;
        Corners corners;
        SoftGrid grid;
        std::vector<float> soft;
        float score, clear; // of the fit, and of the format
    };
    using Track = std::vector<Look>; // at one symbol, the newest last

    static std::vector<float> mean(const Track &track);
    static double alike(const Look &look, const Track &track);

    std::optional<Found> passes(const Image &image, const Start &start, double until);

    struct Place {
        Corners corners;
        const Layout *layout;
    };
    bool looked_at(const Corners &corners, const Layout &layout);

    std::vector<Place> places_; // of this frame, where a symbol was seen and not read
    std::optional<Look> latest_;
    std::vector<Track> tracks_; // the newest last
};

} // namespace ehc::grey
