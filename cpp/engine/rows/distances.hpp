// Keys of many rows against queries, through the kernels, however the rows are kept.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/metric.hpp"
#include "engine/rows/store.hpp"

namespace lookalike {

struct Query {
  const float* vector;
  std::size_t dim;
  Metric metric;
  float scale;                      // under cosine its inverse norm, else 1
  const std::byte* bits = nullptr;  // under hamming: what `vector` was unpacked from
};

constexpr std::size_t kRowsAtOnce = 64;
constexpr std::size_t kQueriesAtOnce = 32;

/// Queries that are answered together, behind each other from `vectors` on.
struct QueryBlock {
  const float* vectors;
  std::size_t count;
  std::size_t dim;
  Metric metric;
  const float* scales;
  const std::byte* bits = nullptr;

  Query query(std::size_t q) const {
    return {vectors + q * dim, dim, metric, scales[q], bits != nullptr ? bits + q * (dim / 8) : nullptr};
  }
  QueryBlock part(std::size_t first, std::size_t n) const {
    return {vectors + first * dim,
            n,
            dim,
            metric,
            scales + first,
            bits != nullptr ? bits + first * (dim / 8) : nullptr};
  }
};

/// Rows behind each other, wherever they lie. Keys of Store::none are estimates, all others are exact.
struct StoredRows {
  RowForm form;
  const std::byte* rows;
  const float* inverse_norms;  // where the form is normed
  std::size_t count;

  const std::byte* row(std::size_t i) const { return rows + i * form.bytes(); }

  /// Calls visit(row, key) for each of these rows.
  template <class Visit>
  void gather(const Query& query, std::span<const std::uint32_t> which, Visit visit) const {
    std::array<float, kRowsAtOnce> keys;
    for (std::size_t begin = 0; begin < which.size(); begin += kRowsAtOnce) {
      const auto part = which.subspan(begin, std::min(kRowsAtOnce, which.size() - begin));
      gather_keys(query, part, keys.data());
      for (std::size_t i = 0; i < part.size(); ++i) visit(part[i], keys[i]);
    }
  }

  /// Calls visit(query number, row, key) for every query and row; a block of rows is read once for
  /// kQueriesAtOnce queries.
  template <class Visit>
  void scan(const QueryBlock& queries, Visit visit) const {
    std::array<float, kRowsAtOnce * kQueriesAtOnce> keys;
    for (std::size_t first = 0; first < queries.count; first += kQueriesAtOnce) {
      const QueryBlock some = queries.part(first, std::min(kQueriesAtOnce, queries.count - first));
      for (std::size_t begin = 0; begin < count; begin += kRowsAtOnce) {
        const std::size_t n = std::min(kRowsAtOnce, count - begin);
        tile_keys(some, begin, n, keys.data());
        for (std::size_t q = 0; q < some.count; ++q)
          for (std::size_t i = 0; i < n; ++i) visit(first + q, begin + i, keys[q * n + i]);
      }
    }
  }

 private:
  /// keys[i] of row which[i]; at most kRowsAtOnce.
  void gather_keys(const Query& query, std::span<const std::uint32_t> which, float* keys) const;

  /// keys[q · n + i] of row first + i; at most kRowsAtOnce.
  void tile_keys(const QueryBlock& queries, std::size_t first, std::size_t n, float* keys) const;

  /// Makes keys of what a kernel gave; row_of(i) is the row of keys[i].
  template <class RowOf>
  void make_keys(const Query& query, std::size_t n, RowOf row_of, float* keys) const;
  float cosine_key(const Query& query, std::size_t row, float dot) const;
  float estimate(float query_square, std::size_t row, float dot) const;
};

}  // namespace lookalike
