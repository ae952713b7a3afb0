// _grey.cpp: the grey core for Python (native/grey, C++17). Buffers in without a copy, GIL released while reading.
#include "finder.h"
#include "hanxin_content.h"
#include "hanxin_finder.h"
#include "hanxin_layout.h"
#include "outline.h"
#include "qr_layout.h"
#include "reed_solomon.h"
#include "safe_objects.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace py = pybind11;
using namespace ehc::grey;

namespace {

constexpr py::ssize_t longest_side = 65536;
using Quad = std::array<std::array<double, 2>, 4>;

[[noreturn]] void refuse(const std::string &what)
{
    throw py::value_error(what);
}

/// A core and its lock: one call at a time, the GIL released in it.
struct Guarded {
    explicit Guarded(const std::string &name) : symbology(symbology_of(name)) {}

    static Symbology symbology_of(const std::string &name)
    {
        if (name == "QR Code")
            return Symbology::qr;
        if (name == "Han Xin Code")
            return Symbology::hanxin;
        refuse("symbology is " + name + ", must be QR Code or Han Xin Code");
    }

    const Symbology symbology;
    GreyCore core;
    std::mutex mutex;
};

/// Holds the export for as long as it lives, so that no bytearray is resized under the loops.
py::memoryview held(const py::buffer &grey)
{
    auto view = py::reinterpret_steal<py::memoryview>(PyMemoryView_FromObject(grey.ptr()));
    if (!view)
        throw py::error_already_set();
    return view;
}

Image image_of(const py::memoryview &view)
{
    const Py_buffer &info = *PyMemoryView_GET_BUFFER(view.ptr());
    if (std::strcmp(info.format, "B") != 0 || info.ndim != 2 || info.suboffsets != nullptr)
        refuse("grey must be uint8[height, width]");
    if (info.shape[0] > longest_side || info.shape[1] > longest_side)
        refuse("a side of grey is over " + std::to_string(longest_side) + " pixels");
    if (info.shape[1] > 1 && info.strides[1] != 1)
        refuse("the pixels of a row of grey must lie side by side");
    return {static_cast<const std::uint8_t *>(info.buf), static_cast<int>(info.shape[1]),
            static_cast<int>(info.shape[0]), info.strides[0]};
}

/// What the core finds, the GIL released in it.
template <class Find> py::object symbol_or_none(Guarded &self, Find find)
{
    auto found = [&] {
        const py::gil_scoped_release release;
        const std::lock_guard<std::mutex> lock(self.mutex);
        return find(self.core);
    }();
    return found ? ehc::bindings::object_of(std::move(*found)) : py::none();
}

py::object read_symbol(Guarded &self, const py::buffer &grey, const Quad &c, int version, double budget_ms)
{
    const auto owner = held(grey);
    const Image image = image_of(owner);
    const Candidate candidate{
        {c[0][0], c[0][1], c[1][0], c[1][1], c[2][0], c[2][1], c[3][0], c[3][1]}, version, self.symbology};
    const int last = last_version_of(self.symbology), first = self.symbology == Symbology::qr ? 0 : 1;
    if (version < first || version > last)
        refuse("version is " + std::to_string(version) + ", must be 1 to " + std::to_string(last) +
               (first == 0 ? ", or 0 for unknown" : ""));
    return symbol_or_none(self, [&](GreyCore &core) { return core.read(image, candidate, 1e3 * budget_ms); });
}

py::object fuse(Guarded &self)
{
    return symbol_or_none(self, [](GreyCore &core) { return core.fuse(); });
}

bool waiting(Guarded &self)
{
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(self.mutex);
    return self.core.waiting();
}

Quad quad_of(const Corners &c)
{
    return {{{c[0], c[1]}, {c[2], c[3]}, {c[4], c[5]}, {c[6], c[7]}}};
}

std::optional<std::pair<Quad, int>> expected(Guarded &self)
{
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(self.mutex);
    const auto found = self.core.expected();
    return found ? std::make_optional(std::make_pair(quad_of(found->corners), found->version)) : std::nullopt;
}

void begin(Guarded &self)
{
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(self.mutex);
    self.core.begin();
}

void forget(Guarded &self)
{
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(self.mutex);
    self.core.forget();
}

using Located = std::vector<std::pair<Quad, int>>;

template <class Search> Located located(const py::buffer &grey, std::size_t most, Search search)
{
    const auto owner = held(grey);
    const Image image = image_of(owner);
    const py::gil_scoped_release release;
    Located out;
    if (image.width > 0 && image.height > 0)
        for (const Candidate &found : search(image, most))
            out.emplace_back(quad_of(found.corners), found.version);
    return out;
}

Located locate_symbols(const py::buffer &grey, std::size_t most)
{
    return located(grey, most, locate);
}

Located outlines_of_symbols(const py::buffer &grey, std::size_t most)
{
    return located(grey, most, outlines);
}

Located locate_hanxin_symbols(const py::buffer &grey, std::size_t most)
{
    return located(grey, most, locate_hanxin);
}

Located hanxin_outlines_of_symbols(const py::buffer &grey, std::size_t most)
{
    return located(grey, most, hanxin_outlines);
}

py::object correct_block(const std::string &word, int parity, const std::vector<int> &erased, int spare)
{
    const int length = static_cast<int>(std::min<std::size_t>(word.size(), 256));
    if (length > longest_block || parity < 1 || parity > most_parity || parity >= length || spare < 0)
        refuse("a block has at most 255 codewords, of which 1 to 68 but not all are parity");
    std::vector<bool> seen(word.size());
    for (const int at : erased) {
        if (at < 0 || at >= length || seen[static_cast<std::size_t>(at)])
            refuse("erased positions must be distinct and inside the block");
        seen[static_cast<std::size_t>(at)] = true;
    }
    std::vector<std::uint8_t> bytes(word.begin(), word.end());
    Correction how;
    if (!correct(bytes.data(), length, parity, erased.data(), static_cast<int>(erased.size()), spare, how))
        return py::none();
    return py::make_tuple(py::bytes(reinterpret_cast<const char *>(bytes.data()), bytes.size()), how.errors,
                          how.unused);
}

py::object hanxin_message(const std::string &data)
{
    const std::vector<std::uint8_t> codewords(data.begin(), data.end());
    HanxinMessage message;
    if (!read_hanxin_message(codewords.data(), static_cast<int>(codewords.size()), message)) {
        if (message.unknown != 0)
            refuse("mode " + std::to_string(message.unknown) + " is not understood");
        refuse("the codewords are no message");
    }
    std::vector<std::pair<std::size_t, std::uint32_t>> designators;
    for (const auto &one : message.designators)
        designators.emplace_back(one.from, one.charset);
    return py::make_tuple(py::bytes(reinterpret_cast<const char *>(message.bytes.data()), message.bytes.size()),
                          designators, message.chinese);
}

py::array_t<std::uint8_t> modules(const Found &self)
{
    const auto size = static_cast<py::ssize_t>(size_of(self.symbol.symbology, self.symbol.version));
    return py::array_t<std::uint8_t>({size, size}, self.symbol.modules.data());
}

} // namespace

// No argument has a name, as in _frame.cpp.
PYBIND11_MODULE(_grey, m)
{
    m.doc() = "Symbols read from their grey levels; see ehc.reader.";
    py::class_<Found>(m, "GreySymbol", ehc::bindings::made_safely())
        .def_property_readonly("version", [](const Found &f) { return f.symbol.version; })
        .def_property_readonly(
            "level",
            [](const Found &f) { return (f.symbol.symbology == Symbology::qr ? "MLHQ" : "1234")[f.symbol.level]; })
        .def_property_readonly("mask", [](const Found &f) { return f.symbol.mask; })
        .def_property_readonly("unused", [](const Found &f) { return f.symbol.unused; })
        .def_property_readonly("parity", [](const Found &f) { return f.symbol.parity; })
        .def_property_readonly("evidence", [](const Found &f) { return f.symbol.evidence; })
        .def_property_readonly("modules", &modules)
        .def_property_readonly("data",
                               [](const Found &f) {
                                   const auto &data = f.symbol.data;
                                   return py::bytes(reinterpret_cast<const char *>(data.data()), data.size());
                               })
        .def_property_readonly("corners", [](const Found &f) { return quad_of(f.corners); })
        .def_readonly("passes", &Found::passes)
        .def_readonly("frames", &Found::frames)
        .def_readonly("score", &Found::score);
    m.def("locate", &locate_symbols, py::arg(), py::arg() = 6);
    m.def("outlines", &outlines_of_symbols, py::arg(), py::arg() = 4);
    m.def("hanxin_outlines", &hanxin_outlines_of_symbols, py::arg(), py::arg() = 2);
    m.def("locate_hanxin", &locate_hanxin_symbols, py::arg(), py::arg() = 2);
    m.def("correct_block", &correct_block, py::arg(), py::arg(), py::arg(), py::arg() = spare_parity);
    m.def("hanxin_message", &hanxin_message);
    py::class_<Guarded>(m, "GreyCore", ehc::bindings::made_safely())
        .def("__init__", &ehc::bindings::construct<Guarded, std::string>, py::detail::is_new_style_constructor(),
             py::arg() = "QR Code")
        .def("read", &read_symbol, py::arg(), py::arg(), py::arg(), py::arg() = 1e9)
        .def("begin", &begin)
        .def_property_readonly("waiting", &waiting)
        .def_property_readonly("expected", &expected)
        .def("fuse", &fuse)
        .def("forget", &forget);
}
