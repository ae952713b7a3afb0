// _frame.cpp: FramePipeline for Python (native/frame, C++17). Buffers in without a copy, GIL released.
#include <pybind11/pybind11.h>

PYBIND11_MODULE(_frame, m)
{
    m.doc() = "Frame preparation before decoding; see ehc.reader.";
}
