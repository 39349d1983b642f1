// What routes a vector to its buckets and a query from bucket to bucket: learned once, then shared by
// segments and fresh rows, and never changed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/metric.hpp"
#include "engine/base/parallel.hpp"
#include "engine/hash/families.hpp"
#include "engine/projection/projection.hpp"
#include "engine/projection/space.hpp"
#include "engine/recall/hit_model.hpp"
#include "engine/recall/recall_curve.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/store.hpp"
#include "engine/sketch/sketches.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

/// How far the rows of a bucket lie from its centre, in the projected space; and the most that the projection
/// lost of a squared norm.
struct Reach {
  float radius = 0.0F;
  float left_out = 0.0F;

  void include(float residual, float lost) {
    radius = std::max(radius, residual);
    left_out = std::max(left_out, lost);
  }
};

/// Vectors as a router sees them, for one thread.
struct Routed {
  std::vector<float> placed;     // rows × space dimensions
  std::vector<float> projected;  // rows × m
  std::vector<float> left_out;   // what is to be added to each squared distance in the projected space
  std::vector<float> beyond;     // Space::beyond
  std::vector<float> residuals;  // squared distances from the centres
  std::vector<std::uint32_t> bucket_of;  // rows × tables
  std::vector<float> room;
  Projection::Scratch projection;
};

/// The space, the projection, the buckets of a hash family with their centres, the codebook of the sketches,
/// and the recall curve measured with them.
class Router {
 public:
  /// For so many different rows, from a seed.
  Router(const RowForm& form, Space space, Projection projection, std::unique_ptr<HashFamily> family,
         std::size_t rows, std::uint64_t seed)
      : form_(form),
        space_(std::move(space)),
        projection_(std::move(projection)),
        family_(std::move(family)),
        rows_(rows),
        seed_(seed) {}

  const RowForm& form() const { return form_; }
  const Space& space() const { return space_; }
  const Projection& projection() const { return projection_; }
  const HashFamily& family() const { return *family_; }
  const SketchLayout& layout() const { return layout_; }
  const RecallCurve& curve() const { return curve_; }
  /// Empty where buckets are not visited by distance, or in a file of before.
  const HitModel& hits() const { return hits_; }
  std::size_t rows() const { return rows_; }
  std::uint64_t seed() const { return seed_; }
  std::uint32_t buckets() const { return family_->buckets(); }
  std::uint32_t tables() const { return family_->tables(); }
  std::size_t m() const { return projection_.m(); }

  /// The 8-bit rows hold y where it keeps all distances, else the placed vector itself.
  std::size_t byte_width() const { return projection_.isometric() ? m() : space_.dim(); }

  /// What the stages cost beside each other in lists of so many rows.
  RecallCurve::Costs costs(std::size_t rows) const;

  /// Places and projects one row.
  void place(const StoredRows& rows, std::size_t row, Routed& out) const;

  /// Places, projects and assigns rows [begin, end). Takes one thread.
  void route(const StoredRows& rows, std::size_t begin, std::size_t end, Routed& out) const;

  /// Whether a row is so much longer, under dot, than all that the router was learned from that its bucket
  /// says little of which queries it is near to.
  static bool too_long(const Routed& routed, std::size_t row) {
    return routed.beyond[row] > tuning::kTooMuchLonger;
  }
  /// Whether a row is that, or lies farther from the centre of its bucket than nearly all of them: then
  /// neither the bucket nor the measured recall is for it.
  bool unlike(const Routed& routed, std::size_t row) const {
    return too_long(routed, row) || !(routed.residuals[row] <= bounds_[routed.bucket_of[row * tables()]]);
  }
  /// Whether rows with this sum of residuals are so on average. The mean of few rows errs, by less where
  /// they have more dimensions: some times that is allowed.
  bool drifted(double sum, std::size_t rows) const {
    const auto count = static_cast<double>(rows);
    return mean_residual_ > 0.0F && rows >= tuning::kLeastToDrift &&
           sum > (tuning::kDrifted + tuning::kDriftedErrors / std::sqrt(count)) * double{mean_residual_} *
                     count;
  }
  float mean_residual() const { return mean_residual_; }
  std::span<const float> bounds() const { return bounds_; }

  /// Of the squared norm, what principal axes do not hold; a rotation holds all.
  float left_out(const float* placed, const float* projected) const;

  // For who learns it, before anybody else knows it.
  HashFamily& learning() { return *family_; }
  void choose(const Codebook& codebook) { layout_ = SketchLayout(m(), codebook); }
  void set_hits(HitModel hits) { hits_ = std::move(hits); }
  void set_curve(RecallCurve curve) { curve_ = std::move(curve); }
  bool learned() const { return !bounds_.empty(); }
  /// How far the rows lie that it was learned from; the mean may be 0: nobody knows.
  void set_reach(std::span<const Reach> reaches, float mean_residual);
  /// The same from a file.
  void set_bounds(std::span<const float> bounds, float mean_residual) {
    bounds_.assign(bounds.begin(), bounds.end());
    mean_residual_ = mean_residual;
  }
  void keep(std::shared_ptr<const void> file) { file_ = std::move(file); }

 private:
  std::shared_ptr<const void> file_;  // that its columns lie in, or null
  RowForm form_;
  Space space_;
  Projection projection_;
  std::unique_ptr<HashFamily> family_;
  SketchLayout layout_{0};
  RecallCurve curve_;
  HitModel hits_;
  std::vector<float> bounds_;  // by bucket, of the squared residuals that it knows
  float mean_residual_ = 0.0F;
  std::size_t rows_;
  std::uint64_t seed_;
};

/// Routes all of these rows, on several threads where they are many.
Routed route_all(const Router& router, const StoredRows& rows);

}  // namespace lookalike
