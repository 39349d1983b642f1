#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "check.hpp"
#include "engine/recall/recall_curve.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kProbeSteps = 12, kRerankSteps = 36;
constexpr RecallCurve::Costs kCosts{100.0, 10.0};
constexpr std::size_t kLevels = kShallow;

/// Grows with probes and candidates, and falls with k.
float recall(std::size_t level, std::size_t p, std::size_t r) {
  const double met = 1 - std::exp(-0.4 * static_cast<double>(p + 1));
  const double ranked = 1 - std::exp(-0.5 * static_cast<double>(r + 1) / static_cast<double>(level + 1));
  return static_cast<float>(met * ranked);
}

std::vector<float> table() {
  std::vector<float> recalls;
  for (std::size_t level = 0; level < kLevels; ++level)
    for (std::size_t p = 0; p < kProbeSteps; ++p)
      for (std::size_t r = 0; r < kRerankSteps; ++r) recalls.push_back(recall(level, p, r));
  return recalls;
}

RecallCurve curve() {
  return {Column(table()), kProbeSteps, kRerankSteps, kCosts};
}

double cost(std::uint32_t probes, std::uint32_t rerank) {
  return probes * kCosts.probe + rerank * kCosts.rerank;
}

}  // namespace

TEST(the_grid_grows_by_an_eighth) {
  const auto grid = RecallCurve::grid(RecallCurve::kMostSteps / 2);
  CHECK(grid[0] == 1 && grid[7] == 8 && grid[15] == 16 && grid[16] == 18);
  for (std::size_t i = 1; i < grid.size(); ++i) CHECK(grid[i] == grid[i - 1] + std::max(1U, grid[i - 1] / 8));
  for (const std::size_t most : {1U, 2U, 17U, 18U, 1000U, 32768U}) {
    const auto up_to = RecallCurve::grid_up_to(most);
    CHECK(up_to.back() >= most && (up_to.size() == 1 || up_to[up_to.size() - 2] < most), most);
    CHECK(std::equal(up_to.begin(), up_to.end(), grid.begin()));
    const GridSteps steps(most);
    CHECK(std::ranges::equal(steps.values(), up_to), most);
    for (std::uint32_t number = 0; number <= up_to.back() + 2; ++number) {
      const auto reaching = std::lower_bound(up_to.begin(), up_to.end(), number) - up_to.begin();
      CHECK(steps.reaching(number) == static_cast<std::size_t>(reaching), most, number);
    }
  }
}

TEST(the_cheapest_budget_of_the_table_that_has_the_recall_is_taken) {
  const RecallCurve curve = ::curve();
  const auto probes = RecallCurve::grid(kProbeSteps), reranks = RecallCurve::grid(kRerankSteps);
  for (std::size_t level = 0; level < kLevels; ++level)
    for (const double wanted : {1e-6, 0.1, 0.5, 0.8, 0.9, 0.95, 0.98}) {
      double cheapest = std::numeric_limits<double>::infinity();
      for (std::size_t p = 0; p < kProbeSteps; ++p)
        for (std::size_t r = 0; r < kRerankSteps; ++r)
          if (double{recall(level, p, r)} >= wanted && reranks[r] >= kMeasuredAt[level])
            cheapest = std::min(cheapest, cost(probes[p], reranks[r]));
      const Budget budget = curve.budget_for(wanted, static_cast<double>(kMeasuredAt[level]));
      if (std::isinf(cheapest)) {
        CHECK(budget.probes == 0, level, wanted);
        continue;
      }
      CHECK(budget.recall >= wanted && cost(budget.probes, budget.rerank) == cheapest, level, wanted);
      CHECK(budget.recall ==
            curve.recall_of(budget.probes, budget.rerank, static_cast<double>(kMeasuredAt[level])));
    }
}

TEST(between_the_measured_k_the_budget_lies_between_theirs) {
  const RecallCurve curve = ::curve();
  for (const double wanted : {0.5, 0.8, 0.9}) {
    Budget last = curve.budget_for(wanted, 1.0);
    for (double k = 1.0; k <= 100.0; k *= 1.1) {
      const Budget budget = curve.budget_for(wanted, k);
      CHECK(budget.recall >= wanted, k);
      CHECK(cost(budget.probes, budget.rerank) + 60.0 >= cost(last.probes, last.rerank), k);  // rounding
      last = budget;
    }
  }
}

TEST(beyond_what_was_measured_there_is_no_budget) {
  const RecallCurve curve = ::curve();
  CHECK(curve.budget_for(0.5, 100.0).probes > 0);
  CHECK(curve.budget_for(0.5, 100.5).probes == 0);
  CHECK(curve.budget_for(0.999, 10.0).probes == 0);
  CHECK(std::isnan(curve.recall_of(5, 5, 101.0)));
  CHECK(std::isnan(curve.budget_of(5, 101.0).recall) && curve.budget_of(5, 101.0).rerank >= 1010);
  CHECK(RecallCurve().budget_for(0.5, 1.0).probes == 0);
  CHECK(std::isnan(RecallCurve().recall_of(5, 5, 1.0)) && RecallCurve().budget_of(5, 10.0).rerank >= 100);
}

TEST(probes_that_were_given_bring_the_candidates_they_deserve) {
  const RecallCurve curve = ::curve();
  for (const double k : {1.0, 3.0, 10.0, 100.0})
    for (const std::uint32_t probes : {1U, 5U, 12U, 1000U}) {
      const Budget budget = curve.budget_of(probes, k);
      const double most = curve.recall_of(probes, std::numeric_limits<std::uint32_t>::max(), k);
      CHECK(budget.probes == probes && budget.recall >= 0.997 * most && budget.recall <= most, k, probes);
      CHECK(budget.recall == curve.recall_of(probes, budget.rerank, k));
    }
}

TEST(a_step_between_two_of_the_grid_counts_as_the_lower) {
  const RecallCurve curve = ::curve();
  CHECK(curve.recall_of(1, 19, 1.0) == double{recall(0, 0, 16)});  // of 18
  CHECK(curve.recall_of(13, 1, 3.0) == double{recall(1, 11, 0)});
  CHECK(std::isnan(curve.recall_of(0, 5, 1.0)) && std::isnan(curve.recall_of(5, 0, 1.0)));
}

TEST(a_curve_that_makes_no_sense_still_gives_a_budget_or_none) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (const float value : {nan, inf, -inf, -1.0F, 0.0F, 7.0F})
    for (const std::size_t probe_steps : {0U, 1U, 256U})
      for (const std::size_t rerank_steps : {0U, 1U, 256U}) {
        const RecallCurve curve(Column(std::vector<float>(kLevels * probe_steps * rerank_steps, value)),
                                probe_steps, rerank_steps, kCosts);
        for (const double k : {1.0, 5.0, 100.0, 1e9}) {
          const Budget budget = curve.budget_for(0.9, k);
          CHECK((budget.probes == 0) == (budget.rerank == 0));
          for (const std::uint32_t probes : {1U, 2U, 0xFFFFFFFFU})
            CHECK(curve.budget_of(probes, k).rerank >= 1);
        }
      }
}
