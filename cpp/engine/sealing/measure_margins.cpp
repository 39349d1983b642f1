// Measuring margins: sampled queries go from bucket to bucket until they met all their neighbours.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "engine/base/kth.hpp"
#include "engine/recall/margin_tally.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {
Margins Measurer::measure_margins(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                                  const Truths& truths) const {
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
  const Ways ways = Ways::worthwhile(first);
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
  std::vector<Kth> kth;
  for (std::size_t level = 0; level < kMeasuredAt.size(); ++level) {
    kth.emplace_back(std::clamp<std::size_t>(truth.size(), 1, kMeasuredAt[level]));
    course.kth[level].push_back(kth[level].value());
  }
  for (const Near& near : errand.order) course.centres.push_back(near.key);
  course.rows.push_back(0);
  std::size_t met = 0;
  for (std::uint32_t p = 0; p < errand.order.size() && met < truth.size(); ++p) {
    const std::uint32_t bucket = errand.order[p].bucket, first = sketches_.first(bucket);
    estimate_bucket(sketches_, errand.order[p], errand);
    const auto estimates = errand.candidates.kept_estimates();  // fewer than rows if a hostile file has NaN
    const auto rows = errand.candidates.kept();
    const auto own = static_cast<std::size_t>(std::find(rows.begin(), rows.end(), own_row) - rows.begin());
    for (std::size_t level = 0; level < kth.size(); ++level) {
      kth[level].push(estimates.first(own));
      kth[level].push(estimates.subspan(std::min(own + 1, estimates.size())));
      course.kth[level].push_back(kth[level].value());
    }
    course.rows.push_back(course.rows.back() + static_cast<std::uint32_t>(estimates.size()));
    const float e = kth.back().value();
    const float limit = e + most_error * std::sqrt(std::max({course.centres.front(), e, 0.0F}));
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i] != own_row && estimates[i] <= limit) course.entries.push_back({estimates[i], p});
    const auto by_row = [](Sought a, std::uint32_t row) { return a.row < row; };
    const auto end = first + sketches_.count(bucket);
    for (auto each = std::lower_bound(sought.begin(), sought.end(), first, by_row);
         each != sought.end() && each->row < end; ++each, ++met) {
      const auto found = std::lower_bound(rows.begin(), rows.end(), each->row);
      if (found != rows.end() && *found == each->row)
        course.neighbours[each->neighbour] = {estimates[static_cast<std::size_t>(found - rows.begin())], p};
    }
  }
  float farthest = -std::numeric_limits<float>::infinity();
  for (const Course::Entry& each : course.neighbours)
    if (each.bucket != Course::kNever) farthest = std::max(farthest, each.estimate);
  std::erase_if(course.entries, [=](const Course::Entry& each) { return each.estimate >= farthest; });
  course.entries.shrink_to_fit();
  return course;
}

}  // namespace lookalike
