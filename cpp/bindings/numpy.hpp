// Arrays by NumPy's own C API: by any other way to make or look at one takes longer than a small search.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace lookalike {

/// Before all below, when the module is imported.
void import_numpy();

/// Vectors where they lie, in the memory of a caller's array.
struct GivenVectors {
  const void* data;
  std::size_t count;
  bool single;  // given as one dimension
};

/// None for anything but an ndarray, (width,) or (n, width), contiguous and aligned, of float32 or else of
/// uint8.
std::optional<GivenVectors> given_vectors(nanobind::handle object, bool floats, std::size_t width);

/// A new array, not filled yet: (n,) or (n, width).
template <class T>
struct NewArray {
  explicit NewArray(std::size_t n, std::optional<std::size_t> width = std::nullopt);

  nanobind::object object;
  T* data;
};

nanobind::object numpy_scalar(std::uint32_t value);

}  // namespace lookalike
