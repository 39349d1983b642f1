// What margins are worth: counted over courses, and chosen for a recall.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/recall/margin_tally.hpp"
#include "engine/recall/margins.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kBuckets = 40, kEach = 30, kNeighbours = 100, kCourses = 300;

struct Walk {  // estimates of rows by bucket, and which of them are neighbours
  Course course;
  std::vector<std::vector<float>> estimates;
};

/// Buckets at growing distances, rows about as far as their centres, of which the nearest are neighbours but
/// for an error of their estimates. Some queries lie far from everything.
Walk walk(std::mt19937& random) {
  std::normal_distribution<float> normal;
  const float away = random() % 4 == 0 ? 3.0F : 0.0F;
  Walk walk;
  std::vector<std::pair<float, Course::Neighbour>> rows;  // by true distance
  for (std::uint32_t p = 0; p < kBuckets; ++p) {
    walk.course.centres.push_back(1.0F + away + 0.1F * static_cast<float>(p));
    auto& estimates = walk.estimates.emplace_back();
    for (std::size_t i = 0; i < kEach; ++i) {
      const float truth = walk.course.centres[p] + 1.0F + 0.5F * normal(random);
      estimates.push_back(truth + 0.2F * normal(random));
      rows.push_back({truth, {estimates.back(), p}});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t j = 0; j < kNeighbours; ++j) walk.course.neighbours.push_back(rows[j].second);

  std::vector<float> seen;
  for (std::uint32_t p = 0; p <= kBuckets; ++p) {
    for (std::size_t level = 0; level < kMeasuredAt.size(); ++level) {
      const std::size_t k = kMeasuredAt[level];
      auto sorted = seen;
      std::sort(sorted.begin(), sorted.end());
      walk.course.kth[level].push_back(seen.size() < k ? Budget::kEndless : sorted[k - 1]);
    }
    walk.course.rows.push_back(static_cast<std::uint32_t>(seen.size()));
    walk.course.entries_in.push_back(static_cast<std::uint32_t>(seen.size()));
    if (p == kBuckets) break;
    seen.insert(seen.end(), walk.estimates[p].begin(), walk.estimates[p].end());
    walk.course.entries = seen;
  }
  return walk;
}

const std::vector<Walk>& walks() {
  static const auto all = [] {
    std::mt19937 random(1);
    std::vector<Walk> made;
    for (std::size_t i = 0; i < kCourses; ++i) made.push_back(walk(random));
    return made;
  }();
  return all;
}

const Margins& measured() {
  static const Margins margins = [] {
    std::vector<Course> courses;
    for (const Walk& each : walks()) courses.push_back(each.course);
    Ways ways;
    for (std::size_t level = 0; level < kMeasuredAt.size(); ++level)
      ways.levels[level] = Ways::worthwhile(courses, level);
    MarginTally one(ways, kBuckets * kEach), other(ways, kBuckets * kEach);
    for (std::size_t i = 0; i < courses.size(); ++i) (i % 3 == 0 ? one : other).add(courses[i]);
    one.add(other);
    return one.margins({100.0, 10.0});
  }();
  return margins;
}

struct Took {
  double recall = 0, probes = 0, candidates = 0;
};

/// A search by the rule of Budget, one bucket after the other.
Took search(const Walk& walk, std::size_t k, const Margins::Step& step) {
  std::vector<float> seen;
  float e = Budget::kEndless;
  std::size_t probes = 0, phase = 2;
  const auto farness = [&] { return std::max(1.0F, e / step.typical); };
  for (std::size_t p = 0; p < kBuckets; ++p) {
    if (p == phase) {
      std::vector<float> sorted = seen;
      std::sort(sorted.begin(), sorted.end());
      e = seen.size() < k ? Budget::kEndless : sorted[k - 1];
      phase = 2 * p;
    }
    const double most = double{step.probe_cap} * std::pow(double{farness()}, 3.0);
    if (walk.course.centres[p] > e + step.probe_margin || static_cast<double>(p) >= std::floor(most)) break;
    seen.insert(seen.end(), walk.estimates[p].begin(), walk.estimates[p].end());
    ++probes;
  }
  std::sort(seen.begin(), seen.end());
  e = seen.size() < k ? Budget::kEndless : seen[k - 1];
  const double most = double{step.candidate_cap} * std::pow(double{farness()}, 2.0);
  const auto kept = static_cast<std::size_t>(std::min(std::floor(most), static_cast<double>(seen.size())));
  Took took{0, static_cast<double>(probes), static_cast<double>(kept)};
  const std::size_t nearer = k > MarginTally::kAllCount ? k / 2 : 0;  // these do not count
  for (std::size_t j = nearer; j < k; ++j) {
    const Course::Neighbour& neighbour = walk.course.neighbours[j];
    const auto rank = std::lower_bound(seen.begin(), seen.end(), neighbour.estimate) - seen.begin();
    if (neighbour.bucket < probes && static_cast<std::size_t>(rank) < kept) took.recall += 1.0;
  }
  took.recall /= static_cast<double>(k - nearer);
  return took;
}

}  // namespace

TEST(margins_find_and_cost_what_was_counted) {
  for (std::size_t level = 0; level < kMeasuredAt.size(); ++level) {
    const auto& steps = measured().levels()[level];
    CHECK(steps.size() > 5 && Margins::make_sense(steps), steps.size());
    for (const Margins::Step& step : steps) {
      Took sum;
      for (const Walk& each : walks()) {
        const Took took = search(each, kMeasuredAt[level], step);
        sum.recall += took.recall, sum.probes += took.probes, sum.candidates += took.candidates;
      }
      const double share = sum.recall / kCourses;
      CHECK(double{step.recall} > less_its_error(share - 0.004, kCourses), level, step.recall, share);
      CHECK(double{step.recall} < less_its_error(std::min(1.0, share + 0.004), kCourses) + 1e-6, level,
            step.recall, share);
      CHECK(std::abs(sum.probes / kCourses - double{step.probes}) < 0.05, level, step.probes, sum.probes);
      // of which each query has a whole number
      CHECK(std::abs(sum.candidates / kCourses - double{step.rerank}) < 1.0, level, step.rerank);
    }
  }
}

TEST(the_cheapest_margins_that_have_the_recall_are_taken) {
  for (std::size_t level = 0; level < kMeasuredAt.size(); ++level) {
    const auto& steps = measured().levels()[level];
    for (const double recall : {0.5, 0.8, 0.9, 0.95, 0.99}) {
      const Budget budget = measured().budget_for(recall, static_cast<double>(kMeasuredAt[level]));
      const auto taken = std::find_if(steps.begin(), steps.end(),
                                      [&](const auto& step) { return double{step.recall} == budget.recall; });
      CHECK(taken != steps.end() && budget.recall >= recall, recall, budget.recall);
      CHECK(taken == steps.begin() || double{(taken - 1)->recall} < recall);  // one step less is too little
      CHECK(budget.by_margins() && budget.probe_margin == taken->probe_margin);
    }
  }
}

TEST(between_the_measured_k_margins_lie_between_theirs) {
  const Budget few = measured().budget_for(0.9, 10.0), many = measured().budget_for(0.9, 30.0);
  const Budget between = measured().budget_for(0.9, 17.0);
  CHECK(between.typical > few.typical && between.typical < many.typical);
  CHECK(between.recall >= 0.9);
}

TEST(no_margins_reach_a_recall_or_k_that_was_not_measured) {
  CHECK(measured().budget_for(0.9, 100.0).probes > 0);
  const Budget all = measured().budget_for(0.9, 100.0), ten = measured().budget_for(0.9, 10.0);
  const Budget tenth = measured().budget_for(0.9, 10.0, 0.1);  // as deep as a hundred of all
  CHECK(tenth.probes == all.probes && tenth.probe_margin == all.probe_margin && tenth.recall == all.recall);
  CHECK(tenth.typical == all.typical && tenth.probe_cap == all.probe_cap);
  CHECK(tenth.rerank <= all.rerank && tenth.rerank >= std::min(all.rerank, ten.rerank));
  CHECK(tenth.candidate_cap <= all.candidate_cap && tenth.dense_margin == ten.probe_margin);
  Budget last = tenth;
  for (double share = 0.09; share > 0.01; share *= 0.9) {
    const Budget deeper = measured().budget_for(0.8, 10.0, share);
    CHECK(deeper.probes > 0 && deeper.recall >= 0.8 &&
          deeper.typical >= measured().budget_for(0.8, 100.0).typical);
    last = deeper;
  }
  CHECK(last.probes >= measured().budget_for(0.8, 100.0).probes);
  CHECK(measured().budget_for(0.9, 10.0, 0.0099).probes == 0);
  CHECK(measured().budget_for(0.9, 101.0, 0.9).probes == 0);
  CHECK(measured().budget_for(0.9, 100.5).probes == 0);
  CHECK(measured().budget_for(1.1, 10.0).probes == 0);
  CHECK(Margins().empty() && Margins().budget_for(0.9, 10.0).probes == 0);
}

TEST(far_queries_may_go_farther) {
  Budget budget;
  budget.probe_cap = 4.0F, budget.candidate_cap = 20.0F, budget.typical = 2.0F;
  CHECK(budget.most_probes(0.5F) == 4 && budget.most_candidates(0.5F) == 20);
  CHECK(budget.most_probes(2.0F) == 4 && budget.most_candidates(2.0F) == 20);
  CHECK(budget.most_probes(4.0F) == 32 && budget.most_candidates(4.0F) == 80);
  CHECK(budget.most_probes(Budget::kEndless) > 1'000'000'000);
  CHECK(budget.most_probes(-1.0F) == 4);  // estimates may be negative
}
