// What a recall costs where every query goes as far as it needs: two margins, measured at sealing.
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

/// For each k of kMeasuredAt, the margins (Budget) that no others beat: with the recall, what they cost on
/// average grows. Between the measured k by the logarithm of k.
class Margins {
 public:
  struct Step {
    float recall;
    float probe_margin;
    float probe_cap;
    float candidate_cap;
    float typical;
    float probes;  // on average
    float rerank;

    Budget budget() const;
  };
  static constexpr double kDeepest = 1000.0;  // what was measured is extrapolated so far
  using Levels = std::array<std::vector<Step>, kMeasuredAt.size()>;

  Margins() = default;

  /// Steps by ascending recall.
  explicit Margins(Levels levels) : levels_(std::move(levels)) {}

  bool empty() const {
    return std::ranges::all_of(levels_, [](const std::vector<Step>& steps) { return steps.empty(); });
  }
  const Levels& levels() const { return levels_; }

  /// Whether these steps, which come from a file, can be used safely.
  static bool make_sense(std::span<const Step> steps);

  /// The cheapest budget for this recall@k where so large a share of the rows may be found; probes = 0 if
  /// none has it, k is beyond what was measured, or the k nearest lie deeper than kDeepest.
  Budget budget_for(double recall, double k, double share = 1.0) const;

 private:
  Budget budget_at(double recall, double depth) const;

  Levels levels_;
};

}  // namespace lookalike
