// frame_pipeline.h: FramePipeline, what a stream of frames needs beyond single pixels: planes that are used again from
// frame to frame, whether a frame is like one that held nothing, and the region of the last hit. C++17, no Python. Which
// step is tried when is decided by the caller (ehc/reader/pipeline.py).
#pragma once

#include "bars.h"
#include "pixels.h"
#include "threshold.h"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace ehc::frame {

/// How often a frame is halved to its smallest level: a code on it has modules under a pixel if it is halved again.
int halvings(int width, int height) noexcept;

/// By how much it is divided for a glance: two thirds of the smallest level, where that has enough pixels still.
int glanced_by(int width, int height) noexcept;

/// Safe to share between threads: only the pool and the region are guarded, the pixel loops run side by side.
/// A plane handed out stays as it is for as long as somebody holds it; then its memory serves the next frame.
class FramePipeline {
public:
    using Grey = std::shared_ptr<const Plane>;

    /// margin: what the region has around the last hit on each side, in lengths of the hit's longer side, 0 .. 16.
    /// patience: misses in a row after which the region is lost, 1 or more.
    FramePipeline(double margin, int patience);

    /// times: halvings, 0 .. most_times.
    Grey luma(const View &in, Format format, int times = 0);

    /// A frame divided by `glanced_by`; null where no part of it differs from the last frame that held nothing. Every other
    /// row is enough to see that: then the others are not made.
    Grey glance(const View &in, Format format);

    /// What became of the frame last glanced at.
    void held_nothing() noexcept;
    void held_something() noexcept;

    Grey half(const View &grey);
    Grey twice(const View &grey);
    Grey dilate(const View &grey);
    Grey smooth(const View &grey);
    Grey sharpen(const View &grey, int amount);
    Grey binarise(const View &grey, int window, int offset);
    Grey threshold(const View &grey); // null where nothing has contrast
    Grey upright(const View &grey, const Bars &where);

    /// A code was read at these corners: x, y of four points, pixels of the whole frame, in any order.
    /// Throws std::invalid_argument unless all are finite.
    void hit(const std::array<double, 8> &corners);

    /// The frame had no code where one was expected.
    void miss() noexcept;

    /// Where to look first in a frame of this size: the last hit with its margin, cut to the frame.
    std::optional<Region> region(int width, int height) const noexcept;

private:
    std::shared_ptr<Plane> free_plane();
    Grey begin_glance(const Grey &level); // the level of the last frame that held nothing

    const double margin_;
    const int patience_;
    mutable std::mutex mutex_; // guards what follows
    std::vector<std::shared_ptr<Plane>> pool_;
    Grey glanced_, nothing_;      // smallest levels: of the last frame, of the last one that held nothing
    std::array<double, 4> box_{}; // left, top, right, bottom of the last hit
    int misses_;
};

} // namespace ehc::frame
