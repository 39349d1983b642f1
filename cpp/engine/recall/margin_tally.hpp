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
/// None for a k that is not measured.
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
  static Level worthwhile(std::span<const Course> courses, std::size_t level);
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

  // The neighbours of a course by estimate, and how many of them are estimated no farther than each entry.
  struct Order {
    std::vector<std::uint32_t> neighbours;
    std::vector<std::uint32_t> of_entries;

    explicit Order(const Course& course);
  };

  void add(const Course& course, const Order& order, std::size_t level);

  const Ways* ways_;
  GridSteps steps_;  // of the candidates' caps
  std::vector<float> caps_;
  std::array<std::vector<Row>, kMeasuredAt.size()> rows_;
  std::array<double, kMeasuredAt.size()> neighbours_{};  // counted
  double courses_ = 0;
};

}  // namespace lookalike
