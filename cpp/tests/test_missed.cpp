// How many of the k nearest are estimated beyond the k-th smallest estimate, drawn and computed.
#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/base/missed.hpp"
#include "engine/recall/measured_share.hpp"

using namespace lookalike;

namespace {

/// The share of the k nearest of rows that grow by exp(g x) estimated more than this beyond the k-th
/// smallest, and how many are estimated within one error of it.
std::pair<double, std::size_t> missed_beyond(double errors, double growth, std::size_t k,
                                             std::mt19937& random) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const double top = std::log(8.0 * static_cast<double>(k)) / growth + growth + 4.0;
  const auto count = static_cast<std::size_t>(std::exp(growth * top));
  std::vector<std::pair<double, double>> rows;  // distance, estimate
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = top + std::log(1.0 - uniform(random)) / growth;
    rows.push_back({distance, distance + normal(random)});
  }
  std::ranges::sort(rows);
  std::vector<double> estimates;
  for (const auto& each : rows) estimates.push_back(each.second);
  std::ranges::sort(estimates);
  const double kth = estimates[k - 1];
  std::size_t missed = 0;
  for (std::size_t i = 0; i < k; ++i) missed += std::size_t{rows[i].second > kth + errors};
  const auto near = std::ranges::lower_bound(estimates, kth + 1.0) - estimates.begin();
  return {static_cast<double>(missed) / static_cast<double>(k), static_cast<std::size_t>(near)};
}

}  // namespace

TEST(half_an_error_times_the_growth_more_misses_the_share_that_is_asked_for) {
  constexpr std::size_t kNeighbours = 100;
  constexpr int kDraws = 60;
  std::mt19937 random(1);
  for (const double growth : {0.3, 0.6, 1.0})
    for (const double wanted : {0.05, 0.02}) {
      double missed = 0.0;
      for (int i = 0; i < kDraws; ++i) {
        const auto near = static_cast<std::size_t>(std::exp(growth) * double{kNeighbours});
        const float beyond = Crowd(near, kNeighbours).errors_beyond(static_cast<float>(wanted));
        missed += missed_beyond(double{beyond} + growth / 2.0, growth, kNeighbours, random).first / kDraws;
      }
      CHECK(std::abs(missed - wanted) < 0.25 * wanted + 0.004, growth, wanted, missed);
    }
}

TEST(the_less_may_be_missed_and_the_more_are_near_the_farther_candidates_lie) {
  for (const std::size_t near : {10U, 15U, 40U, 1000U}) {
    float last = -1.0F;
    for (const float missed : {1.0F, 0.3F, 0.05F, 1e-3F, 1e-6F, 0.0F}) {
      const float beyond = Crowd(near, 10).errors_beyond(missed);
      CHECK(beyond >= last && beyond >= 0.0F && beyond < 8.0F, near, missed, beyond);
      CHECK(beyond >= Crowd(near - 5, 10).errors_beyond(missed) - 1e-3F, near, missed);
      last = beyond;
    }
  }
}

TEST(the_kind_that_finds_least_counts_as_far_as_it_differs_beyond_chance) {
  const std::array<MeasuredShare, 1> one = {{{0.9, 0.0001}}};
  CHECK(std::abs(least_of(one, 1.0) - 0.89) < 1e-6);
  const std::array<MeasuredShare, 3> alike = {{{0.9, 1e-4}, {0.89, 4e-4}, {0.91, 4e-4}}};  // by chance
  CHECK(least_of(alike, 1.0) > 0.889 && least_of(alike, 1.0) < 0.9, least_of(alike, 1.0));
  const std::array<MeasuredShare, 3> unlike = {{{0.9, 1e-6}, {0.7, 1e-4}, {0.91, 1e-4}}};
  CHECK(std::abs(least_of(unlike, 1.0) - 0.69) < 0.005, least_of(unlike, 1.0));
  const std::array<MeasuredShare, 4> certain = {{{1.0, 0.0}, {1.0, 0.0}, {1.0, 0.0}, {0.44, 1e-4}}};
  CHECK(std::abs(least_of(certain, 1.0) - 0.43) < 0.005, least_of(certain, 1.0));
}
