// Which sketches a segment gets: tried with some of the rows that its recall will be measured with.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/segment/segment.hpp"

namespace lookalike {

// A finer sketch leaves fewer candidates to narrow, and takes longer to scan. Which of both is more depends
// on how many rows lie about as near as the neighbours do. Where the projection leaves out a part of the
// vectors, that is what errs, and no sketch of the rest helps.
void Segment::choose_sketches(Array<std::uint32_t> starts, const HeldOut& held, int threads,
                              const Interrupt& interrupt) {
  constexpr double kWorth = 0.95;  // what costs more memory must be faster beyond the error of a trial
  sketch(starts, kSigns, threads, interrupt);
  if (!projection_.isometric() || form_.compact() || held.rows.empty()) return;
  const double with_signs = cost_when_measured(held, threads, interrupt);
  auto signs = std::exchange(sketches_, std::nullopt);
  sketch(std::move(starts), kPointsOf3, threads, interrupt);
  if (!(cost_when_measured(held, threads, interrupt) < kWorth * with_signs)) sketches_ = std::move(signs);
}

// What 10 neighbours at common recalls cost by a curve of these rows, with what every query takes.
double Segment::cost_when_measured(const HeldOut& held, int threads, const Interrupt& interrupt) const {
  constexpr std::size_t kTried = 512, kNeighbours = 10;
  constexpr double kAnyway = 6000.0;
  const RecallCurve curve = measure(held, std::min(kTried, held.rows.size()), threads, interrupt);
  double cost = 0.0;
  for (const double recall : {0.9, 0.95, 0.99}) {
    const Budget budget = curve.budget_for(recall, kNeighbours);
    cost += kAnyway;
    cost += budget.probes > 0 ? cost_of(budget) : std::numeric_limits<double>::infinity();
  }
  return cost;
}

}  // namespace lookalike
