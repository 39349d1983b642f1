#include "engine/recall/margins.hpp"

#include <algorithm>
#include <cmath>

namespace lookalike {
namespace {

const Margins::Step* cheapest(const std::vector<Margins::Step>& steps, double recall) {
  const auto found = std::lower_bound(
      steps.begin(), steps.end(), recall,
      [](const Margins::Step& step, double wanted) { return static_cast<double>(step.recall) < wanted; });
  return found == steps.end() ? nullptr : &*found;
}

}  // namespace

Budget Margins::Step::budget() const {
  Budget budget;
  budget.probes = static_cast<std::uint32_t>(std::lround(std::max(1.0F, probes)));
  budget.rerank = static_cast<std::uint32_t>(std::lround(rerank));
  budget.recall = double{recall};
  budget.probe_margin = probe_margin;
  budget.probe_cap = probe_cap;
  budget.candidate_cap = candidate_cap;
  budget.typical = typical;
  return budget;
}

bool Margins::make_sense(std::span<const Step> steps) {
  const auto positive = [](float value) { return value > 0.0F && value < 4e9F; };
  float last = 0.0F;
  for (const Step& step : steps) {
    if (!(step.recall > last && step.recall <= 1.0F) || !std::isfinite(step.probe_margin) ||
        !(step.typical > 0.0F && std::isfinite(step.typical)) || !positive(step.probe_cap) ||
        !positive(step.candidate_cap) || !positive(step.probes) || !positive(step.rerank))
      return false;
    last = step.recall;
  }
  return true;
}

// The k nearest of a share of the rows lie as deep as k / share among all would, but only that share of the
// rows above them competes to be candidates. Beyond what was measured a higher recall is asked for.
Budget Margins::budget_for(double recall, double k, double share) const {
  constexpr double kSpare = 1.25;
  const double depth = k / share;
  if (!BetweenMeasured::covers(k) || depth > kDeepest) return {};
  const double beyond = std::max(1.0, depth / static_cast<double>(kMeasuredAt.back()));
  Budget budget = budget_at(1.0 - (1.0 - recall) / std::sqrt(beyond), depth);
  if (depth == k || budget.probes == 0) return budget;
  const Budget of_all = budget_at(recall, k);
  if (of_all.probes == 0) return {};
  const auto compete = [&](auto among_all, auto at_least) {
    const auto some = static_cast<decltype(among_all)>(kSpare * share * static_cast<double>(among_all));
    return std::min(among_all, std::max(some, at_least));
  };
  budget.rerank = compete(budget.rerank, of_all.rerank);
  budget.candidate_cap = compete(budget.candidate_cap, of_all.candidate_cap);
  budget.dense_margin = of_all.probe_margin;
  return budget;
}

Budget Margins::budget_at(double recall, double depth) const {
  const BetweenMeasured between(depth);
  const Step* few = cheapest(levels_[between.lower], recall);
  const Step* many = cheapest(levels_[between.upper], recall);
  if (few == nullptr || many == nullptr) return {};
  const auto part = static_cast<float>(between.part);
  const auto between_them = [&](float Step::* value) { return std::lerp(few->*value, many->*value, part); };
  // Beyond, they grow by powers of the depth.
  const auto in_proportion = [&](float Step::* value) {
    return part <= 1.0F ? between_them(value)
                        : many->*value * std::pow(std::max(1.0F, many->*value / few->*value), part - 1.0F);
  };
  const auto whole = [](float value) { return static_cast<std::uint32_t>(std::clamp(value, 1.0F, 4e9F)); };
  Budget budget;
  budget.probes = whole(std::round(in_proportion(&Step::probes)));
  budget.rerank = whole(std::round(in_proportion(&Step::rerank)));
  budget.recall = std::lerp(double{few->recall}, double{many->recall}, std::min(between.part, 1.0));
  budget.probe_margin = between_them(&Step::probe_margin);
  budget.probe_cap = in_proportion(&Step::probe_cap);
  budget.candidate_cap = in_proportion(&Step::candidate_cap);
  budget.typical = in_proportion(&Step::typical);
  return budget;
}

}  // namespace lookalike
