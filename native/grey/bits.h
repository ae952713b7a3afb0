// bits.h: data codewords as bits, from the front.
#pragma once

#include <cstdint>

namespace ehc::grey {

/// `bad` once more was asked for than there is.
class Bits {
public:
    Bits(const std::uint8_t *data, int length) noexcept : data_(data), end_(8 * length) {}

    unsigned take(int count) noexcept
    {
        unsigned value = 0;
        if (count > left()) {
            bad_ = true;
            at_ = end_;
            return 0;
        }
        for (int i = 0; i < count; ++i, ++at_)
            value = value << 1 | (data_[at_ / 8] >> (7 - at_ % 8) & 1U);
        return value;
    }

    int left() const noexcept { return end_ - at_; }
    int to_codeword() const noexcept { return (8 - at_ % 8) % 8; }
    bool bad() const noexcept { return bad_; }

private:
    const std::uint8_t *data_;
    int at_ = 0, end_;
    bool bad_ = false;
};

} // namespace ehc::grey
