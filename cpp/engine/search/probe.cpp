// Which buckets a query visits, and how far it goes.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kLong = 64;  // buckets: some ten microseconds
constexpr double kUsual = 0.6;     // of what evenly spread rows would give, the probes meet at least so much

}  // namespace

// How many buckets a query visits by margins shows on the way: twice as many as usual are put in order,
// others on demand.
void RoutedSearch::order(const Visit& visit, Scratch& scratch, Errand& errand) const {
  constexpr std::uint32_t kAtLeast = 32;
  const Budget& budget = visit.budget;
  const std::size_t want = budget.by_margins() ? std::max(2 * budget.probes, kAtLeast) : budget.probes;
  router_->family().order(errand.query(), want, scratch.hash, errand.order);
  errand.searching = true;
  errand.elsewhere = false;
  if (budget.by_margins())
    errand.candidates.start(kMostCandidates, visit.depth);
  else
    errand.candidates.start(std::max<std::size_t>(budget.rerank, visit.k) * router_->tables());
}

// The buckets of the phase that begins at this place of the order.
bool RoutedSearch::choose(const Visit& visit, std::size_t begin, Scratch& scratch, Errand& errand) const {
  errand.now = {};
  if (!errand.searching) return false;
  const Budget& budget = visit.budget;
  std::size_t end = std::min<std::size_t>(router_->buckets(), Budget::phase_end(begin));
  if (!budget.by_margins()) {
    end = std::min(end, errand.order.size());
    if (begin < end) errand.now = std::span<const Near>(errand.order).subspan(begin, end - begin);
    return begin < end;
  }
  const float kth = errand.candidates.kth();
  const std::size_t most = budget.most_probes(kth);
  errand.searching = end <= most;
  end = std::min(end, most);
  if (begin >= end) return false;
  const float limit = kth + budget.probe_margin;
  if (end > errand.order.size() && (errand.order.empty() || errand.order.back().key <= limit))
    order_more(end, scratch, errand);
  end = std::min(end, errand.order.size());
  if (begin >= end) return false;
  errand.candidates.keep_only(std::max(visit.depth, budget.most_candidates(kth)));
  errand.now = std::span<const Near>(errand.order).subspan(begin, end - begin);
  const auto too_far =
      std::find_if(errand.now.begin(), errand.now.end(), [=](const Near& near) { return near.key > limit; });
  errand.searching = errand.searching && too_far == errand.now.end();
  errand.now = errand.now.first(static_cast<std::size_t>(too_far - errand.now.begin()));
  return !errand.now.empty();
}

// A longer order may know of a bucket that the shorter one missed: it comes next.
void RoutedSearch::order_more(std::size_t want, Scratch& scratch, Errand& errand) const {
  router_->family().order(errand.query(), want, scratch.hash, scratch.order);
  scratch.visited.assign(router_->buckets(), false);
  for (const Near& near : errand.order) scratch.visited[near.bucket] = true;
  for (const Near& near : scratch.order)
    if (!scratch.visited[near.bucket]) errand.order.push_back(near);
}

// Where a filter leaves out what lies near the query, many rows are about as far as the neighbours are.
std::size_t RoutedSearch::most_candidates(const Visit& visit, Errand& errand) const {
  constexpr std::size_t kMoreElsewhere = 3;
  const std::size_t most = visit.budget.most_candidates(errand.candidates.kth());
  return std::max(visit.depth, errand.elsewhere ? kMoreElsewhere * most : most);
}

std::size_t RoutedSearch::findable() const {
  std::size_t count = fresh_rows_;
  for (const View& view : views_)
    count += view.allowed != nullptr ? view.allowed->findable() : view.segment->originals();
  return count;
}

// Of what is sealed; fresh rows are few beside it.
float RoutedSearch::reach(std::uint32_t bucket) const {
  float radius = 0.0F;
  for (const View& view : views_) radius = std::max(radius, view.segment->reach(bucket).radius);
  return radius;
}

// More neighbours were wanted than the probes met, or the filter has to do with where the query is: the
// budget was measured for another case. Then the rest of the buckets, nearest first, as far as it takes.
void RoutedSearch::scan_further(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const {
  if (visit.budget.by_margins()) return scan_by_distance(visit, scratch, errand, stages);
  constexpr std::size_t kShare = 64;  // so much of what may be found is reranked then
  const std::size_t probes = stages.probes - errand.before.probes;
  const auto met = [&] { return stages.met - errand.before.met; };
  const bool everywhere = met() < kUsual * visit.evenly * static_cast<double>(probes);
  if (!everywhere && met() >= visit.k * router_->tables()) return;
  std::vector<bool> visited(router_->buckets());
  if (everywhere)
    errand.candidates.start(std::max<std::size_t>(visit.budget.rerank, findable() / kShare) *
                            router_->tables());
  else
    for (const Near& near : errand.order) visited[near.bucket] = true;
  router_->family().order(errand.query(), router_->buckets(), scratch.hash, errand.order);
  std::size_t further = 0;
  for (const Near& near : errand.order) {
    if ((!everywhere && met() >= visit.k * router_->tables()) ||
        (++further % kLong == 0 && scratch.stopped()))
      return;
    if (!visited[near.bucket]) scan_bucket(near, errand, stages);
  }
}

// As far as the distances of the centres tell that nearer rows may come. Where the filter lets more through
// near the query than elsewhere, the neighbours are as near as those among more of the rows. Where it leaves
// out what lies near the query, they lie farther away than any that a margin was measured with, and in all
// directions: a row of a bucket may be nearer than ‖q − c‖² + ‖r‖² by so many standard errors 2‖q − c‖‖r‖ /
// √m, of which some are the estimates' own.
void RoutedSearch::scan_by_distance(const Visit& visit, Scratch& scratch, Errand& errand,
                                    Stages& stages) const {
  constexpr double kDense = 2.0, kUneven = 1.5;
  constexpr float kFar = 0.6F, kStandardErrors = 4.0F;
  const Budget& budget = visit.budget;
  const auto met = [&] { return stages.met - errand.before.met; };
  std::size_t visited = stages.probes - errand.before.probes;
  float margin = -Budget::kEndless;
  bool far = false;
  if (visit.evenly > 0.0 && visited > 0) {
    const double density = met() / (visit.evenly * static_cast<double>(visited));
    far = density < kUsual || errand.candidates.kth() - errand.order.front().key > kFar * budget.typical;
    errand.elsewhere = far && (density < kUsual || density > kUneven);
    if (density > kDense) margin = std::max(budget.probe_margin, budget.dense_margin);
  }
  if (errand.elsewhere) errand.candidates.keep_more(most_candidates(visit, errand));
  float radius = 0.0F;  // of the buckets so far
  const auto widen = [&](const Near& near) { radius = std::max(radius, reach(near.bucket)); };
  for (std::size_t i = 0; far && i < visited; ++i) widen(errand.order[i]);
  for (; visited < router_->buckets(); ++visited) {
    if (visited == errand.order.size())
      order_more(std::min<std::size_t>(2 * visited, router_->buckets()), scratch, errand);
    const Near& near = errand.order[visited];
    if (far) {
      widen(near);
      const float spread = kStandardErrors * std::sqrt(near.key / static_cast<float>(router_->m()));
      const float residual = std::min(radius, spread);
      margin = residual * (2.0F * spread - residual);
    }
    if (met() >= visit.k && near.key > errand.candidates.kth() + margin) return;
    if ((visited + 1) % kLong == 0 && scratch.stopped()) return;
    scan_bucket(near, errand, stages);
  }
}

}  // namespace lookalike
