// Which sketches a router gets: tried with some of the rows that its recall will be measured with.
#include <algorithm>
#include <limits>
#include <utility>

#include "engine/sealing/builder.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

// A finer sketch leaves fewer candidates to narrow, and takes longer to scan. Which of both is more depends
// on how many rows lie about as near as the neighbours do. Where the projection leaves out a part of the
// vectors, that is what errs, and no sketch of the rest helps.
void Builder::choose_sketches(Router& router, const Samples& samples) {
  if (!router.projection().isometric() || segment_->form_.compact() || samples.rows().queries.count == 0)
    return;
  const double with_signs = cost_when_measured(samples);
  auto signs = std::exchange(segment_->sketches_, std::nullopt);
  router.choose(kPointsOf3);
  sketch();
  if (cost_when_measured(samples) < tuning::kWorthFinerSketches * with_signs) return;
  router.choose(kSigns);
  segment_->sketches_ = std::move(signs);
}

// What some neighbours at common recalls cost by a curve of these rows, with what every query takes.
double Builder::cost_when_measured(const Samples& samples) const {
  const RecallCurve curve = measurer().measure_roughly(
      samples, std::min(tuning::kQueriesForSketches, samples.rows().queries.count));
  const RecallCurve::Costs costs = segment_->router()->costs(originals());
  double cost = 0.0;
  for (const double recall : tuning::kRecallsForSketches) {
    const Budget budget = curve.budget_for(recall, tuning::kNeighboursForSketches);
    cost += tuning::kCostOfQuery;
    cost += budget.probes > 0 ? costs.of(budget) : std::numeric_limits<double>::infinity();
  }
  return cost;
}

}  // namespace lookalike
