// What a recall costs: measured once, at sealing, and asked at every search.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/recall/budget.hpp"
#include "engine/recall/operating_points.hpp"

namespace lookalike {

/// A recall measured with so many queries, less its standard error, which is at most that of queries that
/// find all or nothing: the cheapest of many budgets looks better than it is.
inline double less_its_error(double recall, double queries) {
  return std::max(0.0, recall - std::sqrt(recall * (1.0 - recall) / queries));
}

/// The recall@k of every pair (probes, rerank) of a grid, for the first kShallow of kMeasuredAt; between them
/// by the logarithm of k. The grid's values grow by an eighth: a step of the budget.
class RecallCurve {
 public:
  static constexpr std::size_t kNeighbours = kMeasuredAt[kShallow - 1];
  static constexpr std::size_t kMostSteps = 256;

  /// The values of the grid up to the first that is `most` or more.
  static std::vector<std::uint32_t> grid_up_to(std::size_t most);
  static std::vector<std::uint32_t> grid(std::size_t steps);

  /// What a probe, a scanned entry and a reranked candidate cost, in the same unit.
  struct Costs {
    double probe;
    double rerank;

    double of(const Budget& budget) const { return budget.probes * probe + budget.rerank * rerank; }
  };

  RecallCurve() = default;

  /// recalls[(i · probe steps + p) · rerank steps + r], i an index of kMeasuredAt.
  RecallCurve(Column<float> recalls, std::size_t probe_steps, std::size_t rerank_steps, Costs costs,
              float narrowing = Budget::kNarrow, OperatingPoints points = {});

  std::size_t probe_steps() const { return probes_.size(); }
  std::size_t rerank_steps() const { return reranks_.size(); }
  std::span<const float> recalls() const { return recalls_.view(); }
  float narrowing() const { return narrowing_; }
  const OperatingPoints& points() const { return points_; }

  /// The cheapest budget for this recall@k where so large a share of the rows may be found: by operating
  /// points where they were measured, else of the grid. probes = 0 if there is none.
  Budget budget_for(double recall, double k, double share = 1.0) const;

  /// For a number of probes given: with as many reranked as bring nearly all that these probes can.
  Budget budget_of(std::uint32_t probes, double k) const;

  /// The recall@k of a budget; NaN if k is beyond what was measured.
  double recall_of(std::uint32_t probes, std::uint32_t rerank, double k) const;

 private:
  struct Step {  // of one k, by ascending cost and recall
    float recall;
    std::uint32_t probes;
    std::uint32_t rerank;
  };

  static bool covers(double k) { return k <= static_cast<double>(kNeighbours); }
  float at(std::size_t i, std::size_t p, std::size_t r) const {
    return recalls_[(i * probes_.size() + p) * reranks_.size() + r];
  }
  std::vector<Step> frontier(std::size_t i, Costs costs) const;
  const Step* cheapest(std::size_t i, double recall) const;

  Column<float> recalls_;
  float narrowing_ = Budget::kNarrow;
  OperatingPoints points_;
  std::vector<std::uint32_t> probes_;
  std::vector<std::uint32_t> reranks_;
  std::array<std::vector<Step>, kShallow> frontiers_;
};

/// The values of the grid up to the first that is `most` or more, and by a table which of them reaches a
/// number.
class GridSteps {
 public:
  explicit GridSteps(std::size_t most) : values_(RecallCurve::grid_up_to(most)) {
    static_assert(RecallCurve::kMostSteps / 2 < std::numeric_limits<std::uint8_t>::max());
    for (std::size_t step = 0; step < values_.size(); ++step)
      reaching_.resize(values_[step] + std::size_t{1}, static_cast<std::uint8_t>(step));
  }

  std::span<const std::uint32_t> values() const { return values_; }
  std::size_t size() const { return values_.size(); }

  /// The first step that is so large or larger; size() if none is.
  std::size_t reaching(std::size_t number) const {
    return number < reaching_.size() ? reaching_[number] : values_.size();
  }

 private:
  std::vector<std::uint32_t> values_;
  std::vector<std::uint8_t> reaching_;
};

}  // namespace lookalike
