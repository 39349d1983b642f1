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

// Turns what the kernel gave (dot products or squared distances) into keys. norm(i) is the inverse norm of
// row i.
template <class Norm>
void to_keys(Metric metric, float scale, float* values, std::size_t count, Norm norm) {
  if (by_difference(metric)) return;
  for (std::size_t i = 0; i < count; ++i)
    values[i] = metric == Metric::dot ? -values[i] : cosine_key(values[i], scale, norm(i));
}

/// Calls visit(query number, row, key) for every query and row. The queries lie behind each other from
/// query.vector on, scales[i] in place of query.scale; a block of rows is read once for all of them.
template <class Visit>
void scan_rows(const Query& query, const float* scales, std::size_t queries, const float* vectors,
               const float* inverse_norms, std::size_t rows, Visit visit) {
  const Kernels& kernel = kernels();
  const auto compare = by_difference(query.metric) ? kernel.squared_l2_tile : kernel.dot_tile;
  std::array<float, kRowsAtOnce * kQueriesAtOnce> keys;
  for (std::size_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    const std::size_t count = std::min(kRowsAtOnce, rows - begin);
    compare(query.vector, query.dim, queries, vectors + begin * query.dim, query.dim, count, query.dim,
            keys.data());
    for (std::size_t q = 0; q < queries; ++q) {
      float* of_query = keys.data() + q * count;
      to_keys(query.metric, scales[q], of_query, count,
              [&](std::size_t i) { return inverse_norms[begin + i]; });
      for (std::size_t i = 0; i < count; ++i) visit(q, begin + i, of_query[i]);
    }
  }
}

/// Calls visit(row, key) for each of these rows.
template <class Visit>
void gather_rows(const Query& query, const float* vectors, const float* inverse_norms,
                 std::span<const std::uint32_t> which, Visit visit) {
  const Kernels& kernel = kernels();
  const auto compare = by_difference(query.metric) ? kernel.squared_l2_gather : kernel.dot_gather;
  std::array<float, kRowsAtOnce> keys;
  for (std::size_t begin = 0; begin < which.size(); begin += kRowsAtOnce) {
    const std::size_t part = std::min(kRowsAtOnce, which.size() - begin);
    compare(query.vector, vectors, query.dim, which.data() + begin, part, query.dim, keys.data());
    to_keys(query.metric, query.scale, keys.data(), part,
            [&](std::size_t i) { return inverse_norms[which[begin + i]]; });
    for (std::size_t i = 0; i < part; ++i) visit(which[begin + i], keys[i]);
  }
}

}  // namespace lookalike
