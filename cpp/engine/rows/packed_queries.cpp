#include "engine/rows/packed_queries.hpp"

#include <cmath>
#include <limits>

#include "engine/base/product.hpp"

namespace lookalike {
namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();

}  // namespace

// With u = 2^-24, s = ‖a‖ + ‖b‖ and n dimensions, the bounds of kernels.hpp sum up to u s² times n / 2 for
// the inner product, n for the two squares, n for the distance that is meant and some roundings; s² <= 2
// (‖a‖² + ‖b‖²). Of inner products alone it is less.
PackedQueries::PackedQueries(const QueryBlock& queries, std::span<const float> middle)
    : queries_(queries),
      stride_(unaliased(queries.dim)),
      values_(queries.count * stride_),
      error_(5.2F * static_cast<float>(queries.dim + 8) * 0x1p-24F) {
  if (by_difference(queries.metric)) middle_.assign(middle.begin(), middle.end());
  for (std::size_t q = 0; q < queries.count; ++q) {
    float* const placed = values_.data() + q * stride_;
    const Query query = queries.query(q);
    place(query.vector, query.scale, placed);
    squares_.push_back(kernels().dot(placed, placed, queries.dim));
  }
}

void PackedQueries::place(const float* vector, float scale, float* out) const {
  if (!middle_.empty())
    for (std::size_t i = 0; i < queries_.dim; ++i) out[i] = vector[i] - middle_[i];
  else
    for (std::size_t i = 0; i < queries_.dim; ++i) out[i] = scale * vector[i];
}

// What a row's `least` less its product twice may be at most.
float PackedQueries::most(std::size_t query, float limit) const {
  const float square = squares_[query];
  if (!std::isfinite(square)) return kInfinite;
  if (by_difference(queries_.metric)) return limit - (1.0F - error_) * square;
  if (queries_.metric == Metric::cosine) limit -= 1.0F;
  return 2.0F * limit + error_ * square;
}

PackedQueries::Bounds PackedQueries::bounds(std::size_t query, float square, float product) const {
  const float squares = squares_[query] + square;
  if (!std::isfinite(squares)) return {-kInfinite, kInfinite};
  if (by_difference(queries_.metric)) {
    const float key = squares - 2.0F * product, error = error_ * squares;
    return {key - error, key + error};
  }
  const float key = (queries_.metric == Metric::cosine ? 1.0F : 0.0F) - product,
              error = error_ * squares / 2.0F;
  return {key - error, key + error};
}

void PackedQueries::pack(const StoredRows& rows, std::size_t begin, std::size_t count, Panel& panel) const {
  const std::size_t dim = queries_.dim;
  panel.count = count;
  panel.values.resize(panel_rows * dim);
  panel.placed.resize(panel_rows * dim);
  panel.squares.fill(0.0F);
  panel.least.fill(kInfinite);
  for (std::size_t r = 0; r < count; ++r) {
    float* const placed = panel.placed.data() + r * dim;
    place(rows.form.floats(rows.row(begin + r), panel.room), rows.scale(begin + r), placed);
    const float square = panel.squares[r] = kernels().dot(placed, placed, dim);
    panel.least[r] = !std::isfinite(square)           ? -kInfinite
                     : by_difference(queries_.metric) ? (1.0F - error_) * square
                                                      : -error_ * square;
  }
  constexpr std::size_t kAtOnce = 16;  // dimensions: of all rows they stay in the first cache
  for (std::size_t first = 0; first < dim; first += kAtOnce)
    for (std::size_t r = 0; r < panel_rows; ++r)
      for (std::size_t i = first; i < std::min(dim, first + kAtOnce); ++i)
        panel.values[i * panel_rows + r] = panel.placed[r * dim + i];
}

}  // namespace lookalike
