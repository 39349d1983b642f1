// Buckets that cannot hold a row within the radius are left out, the sketches tell the likely rows, exact
// distances decide.
#include "engine/search/range.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "engine/search/compare.hpp"
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

constexpr float kRounding = 1e-4F, kLeastRounding = 1e-6F, kErrorPerFactor = 0.7F;

// The buckets that may hold a row so near: by the triangle inequality none lies nearer than ‖q − c‖ − radius.
std::vector<Near> within_reach(const Segment& segment, float radius, const float* query, float length) {
  const Router& router = *segment.router();
  std::vector<Near> reached;
  for (std::uint32_t bucket = 0; bucket < router.buckets(); ++bucket) {
    if (segment.sketches().first(bucket) >= segment.originals()) break;  // the first table holds them all
    const Near near{kernels().squared_l2(query, router.family().centre(bucket), router.m()), bucket};
    const float distance = std::sqrt(near.key);
    if (distance - segment.reach(bucket).radius <=
        radius + kRounding * (radius + distance) + kLeastRounding * length)
      reached.push_back(near);
  }
  return reached;
}

// What sketches tell of the rows in these buckets. The standard error of an estimate is that of sketches.hpp,
// where √(1 − ip²) is below 0.7 for nearly all rotated residuals; what it errs by since the query is rounded,
// half a step for each group of dimensions, is at most F times that. F is looked up where even the largest
// would do: 2‖r‖ / (ip √m), with √(1 − ip²) / ip below 1, ip above 0.5, and the bucket's radius for ‖r‖.
// Where sketches leave too many rows, these are read in turn; where they do so in one bucket after the other,
// the others are not asked for theirs.
Likely gather_within(const Segment& segment, std::span<const Near> reached, float square, float length,
                     const Allowed* allowed, Scratch& scratch, Stages& stages) {
  const Sketches& sketches = segment.sketches();
  Errand& errand = scratch.errand;
  const float root_m = std::sqrt(static_cast<float>(segment.router()->m()));
  const float errors = tuning::kErrorsOfRange / std::sqrt(std::max(1.0F, root_m * root_m - 1.0F));
  const float of_table = static_cast<float>(sketches.layout().groups) * errand.table.step() / 2.0F;
  Likely likely;
  bool pays = true;
  for (const Near& near : reached) {
    if (++stages.probes % 64 == 0 && scratch.stopped()) break;
    const std::uint32_t first = sketches.first(near.bucket), count = sketches.count(near.bucket);
    const std::size_t before = likely.rows.size();
    if (pays) {
      const Reach& reach = segment.reach(near.bucket);
      const float distance = std::sqrt(near.key);
      const float certain =
          square + reach.left_out + kRounding * (square + near.key) + kLeastRounding * length * length;
      estimate_bucket(sketches, near, errand,
                      certain + reach.radius * (2.0F * errors * distance + 4.0F * of_table / root_m));
      const auto estimates = errand.candidates.kept_estimates();
      const float of_factor = kErrorPerFactor * errors * root_m * distance + of_table;
      for (std::size_t i = 0; const std::uint32_t row : errand.candidates.kept()) {
        const float estimate = estimates[i++];
        if (allowed != nullptr && !allowed->originals()[row]) continue;
        if (estimate <= certain + sketches.factors(near.bucket, row - first).f * of_factor)
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
  const auto read = [&](std::size_t first, std::size_t last) {
    for (std::size_t begin = first; begin < last && !(begin > first && scratch.stopped());
         begin += tuning::kRowsBetweenAsking)
      compare(
          segment, QueryBlock::of(query), allowed, begin, std::min(last, begin + tuning::kRowsBetweenAsking),
          [max_key](std::size_t) { return max_key; },
          [&](std::size_t, std::size_t row, float key) { take(row, key); });
  };
  const auto read_all = [&] {
    stages.count_compared(findable(segment, allowed));
    stages.whole = stages.reranked;
    read(0, segment.originals());
    return stages;
  };
  const Router* const router = segment.hashed() ? segment.router().get() : nullptr;
  const float square = router != nullptr ? router->space().square_of(max_key, query.vector) : 0.0F;
  if (exact || router == nullptr || !router->projection().keeps_distances() || !std::isfinite(square))
    return read_all();

  Stopwatch watch(scratch.laps);
  hash(*router, query, scratch);
  watch.lap(&Laps::hash);
  const float* const projected = scratch.errand.projected;
  const float length = std::sqrt(kernels().dot(projected, projected, router->m()));
  const auto reached = within_reach(segment, std::sqrt(std::max(0.0F, square)), projected, length);
  if (static_cast<double>(reached.size()) * router->costs(segment.originals()).probe >
      cost_of_comparing(segment, findable(segment, allowed)))
    return read_all();
  const Likely likely = gather_within(segment, reached, square, length, allowed, scratch, stages);
  watch.lap(&Laps::scan);
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
