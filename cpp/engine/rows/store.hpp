// How the vectors of an index are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/metric.hpp"

namespace lookalike {

/// none: of the vectors only rows of 8 bits a dimension, in the form of byte_rows.hpp. bits: under hamming,
/// packed, the first in the highest bit of the first byte.
enum class Store : std::uint32_t { float32 = 0, float16 = 1, none = 2, bits = 3 };
constexpr std::uint32_t kStores = 4;

/// hamming keeps bits, and nothing else does.
constexpr bool fits(Store store, Metric metric) {
  return (store == Store::bits) == (metric == Metric::hamming);
}

/// What one row looks like.
struct RowForm {
  Store store = Store::float32;
  Metric metric = Metric::cosine;
  std::size_t dim = 0;  // Store::none fills up to a multiple of 4

  RowForm() = default;
  RowForm(Store way, Metric distance, std::size_t given)
      : store(way), metric(distance), dim(way == Store::none ? (given + 3) / 4 * 4 : given) {}

  std::size_t bytes() const;

  /// Whether an inverse norm is kept beside each row.
  bool normed() const {
    return metric == Metric::cosine && (store == Store::float32 || store == Store::float16);
  }

  /// Whether a row is so small that a shorter form of it would spare nothing.
  bool compact() const { return store == Store::none || store == Store::bits; }

  /// The row as dim floats; bits become 1 and −1.
  void decode(const std::byte* row, float* out) const;

  /// The same in place where it is floats already, else in `room`.
  const float* floats(const std::byte* row, std::vector<float>& room) const;
};

}  // namespace lookalike
