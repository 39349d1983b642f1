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
void Segment::choose_sketches(Array<std::uint32_t> starts, std::span<const std::uint32_t> sampled,
                              int threads, const Interrupt& interrupt) {
  constexpr std::size_t kTried = 128;
  constexpr double kWorth = 0.95;  // what costs more memory must be faster beyond the error of a trial
  sketch(starts, kSigns, threads, interrupt);
  if (!projection_.isometric() || form_.compact() || sampled.empty()) return;
  std::vector<std::uint32_t> tried;  // neighbours in their order are like each other
  for (std::size_t i = 0; i < std::min(kTried, sampled.size()); ++i)
    tried.push_back(sampled[i * sampled.size() / std::min(kTried, sampled.size())]);
  const double with_signs = cost_when_measured(tried, threads, interrupt);
  auto signs = std::exchange(sketches_, std::nullopt);
  sketch(std::move(starts), kPointsOf3, threads, interrupt);
  if (!(cost_when_measured(tried, threads, interrupt) < kWorth * with_signs)) sketches_ = std::move(signs);
}

// What 10 neighbours at common recalls cost by a curve of these rows.
double Segment::cost_when_measured(std::span<const std::uint32_t> sampled, int threads,
                                   const Interrupt& interrupt) {
  constexpr std::size_t kNeighbours = 10;
  measure_held_out(sampled, threads, interrupt);
  double cost = 0.0;
  for (const double recall : {0.9, 0.95}) {
    const Budget budget = curve_.budget_for(recall, kNeighbours);
    cost += budget.probes > 0 ? cost_of(budget) : std::numeric_limits<double>::infinity();
  }
  return cost;
}

}  // namespace lookalike
