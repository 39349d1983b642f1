// Keys of many rows against one query, through the kernels.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/metric.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

struct Query {
  const float* vector;
  std::size_t dim;
  Metric metric;
  float scale;  // under cosine its inverse norm, else 1
};

constexpr std::size_t kRowsAtOnce = 64;
constexpr std::size_t kQueriesAtOnce = 8;

/// 1 − cos. Where the two vectors nearly agree, 1 − dot would be left with rounding errors alone; half the
/// squared difference of their unit vectors, summed in double, is not, and is 0 for copies.
inline float cosine_key(const Query& query, const float* row, float inverse_norm, float dot) {
  constexpr float kNear = 1e-3F;
  const float key = 1.0F - dot * query.scale * inverse_norm;
  if (!(key < kNear)) return std::min(key, 2.0F);
  const auto square = [&](std::size_t i) {
    const double difference =
        double{query.vector[i]} * double{query.scale} - double{row[i]} * double{inverse_norm};
    return difference * difference;
  };
  double a = 0.0, b = 0.0, c = 0.0, d = 0.0;  // one sum would wait for each addition
  std::size_t i = 0;
  for (; i + 4 <= query.dim; i += 4)
    a += square(i), b += square(i + 1), c += square(i + 2), d += square(i + 3);
  for (; i < query.dim; ++i) a += square(i);
  return static_cast<float>((a + b + c + d) / 2.0);
}

/// The key of a row from what the kernel gave: a dot product or a squared distance.
inline float key_of(const Query& query, const float* vectors, const float* inverse_norms, std::size_t row,
                    float value) {
  if (by_difference(query.metric)) return value;
  if (query.metric == Metric::dot) return -value;
  return cosine_key(query, vectors + row * query.dim, inverse_norms[row], value);
}

/// Calls visit(query number, row, key) for every query and row. The queries lie behind each other from
/// query.vector on, scales[i] in place of query.scale; a block of rows is read once for all of them.
template <class Visit>
void scan_rows(const Query& query, const float* scales, std::size_t queries, const float* vectors,
               const float* inverse_norms, std::size_t rows, Visit visit) {
  const Kernels& kernel = kernels();
  const auto compare = by_difference(query.metric) ? kernel.squared_l2_tile : kernel.dot_tile;
  std::array<float, kRowsAtOnce * kQueriesAtOnce> values;
  for (std::size_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows - begin);
    compare(query.vector, query.dim, queries, vectors + begin * query.dim, query.dim, count, query.dim,
            values.data());
    for (std::size_t q = 0; q < queries; ++q) {
      const Query one{query.vector + q * query.dim, query.dim, query.metric, scales[q]};
      for (std::size_t i = 0; i < count; ++i)
        visit(q, begin + i, key_of(one, vectors, inverse_norms, begin + i, values[q * count + i]));
    }
  }
}

/// Calls visit(row, key) for each of these rows.
template <class Visit>
void gather_rows(const Query& query, const float* vectors, const float* inverse_norms,
                 std::span<const std::uint32_t> which, Visit visit) {
  const Kernels& kernel = kernels();
  const auto compare = by_difference(query.metric) ? kernel.squared_l2_gather : kernel.dot_gather;
  std::array<float, kRowsAtOnce> values;
  for (std::size_t begin = 0; begin < which.size(); begin += kRowsAtOnce) {
    const auto part = which.subspan(begin, std::min(kRowsAtOnce, which.size() - begin));
    compare(query.vector, vectors, query.dim, part.data(), part.size(), query.dim, values.data());
    for (std::size_t i = 0; i < part.size(); ++i)
      visit(part[i], key_of(query, vectors, inverse_norms, part[i], values[i]));
  }
}

}  // namespace lookalike
