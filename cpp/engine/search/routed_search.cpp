// Queries through the lists of a router: hash, probe, scan, narrow, rerank.
#include "engine/search/routed_search.hpp"

#include <algorithm>
#include <vector>

#include "engine/search/hash.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
void RoutedSearch::add(const Segment& segment, const Allowed* allowed) {
  router_ = segment.router().get();
  views_.push_back({&segment, allowed, entries_, rows_});
  const auto originals = static_cast<std::uint32_t>(segment.originals());
  rows_ += originals;
  entries_ += originals * router_->tables();
  originals_ += originals;
  all_rows_ += segment.rows();
  heaps_ = heaps_ || !segment.copies().heaps().empty();
}

void RoutedSearch::add(const FreshLists& lists, const FreshTable& table, std::size_t begin) {
  fresh_.push_back({&lists, static_cast<std::uint32_t>(begin)});
  table_ = &table;
  fresh_rows_ += lists.rows();
  originals_ += lists.rows() - lists.copies().size();
  fresh_copies_ = fresh_copies_ || !lists.copies().empty();
  all_rows_ += lists.rows();
  heaps_ = heaps_ || !lists.heaps().empty();
  all_fresh_live_ = table.live() == table.rows();
}

std::optional<std::uint32_t> RoutedSearch::number(const Segment& segment, std::uint32_t original) const {
  for (const View& view : views_)
    if (view.segment == &segment) return view.first_row + original;
  return std::nullopt;
}

std::optional<std::uint32_t> RoutedSearch::fresh_number(std::size_t row) const {
  for (const FreshView& view : fresh_) {
    if (row < view.begin || row >= view.begin + view.lists->rows()) continue;
    const auto unlike = view.lists->unlike();
    auto listed = static_cast<std::uint32_t>(row - view.begin);
    const auto copy = std::ranges::find(view.lists->copies(), listed, &FreshLists::Copy::row);
    if (copy != view.lists->copies().end()) listed = copy->original;
    if (std::binary_search(unlike.begin(), unlike.end(), listed)) break;
    return rows_ + view.begin + listed;
  }
  return std::nullopt;
}

const RoutedSearch::FreshView& RoutedSearch::fresh_view_of(std::size_t row) const {
  return *std::ranges::find_if(fresh_, [&](const FreshView& view) {
    return row >= view.begin && row < view.begin + view.lists->rows();
  });
}

void RoutedSearch::search(const QueryBlock& queries, const Visit& visit, Scratch& scratch,
                          std::span<TopK> nearest, std::span<Stages> stages) const {
  for (std::size_t begin = 0; begin < queries.count; begin += tuning::kQueriesHashedAtOnce) {
    Stopwatch watch(scratch.laps);
    const QueryBlock some =
        queries.part(begin, std::min(tuning::kQueriesHashedAtOnce, queries.count - begin));
    hash(*router_, some, scratch);
    watch.lap(&Laps::hash);
    for (std::size_t q = 0; q < some.count; ++q) {
      if (begin + q > 0 && scratch.stopped()) return;
      take_up(*router_, q, scratch);
      search(some.query(q), visit, scratch, nearest[begin + q], stages[begin + q]);
    }
  }
}

void RoutedSearch::search(const Query& query, const Visit& visit, Scratch& scratch, TopK& nearest,
                          Stages& stages) const {
  Stopwatch watch(scratch.laps);
  Errand& errand = scratch.errand;
  errand.before = stages;
  order(visit, scratch, errand);
  watch.lap(&Laps::probe);
  for (std::size_t begin = 0; begin < router_->buckets(); begin = Budget::phase_end(begin)) {
    if (!choose(visit, begin, scratch, errand) ||
        (begin >= tuning::kBucketsBetweenAsking && scratch.stopped()))
      break;
    if (static_cast<double>(begin + errand.now.size()) > visit.most_probes) {
      stages.too_far = true;
      stages.missed = 1.0;
      return;
    }
    scan_phase(errand, stages);
  }
  scan_further(visit, scratch, errand, stages);
  const float kth = errand.candidates.kth();
  if (!(errand.e < Budget::kEndless)) errand.e = kth;
  stages.missed += visit.weight * (1.0 - visit.budget.recall_at(errand.e, kth));
  watch.lap(&Laps::scan);
  const auto finalists = with_heaps(shortlist(visit, scratch, errand), scratch);
  watch.lap(&Laps::narrow);
  rerank(query, finalists, scratch, nearest);
  const std::size_t compared = compare_unlike(query, scratch, nearest);
  watch.lap(&Laps::rerank);
  stages.candidates += static_cast<std::uint32_t>(errand.candidates.size());
  stages.reranked += static_cast<std::uint32_t>(finalists.size() + scratch.fresh.size() + compared);
}

}  // namespace lookalike
