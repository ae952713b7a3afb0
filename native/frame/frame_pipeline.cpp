// frame_pipeline.cpp: see frame_pipeline.h.
#include "frame_pipeline.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

namespace ehc::frame {

namespace {

constexpr std::size_t pool_size = 10; // planes kept for the next frame: the pyramid, two variants, two glances
constexpr int smallest = 300;         // pixels of a smallest level's longer side, at least

/// Levels: the faintest code that can be read changes the mean of a part of the smallest level by more, noise by less.
constexpr double least_difference = 2.0;

int clip(double value, int limit) noexcept
{
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
}

View every_other_row(View grey) noexcept
{
    grey.height = (grey.height + 1) / 2;
    grey.row *= 2;
    return grey;
}

/// Whether no part of two levels differs, by every other row of theirs.
bool alike(const Plane &now, const Plane &before)
{
    return now.width() == before.width() && now.height() == before.height() &&
           change(every_other_row(now.view()), every_other_row(before.view()), part / 2) < least_difference;
}

} // namespace

int halvings(int width, int height) noexcept
{
    int times = 0;
    while (times < most_times && std::max(width, height) >> times >= 2 * smallest &&
           std::min(width, height) >> times > 1)
        ++times;
    return times;
}

int glanced_by(int width, int height) noexcept
{
    const int by = 1 << halvings(width, height), more = by / 2 * 3;
    return by > 2 && std::max(width, height) >= more * smallest && std::min(width, height) >= more ? more : by;
}

FramePipeline::FramePipeline(double margin, int patience) : margin_(margin), patience_(patience), misses_(patience)
{
    if (!(margin >= 0 && margin <= 16)) // written so that NaN is refused
        throw std::invalid_argument("margin must be 0 to 16 lengths of the hit's longer side");
    if (patience < 1)
        throw std::invalid_argument("patience must be 1 miss or more");
}

std::shared_ptr<Plane> FramePipeline::free_plane()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto &plane : pool_)
        if (plane.use_count() == 1) { // the pool's own: nobody else can come by a copy while we hold the lock
            std::atomic_thread_fence(std::memory_order_acquire); // after the last holder's reads
            return plane;
        }
    auto plane = std::make_shared<Plane>();
    if (pool_.size() < pool_size)
        pool_.push_back(plane);
    return plane;
}

FramePipeline::Grey FramePipeline::luma(const View &in, Format format, int times)
{
    auto out = free_plane();
    if (times == 0)
        frame::luma(oriented(in, format), format, *out);
    else
        frame::shrink(oriented(in, format), format, times, *out);
    return out;
}

FramePipeline::Grey FramePipeline::glance(const View &in, Format format)
{
    const int by = glanced_by(in.width, in.height);
    const View from = oriented(in, format);
    const auto out = free_plane();
    const Grey nothing = begin_glance(out);
    if (by == 1) {
        frame::luma(from, format, *out);
        return nothing && alike(*out, *nothing) ? nullptr : out;
    }
    out->resize(in.width / by, in.height / by);
    if (!nothing) {
        shrink_rows(from, format, by, 0, 1, *out);
        return out;
    }
    shrink_rows(from, format, by, 0, 2, *out);
    if (alike(*out, *nothing))
        return nullptr;
    shrink_rows(from, format, by, 1, 2, *out);
    return out;
}

FramePipeline::Grey FramePipeline::begin_glance(const Grey &level)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    glanced_ = level;
    return nothing_;
}

void FramePipeline::held_nothing() noexcept
{
    const std::lock_guard<std::mutex> lock(mutex_);
    nothing_ = glanced_;
}

void FramePipeline::held_something() noexcept
{
    const std::lock_guard<std::mutex> lock(mutex_);
    nothing_ = nullptr;
}

FramePipeline::Grey FramePipeline::half(const View &grey)
{
    auto out = free_plane();
    frame::half(grey, *out);
    return out;
}

FramePipeline::Grey FramePipeline::twice(const View &grey)
{
    auto out = free_plane();
    frame::twice(grey, *out);
    return out;
}

FramePipeline::Grey FramePipeline::dilate(const View &grey)
{
    auto out = free_plane();
    frame::dilate(grey, *out);
    return out;
}

FramePipeline::Grey FramePipeline::smooth(const View &grey)
{
    auto out = free_plane();
    frame::smooth(grey, *out);
    return out;
}

FramePipeline::Grey FramePipeline::sharpen(const View &grey, int amount)
{
    auto out = free_plane();
    frame::sharpen(grey, amount, *out);
    return out;
}

FramePipeline::Grey FramePipeline::binarise(const View &grey, int window, int offset)
{
    auto out = free_plane();
    frame::binarise(grey, window, offset, *out);
    return out;
}

FramePipeline::Grey FramePipeline::threshold(const View &grey)
{
    auto out = free_plane();
    return frame::threshold(grey, *out) ? out : nullptr;
}

FramePipeline::Grey FramePipeline::upright(const View &grey, const Bars &where)
{
    auto out = free_plane();
    frame::upright(grey, where, *out);
    return out;
}

void FramePipeline::hit(const std::array<double, 8> &corners)
{
    for (const double value : corners)
        if (!std::isfinite(value))
            throw std::invalid_argument("corners must be finite");
    const auto [left, right] = std::minmax({corners[0], corners[2], corners[4], corners[6]});
    const auto [top, bottom] = std::minmax({corners[1], corners[3], corners[5], corners[7]});
    const std::lock_guard<std::mutex> lock(mutex_);
    box_ = {left, top, right, bottom};
    misses_ = 0;
}

void FramePipeline::miss() noexcept
{
    const std::lock_guard<std::mutex> lock(mutex_);
    misses_ = std::min(misses_ + 1, patience_);
}

std::optional<Region> FramePipeline::region(int width, int height) const noexcept
{
    const std::lock_guard<std::mutex> lock(mutex_);
    if (misses_ >= patience_)
        return std::nullopt;
    const double border = margin_ * std::max(box_[2] - box_[0], box_[3] - box_[1]);
    const int left = clip(std::floor(box_[0] - border), width), right = clip(std::ceil(box_[2] + border), width);
    const int top = clip(std::floor(box_[1] - border), height), bottom = clip(std::ceil(box_[3] + border), height);
    if (left >= right || top >= bottom)
        return std::nullopt;
    return Region{left, top, right - left, bottom - top};
}

} // namespace ehc::frame
