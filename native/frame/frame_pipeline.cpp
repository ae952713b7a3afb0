// frame_pipeline.cpp: see frame_pipeline.h.
#include "frame_pipeline.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

namespace ehc::frame {

namespace {

constexpr std::size_t pool_size = 8; // planes kept for the next frame: the pyramid and two variants

int clip(double value, int limit) noexcept
{
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
}

} // namespace

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
