// What a recall costs where every query goes as far as it needs: measured at sealing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/recall/budget.hpp"

namespace lookalike {

/// For each k of kMeasuredAt that few of the rows are, and each degree to which a query is unlike the rows,
/// the choices of a budget that no others beat: with the recall, what they cost on average grows. Between two
/// of them by the recall, between the measured k and some way beyond them by the logarithm of k.
class OperatingPoints {
 public:
  struct Point {
    float recall;
    float left;  // these two: Budget
    float missed;
    float probes;  // on average
    float rerank;
  };
  using Points = std::vector<Point>;  // by ascending recall
  struct Level {
    float error = 0.0F;  // these three: Budget
    float usual_e = 0.0F;
    float farthest_e = Budget::kEndless;
    std::array<Points, Budget::kDegrees> points;  // all none, or each some

    bool empty() const { return points[0].empty(); }
  };
  using Levels = std::array<Level, kMeasuredAt.size()>;

  OperatingPoints() = default;
  explicit OperatingPoints(Levels levels) : levels_(std::move(levels)) {}

  bool empty() const { return measured() == 0; }
  const Levels& levels() const { return levels_; }

  /// Whether these, which come from a file, can be used safely.
  static bool make_sense(const Level& level);

  /// The choice that has the recall, between two of these by what each has; the last where none has it.
  static Point choice(const Points& points, double recall);

  /// The cheapest budget for this recall@k where so large a share of the rows may be found; probes = 0 if
  /// none has it for usual queries, or so many neighbours were not measured. Of unlike ones, where none has
  /// it, the highest recall that there is.
  Budget budget_for(double recall, double k, double share = 1.0) const;

 private:
  /// Behind the last level that was.
  std::size_t measured() const {
    std::size_t levels = levels_.size();
    while (levels > 0 && levels_[levels - 1].empty()) --levels;
    return levels;
  }
  Budget budget_at(double recall, double depth) const;
  Budget budget_between(double recall, double depth) const;
  Budget budget_beyond(double recall, double times, std::size_t last) const;

  Levels levels_;
};

}  // namespace lookalike
