// Which buckets a query visits, and how far it goes.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
// How many buckets a query visits shows on the way: those that a usual one looks at are put in order, others
// on demand. For many neighbours as many as when it was measured, since a longer order is another one.
void RoutedSearch::order(const Visit& visit, Scratch& scratch, Errand& errand) const {
  const Budget& budget = visit.budget;
  const std::size_t want = !budget.by_hits() ? budget.probes
                           : visit.k > RecallCurve::kNeighbours
                               ? tuning::kManyOrderedAtFirst
                               : Budget::horizon(Budget::phase_of(budget.probes));
  router_->family().order(errand.query(), want, scratch.hash, errand.order);
  errand.searching = true;
  errand.e = Budget::kEndless;
  errand.shares.clear();
  errand.rank = 0.0F;
  if (budget.by_hits())
    errand.candidates.start(tuning::kMostOnTheWay, visit.k);
  else
    errand.candidates.start(std::max<std::size_t>(budget.rerank, visit.k) * router_->tables());
}

// The buckets of the phase that begins at this place of the order.
bool RoutedSearch::choose(const Visit& visit, std::size_t begin, Scratch& scratch, Errand& errand) const {
  errand.now = {};
  if (!errand.searching) return false;
  const Budget& budget = visit.budget;
  std::size_t end = std::min<std::size_t>(router_->buckets(), Budget::phase_end(begin));
  if (budget.by_hits()) {
    const float kth = errand.candidates.kth();
    if (std::isfinite(kth)) {
      errand.e = kth;
      const std::size_t enough = this->enough(visit, begin, kth, scratch, errand);
      errand.searching = enough >= end;
      end = std::min(end, enough);
      errand.candidates.keep_within(budget.error_at(kth, errand.order.front().key), budget.at(kth).missed);
    } else if (end > errand.order.size()) {
      order_more(end, scratch, errand);
    }
  }
  end = std::min(end, errand.order.size());
  if (begin < end) errand.now = std::span<const Near>(errand.order).subspan(begin, end - begin);
  return begin < end;
}

// The buckets that are looked at for the hits that follow. Where what may be found is elsewhere, as many more
// as hold what is usual in as many as the next phase has.
std::span<const Near> RoutedSearch::foresee(const Visit& visit, std::size_t begin, Scratch& scratch,
                                            Errand& errand) const {
  const auto wanted = static_cast<float>(Budget::phase_end(begin) - begin);
  std::size_t horizon = Budget::horizon(begin);
  while (true) {
    horizon = std::min<std::size_t>(horizon, router_->buckets());
    if (horizon > errand.order.size()) order_more(horizon, scratch, errand);
    const auto some = std::span<const Near>(errand.order).first(std::min(horizon, errand.order.size()));
    if (!visit.share_varies) return some;
    note_shares(visit, some, errand);
    const auto rank = [&](std::size_t i) { return std::exp2(errand.log_ranks[i]); };
    if (some.size() <= begin || horizon == router_->buckets() ||
        rank(some.size() - 1) - rank(begin) >= wanted)
      return some;
    horizon *= 2;
  }
}

// Behind how many buckets so few hits are expected as may be left.
std::size_t RoutedSearch::enough(const Visit& visit, std::size_t begin, float kth, Scratch& scratch,
                                 Errand& errand) const {
  const std::span<const Near> some = foresee(visit, begin, scratch, errand);
  const float usual = visit.budget.usual_e;
  std::span<float> hits;
  if (!visit.share_varies) {
    hits = router_->hits().expect(some, kth, usual, scratch.hits);
  } else {
    hits = router_->hits().expect(some, kth, usual, scratch.hits, errand.log_ranks.data());
    for (std::size_t i = 0; i < some.size(); ++i) hits[i] *= errand.shares[i];
  }
  const auto k = static_cast<float>(visit.k);
  const float behind = visit.unlearned * beyond(hits, router_->buckets());
  return lookalike::enough(hits, begin, k, visit.budget.at(kth).left * k, behind);
}

// Where what lies near the query may not be found, the first bucket is the first of those that hold
// something.
void RoutedSearch::note_shares(const Visit& visit, std::span<const Near> order, Errand& errand) const {
  for (std::size_t i = errand.shares.size(); i < order.size(); ++i) {
    const auto share = static_cast<float>(share_findable(order[i].bucket));
    errand.shares.push_back(share);
    errand.rank += std::min(1.0F, share / visit.share);
    errand.log_ranks.resize(i + 1);
    errand.log_ranks[i] = std::log2(std::max(1.0F, errand.rank));
  }
  errand.log_ranks.resize(errand.shares.size() + kept_slack);
}

// Of the rows that a bucket had when the hits were learned; more than 1 where more came.
double RoutedSearch::share_findable(std::uint32_t bucket) const {
  const double had = double{router_->hits().buckets()[bucket].rows};
  double findable = 0.0;
  for (const FreshView& view : fresh_)
    view.lists->visit(bucket, [&](const FreshLists::Entries& entries) {
      findable += static_cast<double>(count_living({entries.rows, entries.count, &view}));
    });
  for (const View& view : views_) {
    const Sketches& sketches = view.segment->sketches();
    const std::uint32_t first = sketches.first(bucket), count = sketches.count(bucket);
    findable +=
        static_cast<double>(view.allowed == nullptr ? count : count_findable(view, first, first + count));
  }
  return had > 0.0 ? findable / had : 0.0;
}

// A longer order may know of a bucket that the shorter one missed: it comes next.
void RoutedSearch::order_more(std::size_t want, Scratch& scratch, Errand& errand) const {
  router_->family().order(errand.query(), want, scratch.hash, scratch.order);
  scratch.visited.assign(router_->buckets(), false);
  for (const Near& near : errand.order) scratch.visited[near.bucket] = true;
  for (const Near& near : scratch.order)
    if (!scratch.visited[near.bucket]) errand.order.push_back(near);
}

std::size_t RoutedSearch::findable() const {
  std::size_t count = fresh_rows_;
  for (const View& view : views_)
    count += view.allowed != nullptr ? view.allowed->findable() : view.segment->originals();
  return count;
}

// More neighbours were wanted than the probes met, or the filter has to do with where the query is: the
// budget was measured for another case. Then the rest of the buckets, nearest first, as far as it takes.
void RoutedSearch::scan_further(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const {
  if (visit.budget.by_hits()) return;
  const std::size_t probes = stages.probes - errand.before.probes;
  const auto met = [&] { return stages.met - errand.before.met; };
  const bool everywhere = met() < tuning::kMetEvenly * visit.evenly * static_cast<double>(probes);
  if (!everywhere && met() >= visit.k * router_->tables()) return;
  std::vector<bool> visited(router_->buckets());
  if (everywhere)
    errand.candidates.start(std::max<std::size_t>(visit.budget.rerank, findable() / tuning::kRerankedOneIn) *
                            router_->tables());
  else
    for (const Near& near : errand.order) visited[near.bucket] = true;
  router_->family().order(errand.query(), router_->buckets(), scratch.hash, errand.order);
  std::size_t further = 0;
  for (const Near& near : errand.order) {
    if ((!everywhere && met() >= visit.k * router_->tables()) ||
        (++further % tuning::kBucketsBetweenAsking == 0 && scratch.stopped()))
      return;
    if (!visited[near.bucket]) scan_bucket(near, errand, stages);
  }
}

}  // namespace lookalike
