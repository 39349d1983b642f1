// One query, and why it found what it found.
#include <algorithm>

#include "engine/index/search_plan.hpp"
#include "engine/index/snapshot.hpp"

namespace lookalike {

Explanation Snapshot::explain(const void* query, const SearchOptions& options,
                              std::optional<std::int64_t> id) const {
  const std::vector<float> scales = setting_->intake.check_queries(query, 1);
  const Plan plan = make_plan(options);
  Scratch scratch;
  const QueryBlock block = setting_->intake.queries(query, scales, 0, 1, scratch.queries);

  Explanation explanation;
  plan.each_unlisted(*this, [&](std::size_t begin, std::size_t end) {
    explanation.compared_whole += plan.fresh(*this).live(begin, end);
  });
  for (std::size_t i = 0; i < plan.compared; ++i)
    explanation.compared_whole += findable(plan.wholes[i].segment(), plan.wholes[i].allowed.get());
  for (const Plan::Routed& routed : plan.routed) {
    explanation.segments += routed.search.views().size();
    explanation.level |= routed.visit.share_varies && routed.visit.budget.by_hits();
  }
  scratch.laps = &explanation.laps;
  std::vector<std::int64_t> ids(options.k, -1);
  std::vector<float> distances(options.k);
  Laps whole;
  Stopwatch watch(&whole);
  search_block(block, plan, options, 0, 1, scratch, {ids.data(), distances.data(), &explanation.stages});
  watch.lap(&Laps::scan);
  explanation.compared_whole += explanation.stages.whole;
  const Laps& laps = explanation.laps;
  explanation.other_seconds = whole.scan - (laps.hash + laps.probe + laps.scan + laps.narrow + laps.rerank);
  scratch.laps = nullptr;
  if (!id) return explanation;

  const auto place = find(*id);
  if (!place) return explanation;
  explanation.trace = trace(block.query(0), plan, options, *id, *place, scratch);
  if (explanation.stages.whole > 0 && explanation.trace.reached != Reached::filter)
    explanation.trace.reached = Reached::rerank;
  if (std::find(ids.begin(), ids.end(), *id) != ids.end()) explanation.trace.reached = Reached::neighbours;
  explanation.trace.key = distance_of_key(shape().metric, explanation.trace.key);
  return explanation;
}

Explanation Snapshot::explain_range(const void* query, const SearchOptions& options) const {
  const std::vector<float> scales = setting_->intake.check_queries(query, 1);
  Scratch scratch;
  const QueryBlock block = setting_->intake.queries(query, scales, 0, 1, scratch.queries);
  const auto allowed = allowed_fresh(options);
  const FreshTable& fresh = allowed != nullptr ? *allowed : fresh_;
  Explanation explanation;
  const Laps& laps = explanation.laps;
  scratch.laps = &explanation.laps;
  Laps whole;
  Stopwatch watch(&whole);
  within(block, wholes(options, false), fresh, options, scratch, explanation);
  watch.lap(&Laps::scan);
  explanation.other_seconds = whole.scan - (laps.hash + laps.scan + laps.rerank);
  return explanation;
}

// Where the row is a copy, its original is what is hashed and sketched.
Trace Snapshot::trace(const Query& query, const Plan& plan, const SearchOptions& options, std::int64_t id,
                      Place place, Scratch& scratch) const {
  Trace trace;
  const auto set_key = [&](std::size_t, float key) { trace.key = key; };
  const bool is_fresh = place.part >= parts_.size();
  std::size_t fresh_row = 0;
  std::uint32_t original = place.row;
  if (is_fresh) {
    const std::size_t chunk = place.part - parts_.size();
    fresh_row = fresh_.start(chunk) + place.row;
    fresh()[chunk].stored(form()).gather(query, std::span(&place.row, 1), set_key);
  } else {
    const Segment& segment = *parts_[place.part].segment;
    original = segment.copies().original_of(place.row);
    segment.touch(original, original + std::size_t{1});
    segment.stored().gather(query, std::span(&original, 1), set_key);
  }
  trace.reached = Reached::filter;
  if (options.only != nullptr && !options.only->admits(id)) return trace;
  for (const Plan::Routed& routed : plan.routed) {
    const std::optional<std::uint32_t> number =
        is_fresh ? routed.search.fresh_number(fresh_row)
                 : routed.search.number(*parts_[place.part].segment, original);
    if (!number) continue;
    const float key = trace.key;
    trace = routed.search.trace(query, routed.visit, *number, scratch);
    trace.key = key;
    return trace;
  }
  trace.reached = Reached::rerank;
  return trace;
}

}  // namespace lookalike
