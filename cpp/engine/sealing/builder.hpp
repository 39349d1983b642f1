// Makes segments of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/parallel.hpp"
#include "engine/base/spill.hpp"
#include "engine/base/work_mutex.hpp"
#include "engine/router/router.hpp"
#include "engine/rows/rows.hpp"
#include "engine/sealing/carried.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/segment/segment.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

/// A router that rows are to be sealed under, and what they have of it already.
struct Kept {
  std::shared_ptr<const Router> router;
  const Carried* carried;
};

/// Seals rows, ascending by id, which are taken: lays them out by the buckets of a router, and sketches them.
/// Without a router it learns one from a sample, and measures its recall; where fewer than
/// tuning::kExactBelow rows are different, they only get sorted.
std::shared_ptr<const Segment> build_segment(const Shape& shape, Rows& rows, const std::optional<Kept>& kept,
                                             Threads threads, const Interrupt& interrupt);

/// One segment under construction.
class Builder {
 public:
  Builder(const Shape& shape, Rows& rows, Threads threads, const Interrupt& interrupt);

  void learn();
  /// False, and nothing is done, where the rows are not like those that the router was learned from.
  bool use(const Kept& kept);
  std::shared_ptr<const Segment> finish();

  std::size_t originals() const { return segment_->originals_; }

 private:
  // builder.cpp
  Router learn_router(std::span<const std::uint32_t> free) const;
  void place(const Space& space, std::span<const std::uint32_t> rows, float* out) const;
  Column<float> middle_of(const Space& space, std::span<const std::uint32_t> rows) const;
  Projection learn_projection(const Space& space, std::span<const std::uint32_t> sample) const;
  struct Assigned {
    std::vector<std::uint32_t> bucket_of;
    std::size_t unlike = 0;
    std::size_t too_long = 0;
    std::size_t like = 0;
    double residuals = 0.0;
  };
  Assigned assign(const Router& router) const;
  std::vector<std::uint32_t> lay_out(std::span<const std::uint32_t> bucket_of);
  void keep();
  void find_means(HashFamily& family) const;
  void sketch();
  std::vector<HitModel::Bucket> spreads() const;

  // choose_sketches.cpp
  void choose_sketches(Router& router, const Samples& samples);
  double cost_when_measured(const Samples& samples) const;

  bool carries(std::size_t row) const {
    return carried_ != nullptr && carried_->has(origin(static_cast<std::uint32_t>(row)));
  }
  std::uint32_t origin(std::uint32_t row) const { return origins_.empty() ? row : origins_[row]; }
  Measurer measurer() const { return Measurer(*segment_, threads_, interrupt_, spill_.get()); }

  Shape shape_;
  Rows& rows_;
  Threads threads_;
  const Interrupt& interrupt_;
  std::shared_ptr<Spill> spill_;  // where large arrays are built, or null
  std::shared_ptr<Segment> segment_;
  const Carried* carried_ = nullptr;    // what rows have of a router that is kept
  std::vector<std::uint32_t> origins_;  // which of the rows that were given each is; empty: it is itself
  std::vector<double> residuals_;       // by bucket, of all its rows, once they are sketched
  Array<std::uint32_t> starts_;         // the first entry of each bucket, and their number at the end
};

}  // namespace lookalike
