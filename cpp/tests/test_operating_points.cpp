// What operating points are worth: counted over courses, and chosen for a recall.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/base/candidates.hpp"
#include "engine/recall/operating_points.hpp"
#include "engine/recall/point_tally.hpp"
#include "kernels/kernels.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kBuckets = 40, kEach = 30, kNeighbours = 300, kCourses = 300;
constexpr std::size_t kLevels = kShallow + 1;
constexpr float kError = 0.15F;

struct Walk {  // estimates of rows by bucket, and which of them are neighbours
  Course course;
  std::vector<std::vector<float>> estimates;
};

float kth_of(std::vector<float> estimates, std::size_t k) {
  if (estimates.size() < k) return Budget::kEndless;
  const auto kth = estimates.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(estimates.begin(), kth, estimates.end());
  return *kth;
}

/// Buckets at growing distances, rows about as far as their centres, of which the nearest are neighbours but
/// for an error of their estimates. Some queries lie far from everything.
Walk walk(std::mt19937& random) {
  std::normal_distribution<float> normal;
  const float away = random() % 4 == 0 ? 3.0F : 0.0F;
  Walk walk;
  std::vector<std::pair<float, Course::Neighbour>> rows;  // by true distance
  for (std::uint32_t p = 0; p < kBuckets; ++p) {
    walk.course.order.push_back({1.0F + away + 0.1F * static_cast<float>(p), p});
    auto& estimates = walk.estimates.emplace_back();
    for (std::size_t i = 0; i < kEach; ++i) {
      const float truth = walk.course.order[p].key + 1.0F + 0.5F * normal(random);
      estimates.push_back(truth + 0.2F * normal(random));
      rows.push_back({truth, {estimates.back(), p}});
    }
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t j = 0; j < kNeighbours; ++j) walk.course.neighbours.push_back(rows[j].second);

  std::vector<float> seen;
  for (std::uint32_t p = 0; p <= kBuckets; ++p) {
    for (std::size_t level = 0; level < kShallow; ++level)
      walk.course.kth[level].push_back(kth_of(seen, kMeasuredAt[level]));
    walk.course.entries_in.push_back(static_cast<std::uint32_t>(seen.size()));
    if (p == kBuckets) break;
    seen.insert(seen.end(), walk.estimates[p].begin(), walk.estimates[p].end());
  }
  walk.course.entries = seen;
  walk.course.entries.resize(seen.size() + kept_slack);
  walk.course.sort_entries();
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

/// The farther a bucket, the fewer hits.
const HitModel& model() {
  static const HitModel hits = [] {
    HitTerms terms{{-9.0F, -9.0F, -9.0F, -9.0F}, {9.0F, 9.0F, 9.0F, 9.0F}, {}, {1.0F, 1.0F, 1.0F, 1.0F}, {}};
    terms.terms[0] = -1.0F, terms.terms[1] = -4.0F, terms.terms[4] = -0.2F;
    return HitModel(std::vector<HitModel::Bucket>(kBuckets, {1.0F, float{kEach}}), terms);
  }();
  return hits;
}

const PointTally::ByLevel& usual() {
  static const PointTally::ByLevel all = [] {
    std::vector<Course> courses;
    for (const Walk& each : walks()) courses.push_back(each.course);
    PointTally::ByLevel made{};
    for (std::size_t level = 0; level < kLevels; ++level) made[level] = PointTally::usual(courses, level);
    return made;
  }();
  return all;
}

PointTally tally_of(std::size_t every, std::size_t first) {
  PointTally::ByLevel errors;
  errors.fill(kError);
  PointTally tally(model(), errors, usual(), kNeighbours);
  for (std::size_t i = first; i < walks().size(); i += every) tally.add(walks()[i].course, true);
  return tally;
}

using Choice = std::array<OperatingPoints::Point, Budget::kDegrees>;  // by degree

const OperatingPoints& measured() {
  static const OperatingPoints points([] {
    PointTally one = tally_of(2, 0);
    one.add(tally_of(2, 1));
    return PointTally::points(std::span(&one, 1), {100.0, 10.0});
  }());
  return points;
}

struct Took {
  double recall = 0, probes = 0, candidates = 0;
  std::size_t degree = 0;  // where it decided to end
};

/// A search by the rule of Budget.
Took search(const Walk& walk, std::size_t level, const Choice& choice) {
  const std::size_t k = kMeasuredAt[level];
  std::vector<float> seen;
  HitModel::Room room;
  std::size_t probes = 0;
  bool searching = true;
  float decided = Budget::kEndless;
  for (std::size_t begin = 0; begin < kBuckets && searching; begin = Budget::phase_end(begin)) {
    std::size_t end = std::min(kBuckets, Budget::phase_end(begin));
    const float e = kth_of(seen, k);
    if (std::isfinite(e)) {
      decided = e;
      const float left = choice[Budget::degree(e, usual()[level])].left;
      const auto some = std::span(walk.course.order).first(std::min(kBuckets, Budget::horizon(begin)));
      const auto of_k = static_cast<float>(k);
      const auto hits = model().expect(some, e, usual()[level], room);
      const std::size_t last = enough(hits, begin, of_k, left * of_k, 0.0F);
      searching = last >= end;
      end = std::min(end, last);
    }
    for (; probes < end; ++probes)
      seen.insert(seen.end(), walk.estimates[probes].begin(), walk.estimates[probes].end());
  }
  const float e = kth_of(seen, k);
  const std::size_t degree = Budget::degree(std::isfinite(decided) ? decided : e, usual()[level]);
  const auto within = [&](float limit) {
    return static_cast<std::size_t>(std::ranges::count_if(seen, [=](float each) { return each < limit; }));
  };
  Budget budget;
  budget.error = kError;
  const float error = std::isfinite(e) ? budget.error_at(e, walk.course.order.front().key) : 0.0F;
  const float limit = e + error * Crowd(within(e + error), k).errors_beyond(choice[degree].missed) + 1e-6F;
  Took took{0, static_cast<double>(probes), static_cast<double>(within(limit)), degree};
  for (std::size_t j = 0; j < k; ++j) {
    const Course::Neighbour& neighbour = walk.course.neighbours[j];
    if (neighbour.bucket < probes && neighbour.estimate < limit) took.recall += 1.0;
  }
  took.recall /= static_cast<double>(k);
  return took;
}

/// What is chosen for a recall, by degree; what finds most where none has it.
Choice choice_for(const OperatingPoints& of, std::size_t level, double recall) {
  Choice choice;
  for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
    const auto& points = of.levels()[level].points[degree];
    const auto at =
        std::ranges::lower_bound(points, static_cast<float>(recall), {}, &OperatingPoints::Point::recall);
    choice[degree] = at == points.end() ? points.back() : *at;
  }
  return choice;
}

constexpr std::size_t kEnough = 24;
constexpr std::array kWanted = {0.5, 0.7, 0.8, 0.9, 0.95, 0.98};

}  // namespace

TEST(of_each_degree_a_choice_finds_what_was_counted) {
  std::size_t passing = 0;  // that end at a higher degree than they might
  for (std::size_t level = 0; level < kLevels; ++level) {
    CHECK(OperatingPoints::make_sense(measured().levels()[level]), level);
    Choice all;
    all.fill({1.0F, 0.0F, 1.0F, 1.0F, 1.0F});
    for (const double recall : kWanted) {
      const Choice choice = choice_for(measured(), level, recall);
      std::array<std::vector<double>, Budget::kDegrees> found;
      for (const Walk& each : walks()) {
        const Took took = search(each, level, choice);
        found[took.degree].push_back(took.recall);
        if (search(each, level, all).degree < took.degree) ++passing;
      }
      for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
        if (found[degree].size() < kEnough) continue;
        // one neighbour more, of which half is found, and one course more that differs by as much
        const auto k = static_cast<double>(kMeasuredAt[level]),
                   count = static_cast<double>(found[degree].size());
        double sum = 0.5 / k, squares = 0.25 / (k * k);
        for (const double each : found[degree]) sum += each;
        const double share = sum / (count + 1.0 / k);
        for (const double each : found[degree]) squares += (each - share) * (each - share);
        const double error = std::sqrt(squares) / (count + 1.0);
        const double errors = level == 0 ? 1.75 : 0.75;
        CHECK(std::abs(double{choice[degree].recall} - (share - errors * error)) < 0.004, level, degree,
              recall, choice[degree].recall, share - errors * error);
      }
    }
  }
  CHECK(passing > 0);
}

TEST(of_each_degree_a_choice_costs_what_was_counted) {
  for (std::size_t level = 0; level < kLevels; ++level)
    for (const double recall : kWanted)
      for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
        const OperatingPoints::Point point = choice_for(measured(), level, recall)[degree];
        Choice only;  // none ends before
        only.fill({1.0F, 0.0F, 1.0F, 1.0F, 1.0F});
        only[degree] = point;
        double probes = 0, candidates = 0, count = 0;
        for (const Walk& each : walks()) {
          Choice none = only;
          none[degree].left = 0.0F;
          if (search(each, level, none).degree != degree) continue;
          const Took took = search(each, level, only);
          probes += took.probes, candidates += took.candidates, ++count;
        }
        if (count < double{kEnough}) continue;
        CHECK(std::abs(probes / count - double{point.probes}) < 0.05, level, degree, recall, point.probes,
              probes / count);
        CHECK(std::abs(candidates / count - double{point.rerank}) < 1.0, level, degree, recall, point.rerank,
              candidates / count);
      }
}

TEST(of_several_kinds_no_more_is_said_than_each_finds) {
  const std::array kinds = {tally_of(2, 0), tally_of(2, 1)};
  const OperatingPoints both(PointTally::points(kinds, {100.0, 10.0}));
  for (const double recall : kWanted) {
    const Choice choice = choice_for(both, 2, recall);
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      double found = 0, count = 0;
      for (std::size_t i = kind; i < walks().size(); i += 2) {
        const Took took = search(walks()[i], 2, choice);
        if (took.degree == 0) found += took.recall, ++count;
      }
      CHECK(double{choice[0].recall} <= found / count + 0.004, recall, choice[0].recall, found / count);
    }
  }
}

TEST(the_cheapest_choice_that_has_the_recall_is_between_two_points) {
  for (std::size_t level = 0; level < kLevels; ++level)
    for (const double recall : {0.5, 0.8, 0.9, 0.95}) {
      const Budget budget = measured().budget_for(recall, static_cast<double>(kMeasuredAt[level]));
      CHECK(budget.by_hits() && budget.recall >= recall, budget.recall);
      for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
        const auto& points = measured().levels()[level].points[degree];
        const Budget::Limits& limits = budget.limits[degree];
        const auto above =
            std::ranges::lower_bound(points, static_cast<float>(recall), {}, &OperatingPoints::Point::recall);
        if (above == points.end() || above == points.begin()) {
          const auto& taken = above == points.end() ? points.back() : points.front();
          CHECK(limits.recall == taken.recall && limits.missed == taken.missed, level, degree);
          continue;
        }
        const auto below = above - 1;
        CHECK(double{limits.recall} >= recall && limits.recall <= std::nextafter(above->recall, 2.0F),
              degree);
        CHECK(limits.missed >= 0.999F * std::min(below->missed, above->missed) &&
                  limits.missed <= 1.001F * std::max(below->missed, above->missed),
              level, degree);
        CHECK(limits.left <= 1.001F * std::max(below->left, above->left), level, degree);
      }
    }
}

TEST(beyond_the_measured_k_the_less_is_left_the_more_neighbours_are_wanted) {
  const Budget most = measured().budget_for(0.9, 300.0);
  Budget last = most;
  for (const double k : {301.0, 500.0, 1000.0, 3000.0}) {
    const Budget budget = measured().budget_for(0.9, k);
    CHECK(budget.probes >= last.probes && budget.rerank >= last.rerank && budget.recall >= 0.9, k);
    CHECK(budget.usual_e > last.usual_e, k);
    for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
      const Budget::Limits &here = budget.limits[degree], &there = most.limits[degree];
      CHECK(std::abs(double{here.left} * k / (300.0 * double{there.left}) - 1.0) < 1e-3, k, degree);
      CHECK(std::abs(double{here.missed} * k / (300.0 * double{there.missed}) - 1.0) < 1e-3, k, degree);
    }
    last = budget;
  }
  for (const double k : {3001.0, 10'000.0}) CHECK(measured().budget_for(0.9, k).probes == 0, k);
}

TEST(between_the_measured_k_budgets_lie_between_theirs) {
  const Budget few = measured().budget_for(0.9, 10.0), many = measured().budget_for(0.9, 30.0);
  const Budget between = measured().budget_for(0.9, 17.0);
  const auto left = [](const Budget& budget) { return budget.limits[0].left; };
  CHECK(left(between) >= std::min(left(few), left(many)) && left(between) <= std::max(left(few), left(many)));
  CHECK(between.usual_e >= few.usual_e && between.usual_e <= many.usual_e && between.recall >= 0.9);
}

TEST(where_two_k_leave_more_in_turn_the_way_goes_by_what_is_as_strict_as_both) {
  OperatingPoints::Levels levels;
  const auto level = [](float usual, float left, float missed) {
    OperatingPoints::Level all{0.1F, usual, Budget::kEndless, {}};
    all.points.fill({{0.9F, left, missed, 10.0F, 100.0F}});
    return all;
  };
  levels[0] = levels[1] = level(1.0F, 0.1F, 0.1F);
  levels[2] = level(1.0F, 0.2F, 0.01F);   // k = 10
  levels[3] = level(1.0F, 0.05F, 0.04F);  // 30
  const OperatingPoints points(std::move(levels));
  const auto at = [&](double part) { return points.budget_for(0.85, 10.0 * std::pow(3.0, part)).limits[0]; };
  const auto near = [](float a, float b) { return std::abs(a - b) <= 1e-4F * b; };
  CHECK(near(at(0.0).left, 0.2F) && near(at(0.0).missed, 0.01F));
  CHECK(near(at(0.25).left, 0.1F) && near(at(0.25).missed, 0.01F));
  CHECK(near(at(0.5).left, 0.05F) && near(at(0.5).missed, 0.01F));
  CHECK(near(at(0.75).left, 0.05F) && near(at(0.75).missed, 0.02F));
  CHECK(near(at(1.0).left, 0.05F) && near(at(1.0).missed, 0.04F));
}

TEST(where_what_is_usual_jumps_between_two_k_limits_become_stricter_without_a_jump) {
  OperatingPoints::Levels levels;
  const auto level = [](float usual) {
    OperatingPoints::Level all{0.1F, usual, Budget::kEndless, {}};
    for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree)
      all.points[degree].push_back({0.9F, 0.1F / static_cast<float>(degree + 1), 0.01F, 10.0F, 100.0F});
    return all;
  };
  levels[0] = levels[1] = levels[2] = level(1.0F);
  levels[3] = level(8.0F);
  const OperatingPoints points(std::move(levels));
  float last = points.budget_for(0.85, 10.0).limits[0].left, least = last;
  CHECK(last == 0.1F);
  for (double k = 10.0; k < 30.0; k *= 1.01) {
    const float left = points.budget_for(0.85, k).limits[0].left;
    CHECK(left <= 0.1001F && left < 1.1F * last && left > 0.9F * last, k, left, last);
    last = left;
    least = std::min(least, left);
  }
  CHECK(least < 0.06F && last > 0.09F, least, last);
}

TEST(of_a_share_of_the_rows_a_query_goes_as_far_as_for_more_neighbours) {
  const Budget all = measured().budget_for(0.9, 10.0);
  std::uint32_t last = 0;
  for (const double share : {1.0, 0.5, 0.1, 1.0 / 30.0, 0.01}) {
    const Budget some = measured().budget_for(0.9, 10.0, share),
                 deeper = measured().budget_for(0.9, 10.0 / share);
    for (const Budget& least : {all, deeper}) {
      CHECK(some.limits[0].left <= least.limits[0].left && some.limits[0].missed <= least.limits[0].missed,
            share);
      CHECK(some.error >= least.error && some.usual_e >= least.usual_e, share);
    }
    CHECK(some.probes >= last && some.probes > 0, share);
    last = some.probes;
  }
  for (const double share : {0.003, 0.0001})
    CHECK(measured().budget_for(0.9, 10.0, share).probes == 0, share);
}

TEST(of_a_share_of_the_rows_no_more_is_said_than_is_known_of_more_neighbours) {
  OperatingPoints::Levels levels = measured().levels();
  const std::size_t deep = std::ranges::find(kMeasuredAt, 300U) - kMeasuredAt.begin();
  for (OperatingPoints::Points& points : levels[deep].points)
    for (OperatingPoints::Point& each : points) each.recall *= 0.9F;
  const OperatingPoints points(std::move(levels));
  CHECK(points.budget_for(0.85, 30.0, 0.1).probes > 0);
  CHECK(points.budget_for(0.95, 30.0).probes > 0);
  CHECK(points.budget_for(0.95, 30.0, 0.1).probes == 0);
}

TEST(no_point_reaches_a_recall_that_was_not_measured) {
  CHECK(measured().budget_for(1.1, 10.0).probes == 0);
  CHECK(OperatingPoints().empty() && OperatingPoints().budget_for(0.9, 10.0).probes == 0);
}

TEST(the_farther_a_query_is_from_the_rows_the_higher_its_degree) {
  CHECK(Budget::degree(0.0F, 2.0F) == 0 && Budget::degree(-1.0F, 2.0F) == 0 &&
        Budget::degree(2.0F, 2.0F) == 0);
  CHECK(Budget::degree(2.1F, 2.0F) == 1 && Budget::degree(4.0F, 2.0F) == 1 &&
        Budget::degree(4.1F, 2.0F) == 2);
  CHECK(Budget::degree(1e30F, 2.0F) == Budget::kDegrees - 1);
  Budget budget;
  budget.usual_e = 2.0F;
  budget.limits = {{{0.3F, 0.1F, 0.95F}, {0.2F, 0.02F, 0.9F}, {0.1F, 0.3F, 0.92F}, {}, {0.4F, 0.3F, 0.8F}}};
  CHECK(budget.recall_at(1.0F, 1.0F) == double{0.95F} && budget.recall_at(3.0F, 1.0F) == double{0.9F});
  CHECK(budget.recall_at(3.0F, Budget::kEndless) == 1.0);  // there are no k
  Budget partly = budget;
  partly.level_limits(0.0F);
  CHECK(partly.limits[0].left == 0.3F && partly.limits[1].missed == 0.02F &&
        partly.limits[2].recall == 0.92F);
  CHECK(partly.limits[3].left == 0.1F);  // there is no part of what has no end
  partly = budget;
  partly.level_limits(0.5F);
  CHECK(std::abs(partly.limits[0].left - std::sqrt(0.3F * 0.1F)) < 1e-6F);
  CHECK(std::abs(partly.limits[0].recall - (0.95F + 0.8F) / 2.0F) < 1e-6F);
  budget.level_limits();
  for (const Budget::Limits& each : budget.limits)
    CHECK(each.left == 0.1F && each.missed == 0.02F && each.recall == 0.8F);
}
