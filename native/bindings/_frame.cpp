// _frame.cpp: FramePipeline for Python (native/frame, C++17). Buffers in without a copy, GIL released in the loops,
// read-only uint8 arrays out that own their plane.
#include "frame_pipeline.h"
#include "safe_objects.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace py = pybind11;
using ehc::frame::Format;
using ehc::frame::FramePipeline;
using ehc::frame::Plane;
using ehc::frame::View;

namespace {

[[noreturn]] void refuse(const std::string &what)
{
    throw py::value_error(what);
}

Format format_named(const std::string &name)
{
    static const std::pair<const char *, Format> formats[] = {
        {"GREY", Format::grey}, {"NV12", Format::nv12}, {"YUYV", Format::yuyv},
        {"RGB", Format::rgb},   {"BGR", Format::bgr},   {"RGBA", Format::rgba},
    };
    for (const auto &[known, format] : formats)
        if (name == known)
            return format;
    refuse("pixel format '" + name + "' is unknown; there are GREY, NV12, YUYV, RGB, BGR, RGBA");
}

int side(py::ssize_t pixels)
{
    if (pixels > ehc::frame::longest_side)
        refuse("frame side is " + std::to_string(pixels) + " pixels, must be at most " +
               std::to_string(ehc::frame::longest_side));
    return static_cast<int>(pixels);
}

/// Holds the export for as long as the memoryview or an array on it lives: a bytearray cannot be resized under it. (No
/// py::buffer_info: it keeps the export for ever when an allocation of its own fails.)
py::memoryview held(const py::buffer &frame)
{
    auto view = py::reinterpret_steal<py::memoryview>(PyMemoryView_FromObject(frame.ptr()));
    if (!view)
        throw py::error_already_set();
    return view;
}

/// A buffer of two or three dimensions says its own size: (height, width) or (height, width, bytes of a pixel).
View view_of_array(const Py_buffer &info, Format format)
{
    const int channels = ehc::frame::pixel_bytes(format);
    const bool fits = channels == 1 ? info.ndim == 2 : info.ndim == 3 && info.shape[2] == channels;
    if (!fits)
        refuse(channels == 1 ? "frame must have the shape (height, width)"
                             : "frame must have the shape (height, width, " + std::to_string(channels) + ")");
    const auto channel = info.ndim == 3 ? info.strides[2] : 1;
    return {static_cast<const std::uint8_t *>(info.buf),
            side(info.shape[1]),
            side(info.shape[0]),
            info.strides[0],
            info.strides[1],
            channel};
}

const Py_buffer &bytes_of(const py::memoryview &held)
{
    const Py_buffer &info = *PyMemoryView_GET_BUFFER(held.ptr());
    if (std::strcmp(info.format, "B") != 0)
        refuse("frame must hold unsigned bytes (uint8), not items of the format '" + std::string(info.format) + "'");
    if (info.suboffsets != nullptr)
        refuse("frame must lie in one piece of memory, not behind pointers to its rows");
    return info;
}

View view(const Py_buffer &info, Format format, std::int64_t width, std::int64_t height, std::int64_t stride)
{
    const bool sized = width != 0 || height != 0 || stride != 0;
    if (info.ndim != 1 && sized)
        refuse("width, height and stride are for flat buffers; this frame has its own shape");
    if (info.ndim != 1)
        return view_of_array(info, format);
    if (info.len > 1 && info.strides[0] != 1)
        refuse("a flat frame must be contiguous");
    return ehc::frame::view_of(static_cast<const std::uint8_t *>(info.buf), static_cast<std::size_t>(info.len), format,
                               width, height, stride);
}

py::array read_only(py::array array)
{
    py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return array;
}

/// An array on these pixels that keeps `owner` alive.
py::array array_on(const View &grey, const py::object &owner)
{
    return read_only(
        py::array(py::dtype::of<std::uint8_t>(), {grey.height, grey.width}, {grey.row, grey.pixel}, grey.data, owner));
}

py::array array_of(FramePipeline::Grey plane)
{
    const View grey = plane->view();
    auto holder = std::make_unique<FramePipeline::Grey>(std::move(plane));
    const py::capsule owner(holder.get(), [](void *held) { delete static_cast<FramePipeline::Grey *>(held); });
    (void)holder.release();
    return array_on(grey, owner);
}

/// None where there is no plane.
template <class Step> py::object without_gil(Step step)
{
    FramePipeline::Grey plane;
    {
        const py::gil_scoped_release release;
        plane = step();
    }
    return plane ? py::object(array_of(std::move(plane))) : py::none();
}

using Box = std::array<int, 4>; // x, y, width, height

View part_of(View in, const Box &box)
{
    const auto [x, y, width, height] = box;
    if (x < 0 || y < 0 || width < 0 || height < 0 || width > in.width - x || height > in.height - y)
        refuse("box " + std::to_string(x) + ", " + std::to_string(y) + " with " + std::to_string(width) + " x " +
               std::to_string(height) + " pixels is not inside a frame of " + std::to_string(in.width) + " x " +
               std::to_string(in.height));
    in.data += y * in.row + x * in.pixel;
    in.width = width, in.height = height;
    return in;
}

py::object luma(FramePipeline &self, const py::buffer &frame, const std::string &format_name, int times,
                const std::optional<Box> &box, std::int64_t width, std::int64_t height, std::int64_t stride)
{
    const auto format = format_named(format_name);
    const auto owner = held(frame);
    const View whole = view(bytes_of(owner), format, width, height, stride), in = box ? part_of(whole, *box) : whole;
    if (times == 0 && (format == Format::grey || format == Format::nv12))
        return array_on(in, owner);
    return without_gil([&] { return self.luma(in, format, times); });
}

py::object glance(FramePipeline &self, const py::buffer &frame, const std::string &format_name, std::int64_t width,
                  std::int64_t height, std::int64_t stride)
{
    const auto format = format_named(format_name);
    const auto owner = held(frame);
    const View in = view(bytes_of(owner), format, width, height, stride);
    return without_gil([&] { return self.glance(in, format); });
}

template <class... Numbers> auto filter(FramePipeline::Grey (FramePipeline::*step)(const View &, Numbers...))
{
    return [step](FramePipeline &self, const py::buffer &grey, std::decay_t<Numbers>... numbers) {
        const auto owner = held(grey);
        const View in = view_of_array(bytes_of(owner), Format::grey);
        return without_gil([&] { return (self.*step)(in, numbers...); });
    };
}

py::object region(const FramePipeline &self, py::ssize_t width, py::ssize_t height)
{
    const auto found = self.region(side(std::max<py::ssize_t>(width, 0)), side(std::max<py::ssize_t>(height, 0)));
    if (!found)
        return py::none();
    return py::make_tuple(found->x, found->y, found->width, found->height);
}

std::optional<std::tuple<int, int, int, int>> active(const py::buffer &grey)
{
    const auto owner = held(grey);
    const View in = view_of_array(bytes_of(owner), Format::grey);
    const py::gil_scoped_release release;
    const auto found = ehc::frame::active(in);
    if (found.width == 0)
        return std::nullopt;
    return std::tuple(found.x, found.y, found.width, found.height);
}

std::vector<ehc::frame::Bars> bars(const py::buffer &grey, std::size_t most)
{
    const auto owner = held(grey);
    const View in = view_of_array(bytes_of(owner), Format::grey);
    const py::gil_scoped_release release;
    return ehc::frame::bars(in, most);
}

int edges(const py::buffer &grey, const ehc::frame::Spot &from, const ehc::frame::Spot &to)
{
    const auto owner = held(grey);
    const View in = view_of_array(bytes_of(owner), Format::grey);
    const py::gil_scoped_release release;
    return ehc::frame::edges(in, from, to);
}

void hit(FramePipeline &self, const std::array<std::array<double, 2>, 4> &c)
{
    self.hit({c[0][0], c[0][1], c[1][0], c[1][1], c[2][0], c[2][1], c[3][0], c[3][1]});
}

} // namespace

// No argument has a name: to compare the keywords of a call with names, pybind11 makes texts of these and takes for
// granted that there is memory for them.
PYBIND11_MODULE(_frame, m)
{
    m.doc() = "Frame preparation before decoding; see ehc.reader.";
    m.def("halvings", &ehc::frame::halvings);
    m.def("glanced_by", &ehc::frame::glanced_by);
    m.def("active", &active);
    m.def("edges", &edges);
    m.def("bars", &bars, py::arg(), py::arg() = 4);
    py::class_<FramePipeline>(m, "FramePipeline", ehc::bindings::made_safely())
        .def("__init__", &ehc::bindings::construct<FramePipeline, double, int>, py::detail::is_new_style_constructor(),
             py::arg() = 0.5, py::arg() = 5)
        .def("luma", &luma, py::arg(), py::arg(), py::arg() = 0, py::arg() = py::none(), py::arg() = 0, py::arg() = 0,
             py::arg() = 0)
        .def("glance", &glance, py::arg(), py::arg(), py::arg() = 0, py::arg() = 0, py::arg() = 0)
        .def("held_nothing", &FramePipeline::held_nothing)
        .def("held_something", &FramePipeline::held_something)
        .def("half", filter(&FramePipeline::half))
        .def("twice", filter(&FramePipeline::twice))
        .def("dilate", filter(&FramePipeline::dilate))
        .def("smooth", filter(&FramePipeline::smooth))
        .def("sharpen", filter(&FramePipeline::sharpen), py::arg(), py::arg() = 2)
        .def("binarise", filter(&FramePipeline::binarise), py::arg(), py::arg() = 15, py::arg() = 5)
        .def("threshold", filter(&FramePipeline::threshold))
        .def("upright", filter(&FramePipeline::upright))
        .def("hit", &hit)
        .def("miss", &FramePipeline::miss)
        .def("region", &region);
}
