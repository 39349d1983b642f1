// One query, and why it found what it found.
#include <algorithm>

#include "engine/index/search_plan.hpp"
#include "engine/index/snapshot.hpp"

namespace lookalike {

Explanation Snapshot::explain(const void* query, const SearchOptions& options,
                              std::optional<std::int64_t> id) const {
  const std::vector<float> scales = setting_->intake.check_queries(query, 1);
  const std::vector<Plan> plans = this->plans(options);
  Scratch scratch;
  const QueryBlock block = setting_->intake.queries(query, scales, 0, 1, scratch.queries);

  Explanation explanation;
  explanation.compared_whole = fresh_rows_;
  for (const Plan& plan : plans) {
    if (plan.scan)
      explanation.compared_whole += plan.segment->findable(plan.visit.allowed);
    else
      ++explanation.segments;
  }
  scratch.laps = &explanation.laps;
  std::vector<std::int64_t> ids(options.k, -1);
  std::vector<float> distances(options.k);
  Laps whole;
  Stopwatch watch(&whole);
  search_block(block, plans, options, 0, 1, scratch, {ids.data(), distances.data(), &explanation.stages});
  watch.lap(&Laps::scan);
  const Laps& laps = explanation.laps;
  explanation.other_seconds = whole.scan - (laps.hash + laps.probe + laps.scan + laps.narrow + laps.rerank);
  scratch.laps = nullptr;
  if (!id) return explanation;

  const auto place = find(*id);
  if (!place) return explanation;
  explanation.trace.reached = Reached::filter;
  if (place->part >= parts_.size()) {
    if (options.only == nullptr || options.only->admits(*id)) explanation.trace.reached = Reached::rerank;
    fresh_[place->part - parts_.size()].stored(form()).gather(
        block.query(0), std::span(&place->row, 1),
        [&](std::size_t, float key) { explanation.trace.key = key; });
  } else {
    const Segment* segment = parts_[place->part].segment.get();
    const auto plan =
        std::find_if(plans.begin(), plans.end(), [&](const Plan& each) { return each.segment == segment; });
    if (plan != plans.end()) explanation.trace = trace(block, *plan, place->row, scratch);
  }
  if (std::find(ids.begin(), ids.end(), *id) != ids.end()) explanation.trace.reached = Reached::neighbours;
  explanation.trace.key = distance_of_key(shape().metric, explanation.trace.key);
  return explanation;
}

Trace Snapshot::trace(const QueryBlock& query, const Plan& plan, std::uint32_t row, Scratch& scratch) const {
  if (!plan.scan) return plan.segment->trace(query.query(0), plan.visit, row, scratch);
  Trace trace;
  trace.reached =
      plan.visit.allowed == nullptr || (*plan.visit.allowed)[row] ? Reached::rerank : Reached::filter;
  plan.segment->touch(row, row + std::size_t{1});
  plan.segment->stored().gather(query.query(0), std::span(&row, 1),
                                [&](std::size_t, float key) { trace.key = key; });
  return trace;
}

}  // namespace lookalike
