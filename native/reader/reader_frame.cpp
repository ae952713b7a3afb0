// reader_frame.cpp: native/frame behind the C interface of ehc_reader.h. No exception leaves.
#include "ehc_reader.h"
#include "pixels.h"

#include <new>
#include <stdexcept>

using ehc::frame::Format;
using ehc::frame::Plane;

struct ehc_reader_plane {
    Plane plane;
};

namespace {

static_assert(static_cast<int>(Format::grey) == EHC_READER_GREY && static_cast<int>(Format::rgba) == EHC_READER_RGBA);

template <class Work> int guarded(Work work) noexcept
{
    try {
        work();
        return EHC_READER_OK;
    } catch (const std::bad_alloc &) {
        return EHC_READER_E_MEMORY;
    } catch (const std::exception &) { // of view_of: the numbers do not fit together
        return EHC_READER_E_FRAME;
    }
}

template <class Work> int filtered(ehc_reader_plane *out, const ehc_reader_plane *in, Work work) noexcept
{
    if (out == nullptr || in == nullptr || out == in)
        return EHC_READER_E_ARGUMENT;
    return guarded([&] { work(in->plane.view(), out->plane); });
}

} // namespace

ehc_reader_plane *ehc_reader_plane_new(void)
{
    return new (std::nothrow) ehc_reader_plane;
}

void ehc_reader_plane_free(ehc_reader_plane *plane)
{
    delete plane;
}

const uint8_t *ehc_reader_plane_pixels(const ehc_reader_plane *plane, uint32_t *width, uint32_t *height)
{
    const bool there = plane != nullptr && plane->plane.width() > 0 && plane->plane.height() > 0;
    if (width != nullptr)
        *width = there ? static_cast<uint32_t>(plane->plane.width()) : 0;
    if (height != nullptr)
        *height = there ? static_cast<uint32_t>(plane->plane.height()) : 0;
    return there ? plane->plane.at(0) : nullptr;
}

int ehc_reader_luma(ehc_reader_plane *out, const uint8_t *data, size_t size, int format, uint32_t width,
                    uint32_t height, uint32_t stride)
{
    if (out == nullptr || data == nullptr || format < EHC_READER_GREY || format > EHC_READER_RGBA)
        return EHC_READER_E_ARGUMENT;
    return guarded([&] {
        const auto kind = static_cast<Format>(format);
        const auto view = ehc::frame::view_of(data, size, kind, width, height, stride);
        ehc::frame::luma(ehc::frame::oriented(view, kind), kind, out->plane);
    });
}

int ehc_reader_half(ehc_reader_plane *out, const ehc_reader_plane *in)
{
    return filtered(out, in, ehc::frame::half);
}

int ehc_reader_twice(ehc_reader_plane *out, const ehc_reader_plane *in)
{
    constexpr auto most = static_cast<int>(ehc::frame::longest_side / 2);
    if (in != nullptr && (in->plane.width() > most || in->plane.height() > most))
        return EHC_READER_E_FRAME;
    return filtered(out, in, ehc::frame::twice);
}

int ehc_reader_smooth(ehc_reader_plane *out, const ehc_reader_plane *in)
{
    return filtered(out, in, ehc::frame::smooth);
}

int ehc_reader_dilate(ehc_reader_plane *out, const ehc_reader_plane *in)
{
    return filtered(out, in, ehc::frame::dilate);
}

int ehc_reader_sharpen(ehc_reader_plane *out, const ehc_reader_plane *in, int amount)
{
    if (amount < 1 || amount > 8)
        return EHC_READER_E_ARGUMENT;
    return filtered(out, in, [=](const auto &from, Plane &to) { ehc::frame::sharpen(from, amount, to); });
}

int ehc_reader_binarise(ehc_reader_plane *out, const ehc_reader_plane *in, int window, int offset)
{
    if (window < 3 || window > 255 || window % 2 == 0 || offset < -255 || offset > 255)
        return EHC_READER_E_ARGUMENT;
    return filtered(out, in, [=](const auto &from, Plane &to) { ehc::frame::binarise(from, window, offset, to); });
}
