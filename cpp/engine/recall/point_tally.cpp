#include "engine/recall/point_tally.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/base/candidates.hpp"
#include "engine/base/rank_in.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

// Of k, so much may be left.
const std::vector<float>& shares_left() {
  static const std::vector<float> shares = [] {
    std::vector<float> all;
    for (int i = 0; i <= tuning::kOctavesLeft * tuning::kLeftPerOctave; ++i)
      all.push_back(std::exp2(-static_cast<float>(i) / float{tuning::kLeftPerOctave}));
    return all;
  }();
  return shares;
}

}  // namespace

const std::array<float, PointTally::kSteps>& PointTally::missed() {
  static const std::array<float, kSteps> all = [] {
    std::array<float, kSteps> steps;
    for (std::size_t i = 0; i < kSteps; ++i)
      steps[i] = std::exp2(-static_cast<float>(i) / tuning::kMissedPerOctave);
    return steps;
  }();
  return all;
}

float PointTally::usual(std::span<const Course> courses, std::size_t level) {
  std::vector<float> kth;
  for (const Course& course : courses) kth.push_back(course.kth_after(level, course.visited()));
  if (kth.empty()) return Budget::kEndless;
  const auto at =
      kth.begin() + static_cast<std::ptrdiff_t>(tuning::kNearlyAll * static_cast<double>(kth.size()));
  std::nth_element(kth.begin(), at, kth.end());
  return std::max(*at, std::numeric_limits<float>::min());
}

float PointTally::error(std::span<const Course> courses, std::size_t level, float error) {
  constexpr float kLeast = 1.0F, kMost = 8.0F;
  constexpr int kSteps = 12;
  const auto missed = [&](float times) {
    double beyond = 0.0, all = 0.0;
    for (const Course& course : courses) {
      const float kth = course.kth_after(level, course.visited());
      if (!std::isfinite(kth)) continue;
      const float one = times * error * std::sqrt(std::max({kth, course.order.front().key, 0.0F}));
      const std::size_t near =
          kernels().count_below(course.entries.data(), course.entries_in.back(), kth + one);
      const float most = kth + one * Crowd(near, kMeasuredAt[level]).errors_beyond(tuning::kMissedForError);
      for (const Course::Neighbour& each : course.neighbours_at(level)) {
        if (each.bucket == Course::kNever) continue;
        ++all;
        if (each.estimate > most) ++beyond;
      }
    }
    return beyond / std::max(all, 1.0);
  };
  float low = kLeast, high = kMost;
  for (int i = 0; i < kSteps; ++i) {
    const float middle = std::sqrt(low * high);
    (missed(middle) > double{tuning::kMissedForError} ? low : high) = middle;
  }
  return high * error;
}

PointTally::PointTally(const HitModel& model, const ByLevel& errors, const ByLevel& usual,
                       std::size_t most_neighbours)
    : model_(&model), errors_(errors), usual_(usual), most_neighbours_(most_neighbours) {
  for (std::size_t level = 0; level < levels_.size(); ++level)
    if (usual_[level] > 0.0F && std::isfinite(usual_[level]))
      for (Part& part : levels_[level]) {
        part.ways.resize(shares_left().size());
        part.k = static_cast<double>(std::min(kMeasuredAt[level], most_neighbours_));
      }
}

void PointTally::add(const Course& course, bool with_candidates) {
  for (std::size_t level = 0; level < levels_.size(); ++level)
    if (!levels_[level][0].ways.empty() &&
        course.neighbours.size() >= std::min(kMeasuredAt[level], most_neighbours_))
      add(course, level, with_candidates);
}

// How many of the k nearest rows are found in the first so many buckets, and the candidates there.
PointTally::Found PointTally::found(const Course& course, std::size_t level, std::size_t probes,
                                    bool with_candidates) const {
  Found found{};
  const float kth = course.kth_after(level, probes);
  const bool all = !std::isfinite(kth);  // fewer than k
  Budget one;
  one.error = errors_[level];
  const float error = all ? 0.0F : one.error_at(kth, course.order.front().key);
  const auto entries = std::span(course.entries).first(course.entries_in[std::min(probes, course.visited())]);
  const std::size_t near =
      all ? 0 : kernels().count_below(course.entries.data(), entries.size(), kth + error);
  static const Crowd::Beyond beyond(missed());
  std::array<float, kSteps> most;
  beyond.of(Crowd(near, kMeasuredAt[level]), most);
  for (float& each : most) each = all ? kth : kth + error * each;
  const auto step_of = [&](float estimate) {  // the first that it is within: without a branch
    static_assert(std::has_single_bit(kSteps));
    std::size_t step = 0;
    for (std::size_t half = kSteps / 2; half > 0; half /= 2)
      step += half * std::size_t{most[step + half - 1] < estimate};
    return step + std::size_t{most[step] < estimate};
  };
  // Of many neighbours and candidates one in so many stands for all.
  const std::size_t every = std::max<std::size_t>(1, kMeasuredAt[level] / tuning::kCountedOfMany);
  const auto stands_for = static_cast<double>(every);
  const auto k = static_cast<std::size_t>(levels_[level][0].k);
  const auto neighbours = course.neighbours_at(level);
  for (std::size_t i = every / 2; i < neighbours.size(); i += every)
    if (const Course::Neighbour& each = neighbours[i]; each.bucket < probes)
      if (const std::size_t step = step_of(each.estimate); step < kSteps)
        found.share[step] += stands_for * static_cast<double>(each.among(k));
  if (with_candidates) {
    std::size_t step = 0;
    for (std::size_t i = every / 2; i < course.ascending.size(); i += every) {
      const Course::Entry& each = course.ascending[i];
      while (step < kSteps && each.estimate > most[step]) ++step;
      if (step == kSteps) break;
      found.candidates[step] += each.bucket < probes ? stands_for : 0.0;
    }
  }
  std::partial_sum(found.share.begin(), found.share.end(), found.share.begin());
  for (double& each : found.share) each = std::min(each, static_cast<double>(k));
  std::partial_sum(found.candidates.begin(), found.candidates.end(), found.candidates.begin());
  return found;
}

void PointTally::add(const Course& course, std::size_t level, bool with_candidates) {
  const float e = course.kth_after(level, course.visited());
  const std::size_t degree = Budget::degree(e, usual_[level]);
  if (degree + 1 == Budget::kDegrees && std::isfinite(e)) far_[level].push_back(e);
  Part& part = levels_[level][degree];
  ++part.courses;
  if (with_candidates) ++part.with_candidates;
  const float most_e = Budget::goes_on(level) ? Budget::kEndless : usual_[level] * Budget::most_times(degree);
  const std::vector<float> left_to = course.left_to(level, most_e, *model_, room_);
  std::size_t last = 0;
  Found found{};
  for (std::size_t i = 0; i < part.ways.size(); ++i) {
    const std::size_t probes = rank_in(left_to, -shares_left()[i]);
    if (probes != last) found = this->found(course, level, probes, with_candidates);
    last = probes;
    Way& way = part.ways[i];
    way.probes += static_cast<double>(probes);
    for (std::size_t step = 0; step < kSteps; ++step) {
      way.found[step] += found.share[step];
      way.squares[step] += found.share[step] * found.share[step];
    }
    if (!with_candidates) continue;
    for (std::size_t step = 0; step < kSteps; ++step) way.candidates[step] += found.candidates[step];
  }
}

void PointTally::Part::add(const Part& other) {
  const auto sum = [](BySteps& mine, const BySteps& its) {
    for (std::size_t i = 0; i < kSteps; ++i) mine[i] += its[i];
  };
  courses += other.courses;
  with_candidates += other.with_candidates;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    ways[i].probes += other.ways[i].probes;
    sum(ways[i].found, other.ways[i].found);
    sum(ways[i].squares, other.ways[i].squares);
    sum(ways[i].candidates, other.ways[i].candidates);
  }
}

MeasuredShare PointTally::Part::recall(std::size_t way, std::size_t step) const {
  const double one = k - 0.5, count = courses + 1.0;
  const double mean = (ways[way].found[step] + one) / count;
  const double square = (ways[way].squares[step] + one * one) / count;
  return {mean / k, std::max(0.0, square - mean * mean) / (k * k) / count};
}

void PointTally::add(const PointTally& other) {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (std::size_t degree = 0; degree < levels_[level].size(); ++degree)
      levels_[level][degree].add(other.levels_[level][degree]);
    far_[level].insert(far_[level].end(), other.far_[level].begin(), other.far_[level].end());
  }
}

// The kinds of queries of which some are of this degree; few of several kinds count together.
std::vector<const PointTally::Part*> PointTally::groups(std::span<const PointTally> kinds, std::size_t level,
                                                        std::size_t degree, Part& others) {
  const double some = enough_queries(level);
  std::vector<const Part*> groups;
  others = {};
  others.ways.resize(kinds.front().levels_[level][degree].ways.size());
  others.k = kinds.front().levels_[level][degree].k;
  for (const PointTally& kind : kinds) {
    const Part& part = kind.levels_[level][degree];
    if (part.courses >= some)
      groups.push_back(&part);
    else
      others.add(part);
  }
  if (others.courses >= some) groups.push_back(&others);
  return groups;
}

// The more buckets, the more is found; and as many errors as lose hardly any of it, of no kind, so that what
// is found depends on the kind as little as may be.
OperatingPoints::Points PointTally::points(std::span<const Part* const> groups, std::size_t k,
                                           RecallCurve::Costs costs) {
  // Where a query finds all or nothing, some of many points seem by chance to find more than they do.
  const double errors = k <= tuning::kFewNeighbours ? tuning::kErrorsOfFew : tuning::kErrors;
  const Part& first = *groups.front();
  std::vector<std::pair<double, OperatingPoints::Point>> all;
  std::vector<MeasuredShare> shares;
  for (std::size_t i = 0; i < first.ways.size(); ++i)
    for (std::size_t step = 0; step < kSteps; ++step) {
      shares.clear();
      for (const Part* part : groups) shares.push_back(part->recall(i, step));
      const double recall = least_of(shares, errors);
      const double probes = first.ways[i].probes / first.courses;
      const double rerank = std::max(first.ways[i].candidates[step] / std::max(1.0, first.with_candidates),
                                     static_cast<double>(k));
      if (recall > 0.0)
        all.push_back({probes * costs.probe + rerank * costs.rerank,
                       {static_cast<float>(recall), shares_left()[i], missed()[step],
                        static_cast<float>(probes), static_cast<float>(rerank)}});
    }
  std::ranges::stable_sort(all, {}, [](const auto& each) { return each.first; });
  OperatingPoints::Points best;
  for (const auto& [cost, point] : all)
    if (best.empty() || point.recall > best.back().recall) best.push_back(point);
  return best;
}

// Of queries farther than all that were measured no recall is known. For many neighbours few queries are
// measured: there they count as the last degree that was.
OperatingPoints::Points PointTally::beyond(const OperatingPoints::Points& last, std::size_t level) {
  if (last.empty() || level >= kShallow) return last;
  OperatingPoints::Point most = last.back();
  most.recall = Budget::kUnknown;
  return {most};
}

// The last degree has no end of its own. It is known of those up to twice as far as some that were measured,
// since the other degrees are as wide.
float PointTally::farthest(std::span<const PointTally> kinds, std::size_t level) {
  const auto some = static_cast<std::ptrdiff_t>(enough_queries(level));
  std::vector<float> far;
  for (const PointTally& kind : kinds)
    far.insert(far.end(), kind.far_[level].begin(), kind.far_[level].end());
  if (std::ssize(far) < some) return Budget::kEndless;
  std::ranges::nth_element(far, far.begin() + some - 1, std::greater());
  return 2.0F * far[static_cast<std::size_t>(some - 1)];
}

// A degree that too few queries have is as the next.
OperatingPoints::Levels PointTally::points(std::span<const PointTally> kinds, RecallCurve::Costs costs) {
  const PointTally& rows = kinds.front();
  OperatingPoints::Levels levels;
  for (std::size_t at = 0; at < levels.size(); ++at) {
    if (rows.levels_[at][0].ways.empty()) continue;
    OperatingPoints::Level& level = levels[at];
    level.error = rows.errors_[at];
    level.usual_e = rows.usual_[at];
    level.farthest_e = farthest(kinds, at);
    for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
      Part others;
      const std::vector<const Part*> groups = PointTally::groups(kinds, at, degree, others);
      if (!groups.empty()) level.points[degree] = points(groups, kMeasuredAt[at], costs);
    }
    for (std::size_t degree = Budget::kDegrees - 1; degree-- > 0;)
      if (level.points[degree].empty()) level.points[degree] = level.points[degree + 1];
    for (std::size_t degree = 1; degree < Budget::kDegrees; ++degree)
      if (level.points[degree].empty()) level.points[degree] = beyond(level.points[degree - 1], at);
  }
  return levels;
}

}  // namespace lookalike
