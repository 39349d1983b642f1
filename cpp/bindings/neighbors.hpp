// A search that answers with a Neighbors, the public class.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "bindings/numpy.hpp"
#include "engine/index/snapshot.hpp"

namespace lookalike {

/// An index, or a snapshot of one.
class Reader {
 public:
  Reader() = default;
  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  virtual const Shape& shape() const = 0;
};

/// `neighbors` is that class, which only those above the core may import.
nanobind::object search(const Reader& index, const nanobind::type_object& neighbors,
                        const GivenVectors& queries, const SearchOptions& options);

}  // namespace lookalike
