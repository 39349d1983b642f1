// Every metric as a squared Euclidean distance, so that hashing and sketching know only that one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>

#include "engine/base/column.hpp"
#include "engine/base/metric.hpp"

namespace lookalike {

/// cosine: unit vectors, ‖q − x‖² = 2 (1 − cos). dot: x / M with a last coordinate that makes it a unit
/// vector, q / ‖q‖ with 0 there, so ‖q − x‖² = 2 − 2⟨q, x⟩ / (M‖q‖), M the largest norm of the rows (Bachrach
/// et al., RecSys 2014). hamming: ±1 for each bit, four times the distance. The others: as they are.
class Space {
 public:
  Space() = default;
  Space(Metric metric, std::size_t dim, float largest_norm)
      : metric_(metric),
        dim_(dim),
        largest_norm_(largest_norm),
        shrink_(std::isfinite(1.0F / largest_norm) ? 1.0F / largest_norm : 1.0F) {}

  /// Moves the origin to the middle of the rows (dim() values). Distances stay, but what is rounded later is
  /// as small as it can be.
  void set_middle(Column<float> middle) { middle_ = std::move(middle); }
  std::span<const float> middle() const { return middle_.view(); }

  std::size_t dim() const { return metric_ == Metric::dot ? dim_ + 1 : dim_; }

  float largest_norm() const { return largest_norm_; }

  /// A stored row; `scale` is its inverse norm under cosine, else 1.
  void place_row(const float* vector, float scale, float* out) const {
    if (metric_ == Metric::dot) scale = shrink_;
    for (std::size_t i = 0; i < dim_; ++i) out[i] = vector[i] * scale;
    if (metric_ == Metric::dot) out[dim_] = std::sqrt(std::max(0.0F, 1.0F - square(out)));
    subtract_middle(out);
  }

  /// How much a row's squared norm here is more than that of the rows the space was made for: it has no place
  /// among their unit vectors, and lies nearer to each query by so much than where it is placed.
  float beyond(const float* vector) const {
    if (metric_ != Metric::dot) return 0.0F;
    const double norm = std::sqrt(double{square(vector)}) * double{shrink_};
    return static_cast<float>(std::max(0.0, norm * norm - 1.0));
  }

  /// A query; `scale` likewise.
  void place_query(const float* vector, float scale, float* out) const {
    if (metric_ == Metric::dot) {
      const float norm = std::sqrt(square(vector));
      scale = norm > 0 ? 1.0F / norm : 0.0F;
      out[dim_] = 0.0F;
    }
    for (std::size_t i = 0; i < dim_; ++i) out[i] = vector[i] * scale;
    subtract_middle(out);
  }

  /// The squared distance here that a key stands for; infinite where it admits everything.
  float square_of(float key, const float* query) const {
    if (metric_ == Metric::cosine) return 2.0F * key;
    if (metric_ == Metric::hamming) return 4.0F * key;
    if (metric_ != Metric::dot) return key;
    const float norm = std::sqrt(square(query));
    return norm > 0 ? 2.0F + 2.0F * key * shrink_ / norm : std::numeric_limits<float>::infinity();
  }

 private:
  void subtract_middle(float* out) const {
    for (std::size_t i = 0; i < middle_.size(); ++i) out[i] -= middle_[i];
  }

  float square(const float* vector) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < dim_; ++i) sum += double{vector[i]} * double{vector[i]};
    return static_cast<float>(sum);
  }

  Metric metric_ = Metric::euclidean;
  std::size_t dim_ = 0;
  float largest_norm_ = 0.0F;  // under dot
  float shrink_ = 1.0F;
  Column<float> middle_;
};

}  // namespace lookalike
