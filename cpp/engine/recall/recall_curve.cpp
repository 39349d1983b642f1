#include "engine/recall/recall_curve.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/tuning.hpp"

namespace lookalike {
namespace {

std::uint32_t geometric_mean(std::uint32_t a, std::uint32_t b, double part) {
  return static_cast<std::uint32_t>(std::lround(std::exp(std::lerp(std::log(a), std::log(b), part))));
}

// The last step of the grid that is not above the value, or none.
std::size_t steps_within(const std::vector<std::uint32_t>& grid, std::uint32_t value) {
  return static_cast<std::size_t>(std::upper_bound(grid.begin(), grid.end(), value) - grid.begin());
}

// The first step that reranks k candidates: fewer never are.
std::size_t steps_below(const std::vector<std::uint32_t>& grid, std::size_t k) {
  return static_cast<std::size_t>(std::lower_bound(grid.begin(), grid.end(), k) - grid.begin());
}

}  // namespace

std::vector<std::uint32_t> RecallCurve::grid(std::size_t steps) {
  std::vector<std::uint32_t> values;
  for (std::uint32_t value = 1; values.size() < steps; value += std::max(1U, value / 8))
    values.push_back(value);
  return values;
}

std::vector<std::uint32_t> RecallCurve::grid_up_to(std::size_t most) {
  std::vector<std::uint32_t> values = grid(kMostSteps / 2);
  const auto end = std::lower_bound(values.begin(), values.end(), most);
  values.resize(std::min(values.size(), static_cast<std::size_t>(end - values.begin()) + 1));
  return values;
}

RecallCurve::RecallCurve(Column<float> recalls, std::size_t probe_steps, std::size_t rerank_steps,
                         Costs costs, float narrowing, OperatingPoints points)
    : recalls_(std::move(recalls)),
      narrowing_(narrowing),
      points_(std::move(points)),
      probes_(grid(probe_steps)),
      reranks_(grid(rerank_steps)) {
  for (std::size_t i = 0; i < kShallow; ++i) frontiers_[i] = frontier(i, costs);
}

// Ties in cost cannot be told apart by the user; the one with the higher recall comes last and stays.
std::vector<RecallCurve::Step> RecallCurve::frontier(std::size_t i, Costs costs) const {
  std::vector<std::pair<double, Step>> all;
  for (std::size_t p = 0; p < probes_.size(); ++p)
    for (std::size_t r = steps_below(reranks_, kMeasuredAt[i]); r < reranks_.size(); ++r)
      if (at(i, p, r) > 0)  // not NaN either
        all.push_back(
            {probes_[p] * costs.probe + reranks_[r] * costs.rerank, {at(i, p, r), probes_[p], reranks_[r]}});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Step> steps;
  for (const auto& [cost, step] : all)
    if (steps.empty() || step.recall > steps.back().recall) steps.push_back(step);
  return steps;
}

const RecallCurve::Step* RecallCurve::cheapest(std::size_t i, double recall) const {
  const auto& steps = frontiers_[i];
  const auto found = std::lower_bound(
      steps.begin(), steps.end(), recall,
      [](const Step& step, double wanted) { return static_cast<double>(step.recall) < wanted; });
  return found == steps.end() ? nullptr : &*found;
}

Budget RecallCurve::budget_for(double recall, double k, double share) const {
  if (!points_.empty()) {
    Budget budget = points_.budget_for(recall, k, share);
    budget.narrowing = narrowing_;
    return budget;
  }
  const double depth = k / share;
  if (!covers(depth) || recalls_.size() == 0) return {};
  const auto [lower, upper, part] = BetweenMeasured(depth, kShallow);
  const Step* few = cheapest(lower, recall);
  const Step* many = cheapest(upper, recall);
  if (few == nullptr || many == nullptr) return {};
  const std::uint32_t probes = geometric_mean(few->probes, many->probes, part);
  const std::uint32_t rerank = geometric_mean(few->rerank, many->rerank, part);
  return {probes, rerank, std::lerp(double{few->recall}, double{many->recall}, part), narrowing_};
}

Budget RecallCurve::budget_of(std::uint32_t probes, double k) const {
  const std::size_t p = steps_within(probes_, probes);
  Budget budget{probes, 0, recall_of(probes, std::numeric_limits<std::uint32_t>::max(), k), narrowing_};
  if (p == 0 || reranks_.empty() || !covers(k)) {
    budget.rerank = static_cast<std::uint32_t>(
        std::min(1e9, tuning::kCandidatesPerNeighbour * k + tuning::kMoreCandidates));
    return budget;
  }
  const std::size_t upper = BetweenMeasured(k, kShallow).upper;
  std::size_t r = std::min(steps_below(reranks_, kMeasuredAt[upper]), reranks_.size() - 1);
  while (r + 1 < reranks_.size() &&
         at(upper, p - 1, r) < tuning::kShareOfCandidates * at(upper, p - 1, reranks_.size() - 1))
    ++r;
  budget.rerank = reranks_[r];
  budget.recall = recall_of(probes, budget.rerank, k);
  return budget;
}

double RecallCurve::recall_of(std::uint32_t probes, std::uint32_t rerank, double k) const {
  const std::size_t p = steps_within(probes_, probes);
  const std::size_t r = steps_within(reranks_, rerank);
  if (!covers(k) || p == 0 || r == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto [lower, upper, part] = BetweenMeasured(k, kShallow);
  return std::lerp(double{at(lower, p - 1, r - 1)}, double{at(upper, p - 1, r - 1)}, part);
}

}  // namespace lookalike
