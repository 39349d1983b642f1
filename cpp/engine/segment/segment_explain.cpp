// What became of one row in a search: the stages once more, looking at that row alone.
#include <algorithm>
#include <span>
#include <vector>

#include "engine/segment/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

// Where the row is a copy, its original is what is hashed and sketched.
Trace Segment::trace(const Query& query, const Visit& visit, std::uint32_t row, Scratch& scratch) const {
  Trace trace;
  const std::uint32_t original = copies_.original_of(row);
  touch(original, original + std::size_t{1});
  stored().gather(query, std::span(&original, 1), [&](std::size_t, float key) { trace.key = key; });
  if (visit.allowed != nullptr && !(*visit.allowed)[row]) {
    trace.reached = Reached::filter;
    return trace;
  }

  Errand& errand = scratch.errand;
  hash(query, scratch);
  std::vector<std::uint32_t> entries{original};
  for (std::uint32_t i = 0; i < later_members_.size(); ++i)
    if (later_members_[i] == original) entries.push_back(static_cast<std::uint32_t>(originals_) + i);
  const auto its_bucket = [&](const Near& near) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](std::uint32_t entry) { return sketches_->bucket_of(entry) == near.bucket; });
  };
  family_->order(errand.query(), buckets(), scratch.hash, errand.order);
  const auto in_all = std::find_if(errand.order.begin(), errand.order.end(), its_bucket);
  trace.bucket_rank = static_cast<std::uint32_t>(in_all - errand.order.begin()) + 1;

  Stages stages;
  TopK nearest;
  nearest.reset(visit.k, std::numeric_limits<float>::infinity());
  search(QueryBlock::of(query), visit, scratch, {&nearest, 1}, {&stages, 1});
  const auto visited =
      std::span<const Near>(errand.order).first(std::min<std::size_t>(stages.probes, errand.order.size()));
  trace.visited = static_cast<std::uint32_t>(visited.size());
  trace.kept = stages.candidates;
  const auto met = std::find_if(visited.begin(), visited.end(), its_bucket);
  if (met == visited.end()) {
    trace.reached = Reached::probe;
    return trace;
  }

  Errand one;  // for its bucket alone
  one.table = errand.table;
  estimate_bucket(*met, one);
  const std::uint32_t first = sketches_->first(met->bucket);
  float estimate = std::numeric_limits<float>::infinity();
  for (const std::uint32_t entry : entries)
    if (sketches_->bucket_of(entry) == met->bucket) estimate = one.candidates.kept_estimates()[entry - first];
  for (const Near& near : visited) {
    estimate_bucket(near, one);
    const auto estimates = one.candidates.kept_estimates();
    trace.nearer += static_cast<std::uint32_t>(
        std::count_if(estimates.begin(), estimates.end(), [&](float other) { return other < estimate; }));
  }
  const auto among = [&](std::span<const std::uint32_t> kept) {
    return std::find(kept.begin(), kept.end(), original) != kept.end();
  };
  trace.reached = !among(errand.candidates.kept())                       ? Reached::scan
                  : !form_.compact() && !among(scratch.finalists.kept()) ? Reached::narrow
                                                                         : Reached::rerank;
  return trace;
}

}  // namespace lookalike
