// What became of one row in a search: the stages once more, looking at that row alone.
#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {

Trace RoutedSearch::trace(const Query& query, const Visit& visit, std::uint32_t number,
                          Scratch& scratch) const {
  Trace trace;
  Errand& errand = scratch.errand;
  hash(*router_, query, scratch);
  Errand one;  // for one bucket at a time
  one.table = errand.table;
  const auto place_in = [&](Near near) {
    estimate_all(near, one);
    const auto rows = one.candidates.kept();
    return static_cast<std::size_t>(std::find(rows.begin(), rows.end(), number) - rows.begin());
  };
  const auto its_bucket = [&](Near near) { return place_in(near) < one.candidates.size(); };
  router_->family().order(errand.query(), router_->buckets(), scratch.hash, errand.order);
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
  const auto among = [&](std::span<const std::uint32_t> kept) {
    return std::find(kept.begin(), kept.end(), number) != kept.end();
  };
  const bool compared = heaps_ && (among(scratch.with_heaps) || among(scratch.fresh));
  const auto met = std::find_if(visited.begin(), visited.end(), its_bucket);
  if (met == visited.end()) {
    trace.reached = compared ? Reached::rerank : Reached::probe;
    return trace;
  }

  const std::size_t place = place_in(*met);
  const float estimate = one.candidates.kept_estimates()[place];
  for (const Near& near : visited) {
    estimate_all(near, one);
    const auto estimates = one.candidates.kept_estimates();
    trace.nearer += static_cast<std::uint32_t>(
        std::count_if(estimates.begin(), estimates.end(), [&](float other) { return other < estimate; }));
  }
  const bool is_fresh = number >= rows_;
  trace.reached = compared                           ? Reached::rerank
                  : !among(errand.candidates.kept()) ? Reached::scan
                  : !is_fresh && !router_->form().compact() && !among(scratch.finalists.kept())
                      ? Reached::narrow
                      : Reached::rerank;
  return trace;
}

// All entries of a bucket, whether they may be found or not.
void RoutedSearch::estimate_all(Near near, Errand& errand) const {
  errand.candidates.start(std::numeric_limits<std::uint32_t>::max());
  start_blocks(errand);
  for (const View& view : views_) {
    BlockToScan bucket = view.segment->sketches().bucket(near.bucket, near.key);
    bucket.first += view.first_entry;
    errand.blocks.add(bucket);
  }
  list_fresh(near, errand);
  scan_sealed(errand, errand.blocks.count(), true);
  scan_fresh(errand, true);
}

}  // namespace lookalike
