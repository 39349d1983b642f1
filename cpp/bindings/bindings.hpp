#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "engine/base/parallel.hpp"

namespace lookalike {

void bind_errors(nanobind::module_& m);
void bind_kernels(nanobind::module_& m);
void bind_hyperplanes(nanobind::module_& m);
void bind_index(nanobind::module_& m);
void bind_fork_safety(nanobind::module_& m);

template <class T>
using Array1 = nanobind::ndarray<const T, nanobind::ndim<1>, nanobind::c_contig, nanobind::device::cpu>;
template <class T>
using Array2 = nanobind::ndarray<const T, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>;

/// Hands a vector to NumPy without copying it.
template <class T>
nanobind::ndarray<nanobind::numpy, T> to_numpy(std::vector<T> values,
                                               std::initializer_list<std::size_t> shape) {
  auto kept = std::make_unique<std::vector<T>>(std::move(values));
  const nanobind::capsule owner(kept.get(), [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return nanobind::ndarray<nanobind::numpy, T>(kept.release()->data(), shape, owner);
}

/// Looks for Ctrl-C a few times a second; to be called without the GIL.
Interrupt python_signals();

}  // namespace lookalike
