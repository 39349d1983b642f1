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
#include "engine/search/near_rows.hpp"
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

// Where sketches leave too many rows, these are read in turn; where they do so in one bucket after the other,
// the others are not asked for theirs.
Likely gather_within(const Segment& segment, const NearRows& near_rows, std::span<const Near> reached,
                     float square, const Allowed* allowed, const Scratch& scratch, Stages& stages) {
  const Sketches& sketches = segment.sketches();
  Likely likely;
  bool pays = true;
  for (const Near& near : reached) {
    if (++stages.probes % 64 == 0 && scratch.stopped()) break;
    const std::uint32_t first = sketches.first(near.bucket), count = sketches.count(near.bucket);
    const std::size_t before = likely.rows.size();
    if (pays) {
      near_rows.visit(near, square, [&](std::uint32_t row) {
        if (allowed == nullptr || allowed->originals()[row]) likely.rows.push_back(row);
      });
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
  if (exact || !NearRows::known(segment) || !std::isfinite(square)) return read_all();

  Stopwatch watch(scratch.laps);
  hash(*router, query, scratch);
  watch.lap(&Laps::hash);
  const NearRows near_rows(segment, scratch);
  std::vector<Near> reached = near_rows.buckets();
  std::erase_if(reached, [&](const Near& bucket) { return !near_rows.may_hold(bucket, square); });
  if (static_cast<double>(reached.size()) * router->costs(segment.originals()).probe >
      cost_of_comparing(segment, findable(segment, allowed)))
    return read_all();
  const Likely likely = gather_within(segment, near_rows, reached, square, allowed, scratch, stages);
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
