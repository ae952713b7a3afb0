// pixels.h: the loops over the pixels of a frame. C++17, no state, no Python; plain loops that gcc -O3 vectorises.
//
// Layouts. In: a View, rows `row` bytes apart, pixels `pixel` bytes, channels `channel` bytes; any of them may be
// negative or zero. Out: a Plane, one grey byte a pixel (0 dark, 255 light), row after row without a gap. The 3x3
// filters repeat the border pixels outwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ehc::frame {

/// Longest side of a frame; keeps every product of sizes below far inside its type.
constexpr std::int64_t longest_side = 65536;

/// NV12 is read as its luma plane: the chroma behind it is not looked at.
enum class Format { grey, nv12, yuyv, rgb, bgr, rgba };

/// Bytes a pixel takes in a row of this format (of its luma plane for nv12).
int pixel_bytes(Format format) noexcept;

/// Somebody else's pixels, read only; nobody checks it again, so make one with `view_of` or from a checked buffer.
struct View {
    const std::uint8_t *data; // first channel of the top left pixel
    int width, height;        // pixels, 0 .. longest_side
    std::ptrdiff_t row;       // bytes from a pixel to the one below it
    std::ptrdiff_t pixel;     // bytes from a pixel to the one on its right
    std::ptrdiff_t channel;   // bytes from a channel to the next

    const std::uint8_t *at(int y) const noexcept { return data + y * row; }
};

/// Grey pixels of our own. Keeps its memory when it shrinks; the pixels of a resized plane are undefined.
class Plane {
public:
    void resize(int width, int height);
    int width() const noexcept { return width_; }
    int height() const noexcept { return height_; }
    std::size_t capacity() const noexcept { return capacity_; }
    std::uint8_t *at(int y) noexcept { return data_.get() + static_cast<std::ptrdiff_t>(y) * width_; }
    const std::uint8_t *at(int y) const noexcept { return data_.get() + static_cast<std::ptrdiff_t>(y) * width_; }
    View view() const noexcept { return {data_.get(), width_, height_, width_, 1, 1}; }

private:
    std::unique_ptr<std::uint8_t[]> data_;
    std::size_t capacity_ = 0;
    int width_ = 0, height_ = 0;
};

/// Frame in `size` bytes at `data`, rows `stride` bytes apart (0: no gap between rows).
/// Throws std::invalid_argument, with the numbers, unless every byte of every row lies inside.
View view_of(const std::uint8_t *data, std::size_t size, Format format, std::int64_t width, std::int64_t height,
             std::int64_t stride);

/// The same pixels as the format's channels in the order R, G, B (bgr runs backwards), or the luma alone (yuyv).
View oriented(View in, Format format) noexcept;

/// Grey of any format: BT.601 luma (77 R + 150 G + 29 B + 128) / 256; rgba lies on white paper.
/// in: a view as `oriented` gives it.
void luma(const View &in, Format format, Plane &out);

constexpr int most_times = 4; // halvings in one go

/// Grey of any format, width and height halved `times` times, 1 .. most_times: each pixel the rounded mean of a square,
/// beyond 2x2 of the middle half of its rows, for reading a frame is what takes the time. Rows and columns that fill no
/// square are left out. in: a view as `oriented` gives it.
void shrink(const View &in, Format format, int times, Plane &out);

/// The same, width and height divided by 2, 4, 8, 16, 6, 12 or 24, of which the middle third of the rows counts for the
/// last three; and only every `step`-th row of it from `from` on: whoever needs no more reads less of the frame. `out` has
/// its size already.
void shrink_rows(const View &in, Format format, int by, int from, int step, Plane &out);

/// The same of a grey view, once.
void half(const View &grey, Plane &out);

/// A grey view with pixels side by side: itself, or a copy of it in `own`.
View tight(const View &grey, Plane &own);

/// Pixels of a frame or of a part of it.
struct Region {
    int x, y, width, height;
};

constexpr int part = 8; // pixels: the squares in which a frame is weighed

/// The largest change of the mean level of a part between two grey views of one size with pixels side by side. Parts that
/// are cut off are not looked at. high: rows of a part, 1 .. part.
double change(const View &one, const View &other, int high);

/// Around all parts whose levels differ by more than the quietest fifth of the parts lets expect of noise, and in whose
/// neighbourhood of nine most do: where there may be a code, and no edge alone. Empty when there are none; the whole view
/// where noise drowns everything.
Region active(const View &grey);

/// Twice the width and height, linear between the pixels' middles. Gives a decoder that looks at one pixel a module
/// more modules to choose from.
void twice(const View &grey, Plane &out);

/// Largest of 3x3: light grows by one pixel. Undoes printing growth and closes moire gaps in the paper.
void dilate(const View &grey, Plane &out);

/// Mean of 3x3, rounded.
void smooth(const View &grey, Plane &out);

/// Unsharp mask: v + amount * (v - mean of 3x3), clamped to 0 .. 255. amount: 1 .. 8.
void sharpen(const View &grey, int amount, Plane &out);

/// Adaptive threshold: 255 where v + offset > mean of the window x window pixels around it (cut at the border), else 0.
/// window: odd, 3 .. 255; offset: -255 .. 255 levels; above 0 flat areas become light.
void binarise(const View &grey, int window, int offset, Plane &out);

} // namespace ehc::frame
