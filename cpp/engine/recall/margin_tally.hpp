// Counting, over many courses, what each choice of margins finds and costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/recall/course.hpp"
#include "engine/recall/margins.hpp"
#include "engine/recall/recall_curve.hpp"

namespace lookalike {

/// For each measured k some ways to probe, from few buckets to many, and what is typical there.
struct Ways {
  struct Way {
    float margin;
    float cap;
  };
  struct Level {
    float typical = 1.0F;  // the median k-th lowest estimate
    std::vector<Way> ways;
  };
  std::array<Level, kMeasuredAt.size()> levels;

  /// Of all pairs of a margin and a cap those with which these courses meet more neighbours than with any
  /// other in as few buckets.
  static Ways worthwhile(std::span<const Course> courses);
};

class MarginTally {
 public:
  /// Of more neighbours than these only the farther half count. The nearer half may be relatives, such as
  /// crops of the same picture, which are found by anything; a query that has none would find less than they
  /// tell.
  static constexpr std::size_t kAllCount = 10;

  MarginTally(const Ways& ways, std::size_t most_candidates);

  void add(const Course& course);
  void add(const MarginTally& other);

  Margins margins(RecallCurve::Costs costs) const;

 private:
  struct Row {  // of one way
    double probes = 0;
    std::vector<double> candidates;  // by the cap
    std::vector<double> needing;     // neighbours that need this cap
  };

  void add(const Course& course, std::size_t level);

  const Ways* ways_;
  std::vector<std::uint32_t> caps_;  // of candidates
  std::array<std::vector<Row>, kMeasuredAt.size()> rows_;
  std::array<double, kMeasuredAt.size()> neighbours_{};  // counted
  double courses_ = 0;
};

}  // namespace lookalike
