#include "engine/recall/point_tally.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/base/candidates.hpp"
#include "engine/recall/point_choices.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
const std::vector<float>& PointTally::left() {
  static const std::vector<float> shares = [] {
    std::vector<float> all;
    for (int i = 0; i <= tuning::kOctavesLeft * tuning::kLeftPerOctave; ++i)
      all.push_back(std::exp2(-static_cast<float>(i) / float{tuning::kLeftPerOctave}));
    return all;
  }();
  return shares;
}

const std::array<float, PointTally::kSteps>& PointTally::missed() {
  static const std::array<float, kSteps> all = [] {
    std::array<float, kSteps> steps;
    float octaves = 0.0F;
    for (std::size_t i = 0; i < kSteps; ++i) {
      steps[i] = std::exp2(-octaves);
      octaves += i < tuning::kFineMissed ? 1.0F / tuning::kMissedPerOctave : tuning::kCoarseMissed;
    }
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
    : model_(&model) {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (!(usual[level] > 0.0F && std::isfinite(usual[level]))) continue;
    Level& here = levels_[level];
    here.error = errors[level];
    here.usual = usual[level];
    here.k = std::min(kMeasuredAt[level], most_neighbours);
  }
}

void PointTally::add(const Course& course, bool with_candidates) {
  for (std::size_t level = 0; level < levels_.size(); ++level)
    if (levels_[level].k > 0 && course.neighbours.size() >= levels_[level].k)
      add(course, level, with_candidates);
}

void PointTally::add(const Course& course, std::size_t level, bool with_candidates) {
  const auto degree_of = [&](float e) { return Budget::degree(e, levels_[level].usual); };
  const float kth = course.kth_after(level, course.visited());
  AllEnds& all = levels_[level].parts.front();
  AllEnds::Sizes sizes;
  const auto end_here = [&] {
    all.at.push_back(static_cast<std::uint16_t>(sizes.found - 1));
    ++sizes.at[sizes.degree];
  };
  sizes.degree = degree_of(kth);  // as of a search that knows no e before
  course.phases(level, *model_, levels_[level].usual, room_,
                [&](std::size_t begin, float e, std::span<const float> left) {
                  sizes.degree = degree_of(e);
                  const std::size_t& ways = sizes.at[sizes.degree];
                  for (std::size_t i = 0; i < left.size(); ++i)
                    while (ways < PointTally::left().size() && left[i] <= PointTally::left()[ways]) {
                      note(course, level, begin + i, with_candidates, sizes);
                      end_here();
                    }
                });
  note(course, level, course.order.size(), with_candidates, sizes);
  while (sizes.at[sizes.degree] < left().size()) end_here();
  all.sizes.push_back(sizes);
  if (sizes.degree + 1 == Budget::kDegrees && std::isfinite(kth)) levels_[level].far.push_back(kth);
}

// How many of the k nearest rows are found in the first so many buckets, and the candidates there.
void PointTally::note(const Course& course, std::size_t level, std::size_t probes, bool with_candidates,
                      AllEnds::Sizes& sizes) {
  AllEnds& all_ends = levels_[level].parts.front();
  if (sizes.found > 0 && all_ends.found.back().probes == probes) return;
  const float kth = course.kth_after(level, probes);
  const bool all = !std::isfinite(kth);  // fewer than k
  Budget one;
  one.error = levels_[level].error;
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
  const std::size_t k = levels_[level].k;
  std::array<std::size_t, kSteps> found{};
  const auto neighbours = course.neighbours_at(level);
  for (std::size_t i = every / 2; i < neighbours.size(); i += every)
    if (const Course::Neighbour& each = neighbours[i]; each.bucket < probes)
      if (const std::size_t step = step_of(each.estimate); step < kSteps)
        found[step] += every * each.among(k);
  ++sizes.found;
  Found& sums = all_ends.found.emplace_back(Found{static_cast<std::uint32_t>(probes), {}});
  for (std::size_t step = 0, sum = 0; step < kSteps; ++step)
    sums.neighbours[step] = static_cast<std::uint16_t>(std::min(sum += found[step], k));
  if (!with_candidates) return;
  ++sizes.candidates;
  Candidates& candidates = all_ends.candidates.emplace_back();
  std::size_t step = 0;
  for (std::size_t i = every / 2; i < course.ascending.size(); i += every) {
    const Course::Entry& each = course.ascending[i];
    while (step < kSteps && each.estimate > most[step]) ++step;
    if (step == kSteps) break;
    candidates[step] += each.bucket < probes ? static_cast<std::uint32_t>(every) : 0U;
  }
  std::partial_sum(candidates.begin(), candidates.end(), candidates.begin());
}

void PointTally::AllEnds::shrink() {
  sizes.shrink_to_fit();
  at.shrink_to_fit();
  found.shrink_to_fit();
  candidates.shrink_to_fit();
}

void PointTally::add(PointTally&& other) {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    Level& here = levels_[level];
    Level& more = other.levels_[level];
    for (AllEnds& part : more.parts) {
      part.shrink();
      here.parts.push_back(std::move(part));
    }
    here.far.insert(here.far.end(), more.far.begin(), more.far.end());
  }
}

// The last degree has no end of its own. It is known of those up to twice as far as some that were measured,
// since the other degrees are as wide.
float PointTally::farthest(std::span<const PointTally> kinds, std::size_t level) {
  const auto some = static_cast<std::ptrdiff_t>(enough_queries(level));
  std::vector<float> far;
  for (const PointTally& kind : kinds)
    far.insert(far.end(), kind.levels_[level].far.begin(), kind.levels_[level].far.end());
  if (std::ssize(far) < some) return Budget::kEndless;
  std::ranges::nth_element(far, far.begin() + some - 1, std::greater());
  return 2.0F * far[static_cast<std::size_t>(some - 1)];
}

OperatingPoints::Levels PointTally::points(std::span<const PointTally> kinds, RecallCurve::Costs costs) {
  OperatingPoints::Levels levels;
  for (std::size_t at = 0; at < levels.size(); ++at) {
    const Level& rows = kinds.front().levels_[at];
    if (rows.k > 0)
      levels[at] = {rows.error, rows.usual, farthest(kinds, at), PointChoices(kinds, at, costs).points()};
  }
  return levels;
}

}  // namespace lookalike
