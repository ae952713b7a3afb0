// safe_objects.h: objects of pybind11's classes where memory may fail. Its own ways take for granted that there is memory for
// an object, and enter it into a map behind their last try block, where a failing allocation ends the process; so it is
// made and entered here, and pybind11 finds it done.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace ehc::bindings {

/// tp_new of a class.
inline PyObject *new_object(PyTypeObject *type, PyObject *, PyObject *)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != nullptr)
        reinterpret_cast<pybind11::detail::instance *>(self)->allocate_layout();
    return self;
}

template <class T> void enter(pybind11::detail::value_and_holder &place, std::unique_ptr<T> made)
{
    place.value_ptr() = made.get();
    try {
        place.type->init_instance(place.inst, nullptr);
    } catch (...) {
        place.value_ptr() = nullptr;
        throw;
    }
    (void)made.release();
}

/// __init__ of a class, with is_new_style_constructor.
template <class T, class... Arguments> void construct(pybind11::detail::value_and_holder &place, Arguments... arguments)
{
    enter(place, std::make_unique<T>(arguments...));
}

/// An object with this value.
template <class T> pybind11::object object_of(T value)
{
    auto made = std::make_unique<T>(std::move(value));
    const auto *const type = pybind11::detail::get_type_info(typeid(T), true);
    auto self = pybind11::reinterpret_steal<pybind11::object>(new_object(type->type, nullptr, nullptr));
    if (!self)
        throw pybind11::error_already_set();
    auto place = reinterpret_cast<pybind11::detail::instance *>(self.ptr())->get_value_and_holder(type);
    enter(place, std::move(made));
    return self;
}

inline pybind11::custom_type_setup made_safely()
{
    return pybind11::custom_type_setup([](PyHeapTypeObject *type) { type->ht_type.tp_new = new_object; });
}

} // namespace ehc::bindings
