// Buckets that cannot hold a row within the radius are left out, the sketches tell the likely rows, exact
// distances decide.
#include "engine/search/range.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

// What may be near enough: rows to be picked, and runs of rows, [first, last), to be read in turn.
struct Likely {
  std::vector<std::uint32_t> rows;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> runs;

  void add_run(std::uint32_t first, std::uint32_t last) {
    if (!runs.empty() && runs.back().second == first)
      runs.back().second = last;
    else
      runs.emplace_back(first, last);
  }
};

// By the triangle inequality no row lies nearer than ‖q − c‖ − radius. The standard error of an estimate is
// that of sketches.hpp, where √(1 − ip²) is below 0.7 for nearly all rotated residuals; what it errs by since
// the query is rounded, half a step for each group of dimensions, is at most F times that. F is looked up
// where even the largest would do: 2‖r‖ / (ip √m), with √(1 − ip²) / ip below 1, ip above 0.5, and the
// bucket's radius for ‖r‖. Where sketches leave too many rows, these are read in turn; where they do so in
// one bucket after the other, the others are not asked for theirs.
Likely gather_within(const Segment& segment, const Query& query, float square, const Allowed* allowed,
                     Scratch& scratch, Stages& stages) {
  constexpr float kRounding = 1e-4F, kLeastRounding = 1e-6F, kErrorPerFactor = 0.7F;
  const Router& router = *segment.router();
  const Sketches& sketches = segment.sketches();
  Errand& errand = scratch.errand;
  Stopwatch watch(scratch.laps);
  hash(router, query, scratch);
  watch.lap(&Laps::hash);
  const float radius = std::sqrt(std::max(0.0F, square));
  const auto m = static_cast<float>(router.m());
  const float errors = tuning::kErrorsOfRange / std::sqrt(std::max(1.0F, m - 1.0F));
  const float of_table = static_cast<float>(sketches.layout().groups) * errand.table.step() / 2.0F;
  const std::vector<float> middle(router.m());
  const float length = kernels().squared_l2(errand.projected, middle.data(), router.m());
  const float least = kLeastRounding * length, least_distance = kLeastRounding * std::sqrt(length);
  Likely likely;
  bool pays = true;
  for (std::uint32_t bucket = 0; bucket < router.buckets(); ++bucket) {
    if (bucket % 64 == 63 && scratch.stopped()) break;
    const std::uint32_t first = sketches.first(bucket), count = sketches.count(bucket);
    if (first >= segment.originals()) break;  // the first table holds every original
    const Near near{kernels().squared_l2(errand.projected, router.family().centre(bucket), router.m()),
                    bucket};
    const Reach& reach = segment.reach(bucket);
    const float distance = std::sqrt(near.key);
    if (distance - reach.radius > radius + kRounding * (radius + distance) + least_distance) continue;
    ++stages.probes;
    const std::size_t before = likely.rows.size();
    if (pays) {
      const float certain = square + reach.left_out + kRounding * (square + near.key) + least;
      estimate_bucket(sketches, near, errand,
                      certain + reach.radius * (2.0F * errors * distance + 4.0F * of_table / std::sqrt(m)));
      const auto estimates = errand.candidates.kept_estimates();
      const float of_factor = kErrorPerFactor * errors * std::sqrt(m) * distance + of_table;
      for (std::size_t i = 0; const std::uint32_t row : errand.candidates.kept()) {
        const float estimate = estimates[i++];
        if (allowed != nullptr && !allowed->originals()[row]) continue;
        if (estimate <= certain + sketches.factors(bucket, row - first).f * of_factor)
          likely.rows.push_back(row);
      }
      stages.scanned += count;
      stages.reranked += static_cast<std::uint32_t>(likely.rows.size() - before);
      pays = stages.scanned < tuning::kRowsBetweenAsking ||
             std::size_t{stages.reranked} * tuning::kPickedOneIn <= stages.scanned;
      if ((likely.rows.size() - before) * tuning::kPickedOneIn <= count) continue;
    }
    likely.rows.resize(before);
    likely.add_run(first, first + count);
  }
  watch.lap(&Laps::scan);
  return likely;
}

}  // namespace

Stages within(const Segment& segment, const Query& query, float max_key, const Allowed* allowed, bool exact,
              Scratch& scratch, std::vector<Found>& found) {
  Stages stages;
  const auto take = [&](std::size_t row, float key) {
    if (key <= max_key)
      segment.take_equals(row, allowed, [&](std::int64_t id) { return found.push_back({key, id}), true; });
  };
  const float square = segment.hashed() ? segment.router()->space().square_of(max_key, query.vector) : 0.0F;
  const auto read = [&](std::size_t first, std::size_t last) {
    for (std::size_t begin = first; begin < last && !(begin > first && scratch.stopped());
         begin += tuning::kRowsBetweenAsking) {
      const std::size_t end = std::min(last, begin + tuning::kRowsBetweenAsking);
      segment.touch(begin, end);
      segment.stored_originals()
          .part(begin, end)
          .scan(
              QueryBlock::of(query), [max_key](std::size_t) { return max_key; },
              [&](std::size_t, std::size_t row, float key) { take(begin + row, key); });
    }
  };
  if (exact || !segment.hashed() || !segment.router()->projection().keeps_distances() ||
      !std::isfinite(square)) {
    stages.count_compared(segment.originals());
    stages.whole = static_cast<std::uint32_t>(segment.originals());
    read(0, segment.originals());
    return stages;
  }
  const Likely likely = gather_within(segment, query, square, allowed, scratch, stages);
  Stopwatch watch(scratch.laps);
  for (const std::uint32_t row : likely.rows) segment.touch(row, row + std::size_t{1});
  segment.stored().gather(query, likely.rows, take);
  stages.reranked = static_cast<std::uint32_t>(likely.rows.size());
  for (const auto& [first, last] : likely.runs) {
    if (scratch.stopped()) break;
    read(first, last);
    stages.reranked += last - first;
  }
  watch.lap(&Laps::rerank);
  return stages;
}

}  // namespace lookalike
