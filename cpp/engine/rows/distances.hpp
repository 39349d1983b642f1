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
constexpr std::size_t kQueriesAtOnce = 64;

/// Queries that are answered together, behind each other from `vectors` on.
struct QueryBlock {
  const float* vectors;
  std::size_t count;
  std::size_t dim;
  Metric metric;
  const float* scales;
  const std::byte* bits = nullptr;

  static QueryBlock of(const Query& query) {
    return {query.vector, 1, query.dim, query.metric, &query.scale, query.bits};
  }
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
  std::size_t among = 0;  // so many that are read one after the other, where that is more

  const std::byte* row(std::size_t i) const { return rows + i * form.bytes(); }
  float scale(std::size_t i) const { return form.normed() ? inverse_norms[i] : 1.0F; }
  StoredRows part(std::size_t begin, std::size_t end) const {
    return {form, row(begin), form.normed() ? inverse_norms + begin : nullptr, end - begin,
            std::max(among, count)};
  }

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

  /// Calls visit(query number, row, key) for every query and row whose key is at most limit(query number),
  /// which is asked for each tile; a tile of rows is read once for kQueriesAtOnce queries.
  template <class Limit, class Visit>
  void scan(const QueryBlock& queries, Limit limit, Visit visit) const {
    std::array<float, kRowsAtOnce * kQueriesAtOnce> keys;
    for (std::size_t first = 0; first < queries.count; first += kQueriesAtOnce) {
      const QueryBlock some = queries.part(first, std::min(kQueriesAtOnce, queries.count - first));
      const std::size_t at_once = rows_at_once(some.count);
      for (std::size_t begin = 0; begin < count; begin += at_once) {
        const std::size_t n = std::min(at_once, count - begin);
        prefetch(begin);
        tile_keys(some, begin, n, keys.data());
        for (std::size_t q = 0; q < some.count; ++q) {
          const std::span<const float> of_query(keys.data() + q * n, n);
          const float most = limit(first + q);
          if (!any_within(of_query, most)) continue;  // so it is for nearly all tiles
          for (std::size_t i = 0; i < n; ++i)
            if (of_query[i] <= most) visit(first + q, begin + i, of_query[i]);
        }
      }
    }
  }

 private:
  static constexpr std::size_t kAhead = 2048;  // bytes: as many as a processor can wait for at once
  static constexpr std::size_t kCached = std::size_t{2} << 20;  // bytes: rows so few are in a cache already

  bool cached() const { return std::max(among, count) * form.bytes() <= kCached; }

  static bool any_within(std::span<const float> keys, float limit) {
    unsigned any = 0;
    for (const float key : keys) any |= static_cast<unsigned>(key <= limit);
    return any != 0;
  }

  /// How many rows make a tile: for one query as many as were asked for ahead.
  std::size_t rows_at_once(std::size_t queries) const {
    if (cached()) return kRowsAtOnce;
    const std::size_t n = std::clamp<std::size_t>(kAhead * queries / form.bytes(), 1, kRowsAtOnce);
    return n > 4 ? n / 4 * 4 : n;
  }

  /// Asks for rows behind those of the tile. One query is done with rows as fast as they come from memory,
  /// and the processor, left alone, does not see through four rows that are read side by side.
  void prefetch(std::size_t first) const {
    if (cached()) return;
    constexpr std::size_t line = 64;
    const std::size_t begin = first * form.bytes() + kAhead;
    const std::size_t end = std::min(begin + kAhead, count * form.bytes());
    for (std::size_t at = begin; at < end; at += line) __builtin_prefetch(rows + at);
  }

  /// keys[i] of row which[i]; at most kRowsAtOnce.
  void gather_keys(const Query& query, std::span<const std::uint32_t> which, float* keys) const;

  /// keys[q · n + i] of row first + i; at most kRowsAtOnce.
  void tile_keys(const QueryBlock& queries, std::size_t first, std::size_t n, float* keys) const;

  /// Makes keys of what a kernel gave; row_of(i) is the row of keys[i].
  template <class RowOf>
  void make_keys(const Query& query, std::size_t n, RowOf row_of, float* keys) const;
  template <class RowOf>
  void cosine_keys(const Query& query, std::size_t n, RowOf row_of, float* keys) const;
  float estimate(float query_square, std::size_t row, float dot) const;
};

}  // namespace lookalike
