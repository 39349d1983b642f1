// Which rows of a segment may lie so near to a query, by the triangle inequality and by sketches.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

/// For the query that `hash` took up last. A row may be left out whose sketch errs by more than four standard
/// errors.
class NearRows {
 public:
  /// Whether it can be told: not where the projection lets distances grow.
  static bool known(const Segment& segment) {
    return segment.hashed() && segment.router()->projection().keeps_distances();
  }

  NearRows(const Segment& segment, Scratch& scratch);

  /// The buckets of the first table, which hold all rows, and how far their centres are, in no order.
  std::vector<Near> buckets() const;

  /// Whether a row of the bucket may lie within this squared distance.
  bool may_hold(const Near& bucket, float square) const;

  /// Calls take(row) for each original of the bucket that may.
  template <class Take>
  void visit(const Near& bucket, float square, Take take) const {
    const float certain = this->certain(bucket, square), per_factor = this->per_factor(bucket);
    estimate(bucket, certain);
    const Sketches& sketches = segment_.sketches();
    const std::uint32_t first = sketches.first(bucket.bucket);
    const auto estimates = errand_.candidates.kept_estimates();
    for (std::size_t i = 0; const std::uint32_t row : errand_.candidates.kept())
      if (estimates[i++] <= certain + sketches.factors(bucket.bucket, row - first).f * per_factor) take(row);
  }

 private:
  float certain(const Near& bucket, float square) const;
  float per_factor(const Near& bucket) const;
  void estimate(const Near& bucket, float certain) const;

  const Segment& segment_;
  Errand& errand_;
  float length_ = 0.0F;    // of the query, where it is projected
  float left_out_ = 0.0F;  // at least so much of its length is not
  float errors_ = 0.0F;    // so many standard errors, of a residual and a distance of 1
  float of_table_ = 0.0F;  // for each unit of F
  float root_m_ = 0.0F;
};

}  // namespace lookalike
