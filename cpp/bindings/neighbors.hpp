// A search that answers with a Neighbors, the public class.
#pragma once

#include <nanobind/nanobind.h>

#include "bindings/numpy.hpp"
#include "engine/index/index.hpp"

namespace lookalike {

/// `neighbors` is that class, which only those above the core may import.
nanobind::object search(const Index& index, const nanobind::type_object& neighbors,
                        const GivenVectors& queries, const SearchOptions& options);

}  // namespace lookalike
