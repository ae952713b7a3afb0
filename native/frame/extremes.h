// extremes.h: the lowest and the highest level of each part of a view, a row of parts at a time.
#pragma once

#include "pixels.h"
#include "rows.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ehc::frame {

class Extremes {
public:
    /// Of views so wide, a part or more. The last part of a row begins further left where it would be cut off.
    explicit Extremes(int width)
        : columns_((width + part - 1) / part), width_(width), least_(static_cast<std::size_t>(columns_ * part)),
          most_(least_.size()), folded_(least_.size() / 2)
    {
    }

    int columns() const noexcept { return columns_; }

    /// Of the parts whose first row is this one; of the view, all their rows. In: pixels side by side.
    void look(const View &in, int top)
    {
        std::copy_n(in.at(top), width_, least_.begin()), std::copy_n(in.at(top), width_, most_.begin());
        for (int i = 1; i < part; ++i)
            rows().add_extremes(in.at(top + i), width_, least_.data(), most_.data());
        fold(least_, rows().fold_least), fold(most_, rows().fold_most);
    }

    /// Of the last parts looked at.
    const std::uint8_t *least() const noexcept { return least_.data(); }
    const std::uint8_t *most() const noexcept { return most_.data(); }

private:
    void fold(std::vector<std::uint8_t> &of, void (*pairs)(const std::uint8_t *, int, std::uint8_t *))
    {
        const auto last = of.begin() + width_ - part;
        std::copy_backward(last, last + part, of.begin() + columns_ * part);
        pairs(of.data(), 4 * columns_, folded_.data());
        pairs(folded_.data(), 2 * columns_, of.data());
        pairs(of.data(), columns_, folded_.data());
        std::copy_n(folded_.begin(), columns_, of.begin());
    }

    int columns_, width_;
    std::vector<std::uint8_t> least_, most_, folded_;
};

} // namespace ehc::frame
