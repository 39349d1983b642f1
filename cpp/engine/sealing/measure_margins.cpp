// Measuring margins: sampled queries go from bucket to bucket until they met all their neighbours.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/rank_in.hpp"
#include "engine/recall/margin_tally.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

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

}  // namespace

Margins Measurer::measure_margins(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                                  const Truths& truths, std::span<const std::size_t> levels) const {
  constexpr std::size_t kToChoose = 512, kCoursesAtOnce = 8;
  constexpr float kErrors = 3.5F;  // an estimate's standard error is about 0.6 F ‖q − c‖ (sketches.hpp)
  if (!segment_.shape().family->ordered_by_distance) return {};
  const float most_error = kErrors * mean_factor();
  const auto course = [&](std::size_t i, Scratch& scratch) {
    return this->course(queries.query(i), own_rows.empty() ? kNoRow : own_rows[i], truths[i], most_error,
                        scratch);
  };
  std::vector<Course> first(std::min(queries.count, kToChoose));
  parallel_for(first.size(), kCoursesAtOnce, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    for (std::size_t i = begin; i < end; ++i) first[i] = course(i, scratch);
  });
  Ways ways;
  for (const std::size_t level : levels) ways.levels[level] = Ways::worthwhile(first, level);
  MarginTally tally(ways, std::min(segment_.originals(), kMostCandidates));
  for (const Course& each : first) tally.add(each);
  std::mutex tally_mutex;
  parallel_for(queries.count - first.size(), kQueriesAtOnce, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 Scratch scratch;
                 MarginTally mine(ways, std::min(segment_.originals(), kMostCandidates));
                 for (std::size_t i = begin; i < end; ++i) mine.add(course(first.size() + i, scratch));
                 const std::scoped_lock lock(tally_mutex);
                 tally.add(mine);
               });
  return tally.margins(router_.costs(segment_.originals()));
}

// The mean F of a thousand blocks.
float Measurer::mean_factor() const {
  double sum = 0.0, count = 0.0;
  const std::size_t every = std::max<std::size_t>(1, router_.buckets() / 1000);
  for (std::uint32_t bucket = 0; bucket < router_.buckets(); bucket += static_cast<std::uint32_t>(every)) {
    const std::uint32_t entries = std::min<std::uint32_t>(sketches_.count(bucket), SketchLayout::kEntries);
    for (std::uint32_t i = 0; i < entries; ++i) sum += double{sketches_.factors(bucket, i).f};
    count += entries;
  }
  return static_cast<float>(sum / std::max(count, 1.0));
}

Course Measurer::course(const Query& query, std::uint32_t own_row, std::span<const Found> truth,
                        float most_error, Scratch& scratch) const {
  constexpr std::size_t kFarthest = 4096;  // buckets
  Errand& errand = scratch.errand;
  hash(router_, query, scratch);
  router_.family().order(errand.query(), std::min(most_probes(), kFarthest), scratch.hash, errand.order);

  Course course;
  course.neighbours.resize(truth.size());
  struct Sought {
    std::uint32_t row, neighbour;
  };
  std::vector<Sought> sought;  // by row, which is by bucket
  for (std::uint32_t j = 0; j < truth.size(); ++j)
    sought.push_back({static_cast<std::uint32_t>(truth[j].id), j});
  std::sort(sought.begin(), sought.end(), [](Sought a, Sought b) { return a.row < b.row; });
  LowestEstimates lowest(std::clamp<std::size_t>(truth.size(), 1, kMeasuredAt.back()));
  const auto note_lowest = [&] {
    for (std::size_t level = 0; level < kMeasuredAt.size(); ++level)
      course.kth[level].push_back(lowest.kth(kMeasuredAt[level]));
  };
  note_lowest();
  for (const Near& near : errand.order) course.centres.push_back(near.key);
  course.rows.push_back(0);
  course.entries_in.push_back(0);
  std::size_t met = 0;
  for (std::uint32_t p = 0; p < errand.order.size() && met < truth.size(); ++p) {
    const std::uint32_t bucket = errand.order[p].bucket, first = sketches_.first(bucket);
    estimate_bucket(sketches_, errand.order[p], errand);
    const auto estimates = errand.candidates.kept_estimates();  // fewer than rows if a hostile file has NaN
    const auto rows = errand.candidates.kept();
    const std::uint32_t end = first + sketches_.count(bucket);
    const bool has_own = own_row >= first && own_row < end;  // rows of a bucket follow each other
    const auto own = static_cast<std::size_t>(
        (has_own ? std::find(rows.begin(), rows.end(), own_row) : rows.end()) - rows.begin());
    const std::array others = {estimates.first(own), estimates.subspan(std::min(own + 1, estimates.size()))};
    for (const auto& some : others) lowest.add(some);
    note_lowest();
    course.rows.push_back(course.rows.back() + static_cast<std::uint32_t>(estimates.size()));
    const float e = lowest.kth(kMeasuredAt.back());
    const float limit = e + most_error * std::sqrt(std::max({course.centres.front(), e, 0.0F}));
    for (const auto& some : others) append_below(some, limit, course.entries);
    course.entries_in.push_back(static_cast<std::uint32_t>(course.entries.size()));
    const auto by_row = [](Sought a, std::uint32_t row) { return a.row < row; };
    for (auto each = std::lower_bound(sought.begin(), sought.end(), first, by_row);
         each != sought.end() && each->row < end; ++each, ++met) {
      const auto found = std::lower_bound(rows.begin(), rows.end(), each->row);
      if (found != rows.end() && *found == each->row)
        course.neighbours[each->neighbour] = {estimates[static_cast<std::size_t>(found - rows.begin())], p};
    }
  }
  float farthest = -std::numeric_limits<float>::infinity();
  for (const Course::Neighbour& each : course.neighbours)
    if (each.bucket != Course::kNever) farthest = std::max(farthest, each.estimate);
  std::vector<float> nearer;
  for (std::size_t p = 0, begin = 0; p < course.entries_in.size(); ++p) {
    const std::size_t end = course.entries_in[p];
    append_below(std::span(course.entries).subspan(begin, end - begin), farthest, nearer);
    course.entries_in[p] = static_cast<std::uint32_t>(nearer.size());
    begin = end;
  }
  course.entries = std::move(nearer);
  return course;
}

}  // namespace lookalike
