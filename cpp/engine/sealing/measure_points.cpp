// Measuring operating points: sampled queries go from bucket to bucket until they met all their neighbours.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/rank_in.hpp"
#include "engine/recall/point_tally.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

/// The lowest so far, up to k of them, in order; NaN never counts.
class LowestEstimates {
 public:
  explicit LowestEstimates(std::size_t k) : lowest_(k, std::numeric_limits<float>::infinity()) {}

  void add(std::span<const float> estimates) {
    for (const float each : estimates) {
      if (!(each < lowest_.back())) continue;
      const auto at = lowest_.begin() + static_cast<std::ptrdiff_t>(rank_in(lowest_, each));
      std::copy_backward(at, lowest_.end() - 1, lowest_.end());
      *at = each;
    }
  }
  /// The k-th, or the last that is kept; infinite before there are as many.
  float kth(std::size_t k) const { return lowest_[std::min(k, lowest_.size()) - 1]; }

 private:
  std::vector<float> lowest_;
};

void append_below(std::span<const float> values, float limit, std::vector<float>& kept) {
  std::size_t size = kept.size();
  kept.resize(size + values.size());
  for (const float value : values) {
    kept[size] = value;
    size += std::size_t{value < limit};
  }
  kept.resize(size);
}

std::size_t most_neighbours(const Sample& sample) {
  return std::ranges::max_element(sample.truths, {}, &std::vector<Found>::size)->size();
}

}  // namespace

OperatingPoints::Levels Measurer::measure_points(std::span<const Sample> kinds, std::size_t most,
                                                 std::span<const std::size_t> levels) const {
  const HitModel& model = router_.hits();
  if (model.empty()) return {};
  const float error = this->error();
  PointTally::ByLevel usual{};
  const std::vector<Course> some = courses(kinds.front(), tuning::kCoursesLearned.front());
  PointTally::ByLevel errors{};
  for (const std::size_t level : levels) {
    usual[level] = PointTally::usual(some, level);
    errors[level] = PointTally::error(some, level, error);
  }
  std::vector<PointTally> tallies;
  for (const Sample& sample : kinds) {
    const std::size_t count = std::min(most, sample.queries.count);
    const std::size_t every =
        tallies.empty() ? std::max<std::size_t>(1, count / tuning::kQueriesWithCandidates) : count;
    PointTally tally(model, errors, usual, most_neighbours(sample));
    std::mutex tally_mutex;
    const std::size_t piece = piece_of(count, tuning::kPieceForThread, threads_);
    parallel_for(count, piece, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
      Scratch scratch;
      PointTally mine(model, errors, usual, most_neighbours(sample));
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t q = i * sample.queries.count / count;  // of every part
        Course course = this->course(sample, q, error, scratch);
        const bool with_candidates = i % every == 0;
        if (with_candidates && course.ascending.empty()) course.sort_entries();
        mine.add(course, with_candidates);
      }
      const std::scoped_lock lock(tally_mutex);
      tally.add(std::move(mine));
    });
    tallies.push_back(std::move(tally));
  }
  return PointTally::points(tallies, router_.costs(segment_.originals()));
}

std::vector<Course> Measurer::courses(const Sample& sample, std::size_t most) const {
  const float error = this->error();
  std::vector<Course> courses(std::min(sample.queries.count, most));
  const std::size_t piece = piece_of(courses.size(), tuning::kPieceForThread, threads_);
  parallel_for(courses.size(), piece, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t q = i * sample.queries.count / courses.size();  // of every part
      courses[i] = course(sample, q, error, scratch);
    }
  });
  return courses;
}

// The standard error of an estimate where ‖q − c‖ is 1, a share of F (sketches.hpp): by the mean F of
// some blocks, each cut to some times the median, as a single row may be far longer than all others.
float Measurer::error() const {
  std::vector<float> factors;
  const std::size_t every = std::max<std::size_t>(1, router_.buckets() / tuning::kCountedOfMany);
  for (std::uint32_t bucket = 0; bucket < router_.buckets(); bucket += static_cast<std::uint32_t>(every)) {
    const std::uint32_t entries = std::min<std::uint32_t>(sketches_.count(bucket), SketchLayout::kEntries);
    for (std::uint32_t i = 0; i < entries; ++i) factors.push_back(sketches_.factors(bucket, i).f);
  }
  if (factors.empty()) return 0.0F;
  const auto middle = factors.begin() + static_cast<std::ptrdiff_t>(factors.size() / 2);
  std::nth_element(factors.begin(), middle, factors.end());
  const float most = tuning::kMostOfFactor * *middle;
  double sum = 0.0;
  for (const float each : factors) sum += double{std::min(each, most)};
  return tuning::kErrorPerFactor * static_cast<float>(sum / static_cast<double>(factors.size()));
}

Course Measurer::course(const Sample& sample, std::size_t number, float error, Scratch& scratch) const {
  Errand& errand = scratch.errand;
  const auto without = sample.without_of(number);
  const std::vector<Found>& truth = sample.truths[number];
  hash(router_, sample.queries.query(number), scratch);
  const RoutedSearch search(segment_);
  const std::size_t most = std::min({most_probes(), tuning::kFarthestBucket, std::size_t{router_.buckets()}});
  const bool many = truth.size() > RecallCurve::kNeighbours;
  const std::size_t first = many ? tuning::kManyOrderedAtFirst : tuning::kOrderedAtFirst;
  router_.family().order(errand.query(), std::min(first, most), scratch.hash, errand.order);

  Course course;
  course.neighbours.resize(truth.size());
  for (std::uint32_t j = 0, nearer = 0; j < truth.size(); ++j) {
    course.neighbours[j].nearer = nearer;
    nearer += course.neighbours[j].rows = rows_of(truth[j]);
  }
  struct Sought {
    std::uint32_t row, neighbour;
  };
  std::vector<Sought> sought;  // by row, which is by bucket
  for (std::uint32_t j = 0; j < truth.size(); ++j)
    sought.push_back({static_cast<std::uint32_t>(truth[j].id), j});
  std::sort(sought.begin(), sought.end(), [](Sought a, Sought b) { return a.row < b.row; });
  LowestEstimates lowest(std::clamp<std::size_t>(truth.size(), 1, RecallCurve::kNeighbours));
  Kth of_many(many ? truth.size() : 0);
  const auto note_lowest = [&] {
    for (std::size_t level = 0; level < kShallow; ++level)
      course.kth[level].push_back(lowest.kth(kMeasuredAt[level]));
  };
  note_lowest();
  course.entries_in.push_back(0);
  std::size_t met = 0;
  std::vector<float> others;
  for (std::uint32_t p = 0; p < most && met < truth.size(); ++p) {
    // they are put in order as by a search, which may know of a near one late
    if (const std::size_t horizon = std::min(Budget::horizon(Budget::phase_of(p)), most);
        horizon > errand.order.size())
      search.order_more(horizon, scratch, errand);
    if (p >= errand.order.size()) break;
    const std::uint32_t bucket = errand.order[p].bucket, begin = sketches_.first(bucket);
    estimate_bucket(sketches_, errand.order[p], errand);
    std::span<const float> estimates =
        errand.candidates.kept_estimates();  // fewer than rows if a hostile file has NaN
    const auto rows = errand.candidates.kept();
    const std::uint32_t end = begin + sketches_.count(bucket);
    // rows of a bucket follow each other
    const auto no_neighbour = std::ranges::lower_bound(without, begin);
    if (no_neighbour != without.end() && *no_neighbour < end) {
      others.assign(estimates.begin(), estimates.end());
      others.resize(estimates.size() + kept_slack);
      for (auto each = no_neighbour; each != without.end() && *each < end; ++each)
        if (const auto at = std::ranges::lower_bound(rows, *each); at != rows.end() && *at == *each)
          others[static_cast<std::size_t>(at - rows.begin())] = std::numeric_limits<float>::infinity();
      estimates = std::span(others).first(estimates.size());
    }
    lowest.add(estimates);
    of_many.push(estimates);
    note_lowest();
    const float e = many ? of_many.bound() : lowest.kth(RecallCurve::kNeighbours);
    append_below(
        estimates,
        e + tuning::kErrorsOfCourse * error * std::sqrt(std::max({errand.order.front().key, e, 0.0F})),
        course.entries);
    course.entries_in.push_back(static_cast<std::uint32_t>(course.entries.size()));
    const auto by_row = [](Sought a, std::uint32_t row) { return a.row < row; };
    for (auto each = std::lower_bound(sought.begin(), sought.end(), begin, by_row);
         each != sought.end() && each->row < end; ++each, ++met) {
      const auto found = std::lower_bound(rows.begin(), rows.end(), each->row);
      if (found != rows.end() && *found == each->row)
        course.neighbours[each->neighbour].met(estimates[static_cast<std::size_t>(found - rows.begin())], p);
    }
  }
  if (many) course.sort_entries();
  course.order = errand.order;
  course.entries.resize(course.entries.size() + kept_slack);  // to be counted
  return course;
}

}  // namespace lookalike
