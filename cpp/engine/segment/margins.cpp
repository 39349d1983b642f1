#include "engine/segment/margins.hpp"

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

Budget Margins::budget_for(double recall, double k) const {
  if (!BetweenMeasured::covers(k)) return {};
  const BetweenMeasured between(k);
  const Step* few = cheapest(levels_[between.lower], recall);
  const Step* many = cheapest(levels_[between.upper], recall);
  if (few == nullptr || many == nullptr) return {};
  const auto between_them = [&](float Step::* value) {
    return std::lerp(few->*value, many->*value, static_cast<float>(between.part));
  };
  Budget budget;
  budget.probes = static_cast<std::uint32_t>(std::lround(std::max(1.0F, between_them(&Step::probes))));
  budget.rerank = static_cast<std::uint32_t>(std::lround(between_them(&Step::rerank)));
  budget.recall = std::lerp(double{few->recall}, double{many->recall}, between.part);
  budget.probe_margin = between_them(&Step::probe_margin);
  budget.probe_cap = between_them(&Step::probe_cap);
  budget.candidate_cap = between_them(&Step::candidate_cap);
  budget.typical = between_them(&Step::typical);
  return budget;
}

}  // namespace lookalike
