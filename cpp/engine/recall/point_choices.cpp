#include "engine/recall/point_choices.hpp"

#include <algorithm>
#include <utility>

#include "engine/tuning.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kDegrees = Budget::kDegrees;

// As if there were one more neighbour, of which half is found (Jeffreys' prior, where k is 1), and one more
// course that differs from the mean by as much: else there were no error where all is found.
MeasuredShare share_of(double found, double squares, double courses, double k) {
  const double mean = (found + 0.5) / (courses + 1.0 / k);
  const double apart = std::max(0.0, squares - mean * (2.0 * found - courses * mean)) + 0.25,
               count = courses + 1.0;
  return {mean / k, apart / (k * k) / (count * count)};
}

}  // namespace

PointChoices::PointChoices(std::span<const PointTally> kinds, std::size_t level, RecallCurve::Costs costs)
    : level_(level), k_(static_cast<double>(kinds.front().levels_[level].k)), parts_(kinds.size()) {
  gather(kinds, level);
  for (std::size_t degree = 0; degree < kDegrees; ++degree) {
    degrees_[degree].choices = choices(degree, costs);
    degrees_[degree].way = PointTally::left().size();
  }
}

// A degree that too few queries have is as the next; of those beyond all that have enough nothing counts.
void PointChoices::gather(std::span<const PointTally> kinds, std::size_t level) {
  std::array<double, kDegrees> ending{};
  for (const PointTally& kind : kinds)
    kind.levels_[level].each_course([&](const PointTally::Ends& ends) { ++ending[ends.degree]; });
  std::array<std::size_t, kDegrees> as{};
  double few = 0.0;
  for (std::size_t degree = 0; degree < kDegrees; ++degree) {
    few += ending[degree];
    as[degree] = kDegrees;
    if (few < enough_queries(level)) continue;
    for (std::size_t lower = degree + 1; lower-- > 0 && as[lower] == kDegrees;) as[lower] = degree;
    few = 0.0;
  }
  for (std::size_t kind = 0; kind < kinds.size(); ++kind)
    kinds[kind].levels_[level].each_course([&](const PointTally::Ends& ends) {
      if (as[ends.degree] == kDegrees) return;
      Passing course{kind, as[ends.degree], as[ends.degree], {}, ends};
      for (std::size_t degree = kDegrees; degree-- > 0;) {
        if (as[degree] == kDegrees) continue;
        auto& at = course.at[as[degree]];
        const auto more = ends.at[degree];
        if (at.size() < more.size())
          at.insert(at.end(), more.begin() + static_cast<std::ptrdiff_t>(at.size()), more.end());
      }
      Part& last = parts_[kind][course.last];
      ++last.courses;
      last.costs.resize(PointTally::left().size());
      last.with_candidates += ends.candidates.empty() ? 0.0 : 1.0;
      for (std::size_t way = 0; way < last.costs.size(); ++way) {
        const std::size_t end = course.at[course.last][way];
        last.costs[way].probes += static_cast<double>(ends.found[end].probes);
        if (ends.candidates.empty()) continue;
        for (std::size_t step = 0; step < kSteps; ++step)
          last.costs[way].candidates[step] += static_cast<double>(ends.candidates[end][step]);
      }
      for (std::size_t degree = course.last; degree < kDegrees; ++degree) count(course, degree, 1.0);
      courses_.push_back(std::move(course));
    });
}

void PointChoices::count(const Passing& course, std::size_t degree, double times) {
  const auto& at = course.at[degree];
  std::vector<Way>& ways = parts_[course.kind][degree].ways;
  if (ways.size() < at.size()) ways.resize(PointTally::left().size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    Way& way = ways[i];
    way.courses += times;
    const auto& found = course.ends.found[at[i]].neighbours;
    for (std::size_t step = 0; step < kSteps; ++step) {
      const auto one = static_cast<double>(found[step]);
      way.found[step] += times * one;
      way.squares[step] += times * one * one;
    }
  }
}

// It counts at this degree and at those above, where it may end instead.
void PointChoices::end_at(Passing& course, std::size_t degree) {
  for (; course.end < degree; ++course.end) count(course, course.end, -1.0);
  while (course.end > degree) count(course, --course.end, 1.0);
}

std::vector<PointChoices::Choice> PointChoices::choices(std::size_t degree, RecallCurve::Costs costs) const {
  const double some = enough_queries(level_);
  Part all;
  const Part* part = nullptr;
  for (const auto& kind : parts_) {
    const Part& each = kind[degree];
    if (part == nullptr && each.courses >= some) part = &each;
    all.courses += each.courses;
    all.with_candidates += each.with_candidates;
    all.costs.resize(std::max(all.costs.size(), each.costs.size()));
    for (std::size_t way = 0; way < each.costs.size(); ++way) {
      all.costs[way].probes += each.costs[way].probes;
      for (std::size_t step = 0; step < kSteps; ++step)
        all.costs[way].candidates[step] += each.costs[way].candidates[step];
    }
  }
  if (part == nullptr) part = &all;
  std::vector<Choice> choices;
  for (std::size_t way = 0; way < part->costs.size(); ++way)
    for (std::size_t step = 0; step < kSteps; ++step) {
      const double probes = part->costs[way].probes / part->courses;
      const double rerank =
          std::max(part->costs[way].candidates[step] / std::max(1.0, part->with_candidates), k_);
      choices.push_back({probes * costs.probe + rerank * costs.rerank,
                         way,
                         step,
                         {0.0F, PointTally::left()[way], PointTally::missed()[step],
                          static_cast<float>(probes), static_cast<float>(rerank)}});
    }
  std::ranges::stable_sort(choices, {}, &Choice::cost);
  return choices;
}

// What the kind finds that finds least, of those of which enough end there; few of several kinds count
// together.
double PointChoices::recall(std::size_t degree, std::size_t way, std::size_t step, double wanted) {
  const double some = enough_queries(level_);
  double courses = 0.0, found = 0.0, squares = 0.0;
  shares_.clear();
  for (const auto& kind : parts_) {
    if (kind[degree].ways.empty()) continue;
    const Way& each = kind[degree].ways[way];
    if (each.courses >= some) {
      shares_.push_back(share_of(each.found[step], each.squares[step], each.courses, k_));
    } else {
      courses += each.courses, found += each.found[step], squares += each.squares[step];
    }
  }
  if (courses >= some) shares_.push_back(share_of(found, squares, courses, k_));
  // Where a query finds all or nothing, or few are missed, some of many points seem by chance to find more
  // than they do.
  return least_of(shares_,
                  level_ == 0 || wanted > tuning::kFewMissed ? tuning::kErrorsOfFew : tuning::kErrors);
}

// The cheapest choice that has the recall; if none, that which finds most. None where too few come so far.
void PointChoices::choose(std::size_t degree, double wanted) {
  Degree& here = degrees_[degree];
  double courses = 0.0;
  for (const auto& kind : parts_)
    if (!kind[degree].ways.empty()) courses += kind[degree].ways.back().courses;
  if (courses < enough_queries(level_)) {
    here.way = PointTally::left().size();
    return;
  }
  const auto take = [&](std::size_t number, double recall) {
    here.way = here.choices[number].way;
    OperatingPoints::Point point = here.choices[number].point;
    point.recall = static_cast<float>(recall);
    if (point.recall > (here.points.empty() ? 0.0F : here.points.back().recall)) here.points.push_back(point);
  };
  for (; here.next < here.choices.size(); ++here.next) {
    const Choice& choice = here.choices[here.next];
    const double recall = this->recall(degree, choice.way, choice.step, wanted);
    if (recall >= wanted) {
      take(here.next, recall);
      return;
    }
    if (recall > here.best_recall) here.best = here.next, here.best_recall = recall;
  }
  if (here.best_recall > 0.0) take(here.best, here.best_recall);
}

// Of queries farther than all that were measured no recall is known. For many neighbours few queries are
// measured: there they count as the last degree that was.
OperatingPoints::Points PointChoices::beyond(const OperatingPoints::Points& last) const {
  if (last.empty() || level_ >= kShallow) return last;
  OperatingPoints::Point most = last.back();
  most.recall = Budget::kUnknown;
  return {most};
}

std::array<OperatingPoints::Points, Budget::kDegrees> PointChoices::points() {
  std::vector<bool> ended(courses_.size());
  for (const double wanted : tuning::kRecallsChosen) {
    ended.assign(courses_.size(), false);
    for (std::size_t degree = kDegrees; degree-- > 0;) {
      choose(degree, wanted);
      for (std::size_t i = 0; i < courses_.size(); ++i) {
        Passing& course = courses_[i];
        if (ended[i] || degree < course.last) continue;
        if (degree == course.last || degrees_[degree].way < course.at[degree].size()) {
          end_at(course, degree);
          ended[i] = true;
        } else if (course.end == degree) {
          end_at(course, course.last);
        }
      }
    }
  }
  std::array<OperatingPoints::Points, kDegrees> points;
  for (std::size_t degree = 0; degree < kDegrees; ++degree)
    points[degree] = std::move(degrees_[degree].points);
  for (std::size_t degree = kDegrees - 1; degree-- > 0;)
    if (points[degree].empty()) points[degree] = points[degree + 1];
  for (std::size_t degree = 1; degree < kDegrees; ++degree)
    if (points[degree].empty()) points[degree] = beyond(points[degree - 1]);
  return points;
}

}  // namespace lookalike
