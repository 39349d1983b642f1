#include "bindings/numpy.hpp"

#define NPY_NO_DEPRECATED_API NPY_1_25_API_VERSION
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>

#include <array>
#include <type_traits>

namespace nb = nanobind;

namespace lookalike {
namespace {

template <class T>
constexpr int kType = std::is_same_v<T, std::int64_t>    ? NPY_INT64
                      : std::is_same_v<T, std::uint32_t> ? NPY_UINT32
                      : std::is_same_v<T, double>        ? NPY_FLOAT64
                                                         : NPY_FLOAT32;

}  // namespace

void import_numpy() {
  if (PyArray_ImportNumPyAPI() < 0) throw nb::python_error();
}

std::optional<GivenVectors> given_vectors(nb::handle object, bool floats, std::size_t width) {
  if (!PyArray_CheckExact(object.ptr())) return std::nullopt;
  auto* const array = reinterpret_cast<PyArrayObject*>(object.ptr());
  const int dimensions = PyArray_NDIM(array);
  if (PyArray_TYPE(array) != (floats ? NPY_FLOAT32 : NPY_UINT8) || !PyArray_ISCARRAY_RO(array) ||
      dimensions < 1 || dimensions > 2)
    return std::nullopt;
  const npy_intp* const shape = PyArray_DIMS(array);
  if (shape[dimensions - 1] != static_cast<npy_intp>(width)) return std::nullopt;
  const bool single = dimensions == 1;
  return GivenVectors{PyArray_DATA(array), single ? 1 : static_cast<std::size_t>(shape[0]), single};
}

template <class T>
NewArray<T>::NewArray(std::size_t n, std::optional<std::size_t> width) {
  std::array shape{static_cast<npy_intp>(n), static_cast<npy_intp>(width.value_or(1))};
  object = nb::steal(PyArray_SimpleNew(width ? 2 : 1, shape.data(), kType<T>));
  if (!object.is_valid()) throw nb::python_error();
  data = static_cast<T*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(object.ptr())));
}

template struct NewArray<std::int64_t>;
template struct NewArray<std::uint32_t>;
template struct NewArray<float>;
template struct NewArray<double>;

nb::object numpy_scalar(std::uint32_t value) {
  nb::object scalar = nb::steal(PyArrayScalar_New(UInt32));
  if (!scalar.is_valid()) throw nb::python_error();
  PyArrayScalar_ASSIGN(scalar.ptr(), UInt32, value);
  return scalar;
}

}  // namespace lookalike
