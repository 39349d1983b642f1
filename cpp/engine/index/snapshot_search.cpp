// A search of the whole index: under each router its lists, and one by one what is in none.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/index/search_plan.hpp"
#include "engine/index/snapshot.hpp"
#include "engine/search/range.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

SearchResult Snapshot::search(const void* queries, std::size_t count, const SearchOptions& options,
                              const Interrupt& interrupt) const {
  SearchResult result{std::vector<std::int64_t>(count * options.k), std::vector<float>(count * options.k),
                      std::vector<Stages>(count)};
  search(queries, count, options, interrupt,
         {result.ids.data(), result.distances.data(), result.stages.data()});
  return result;
}

void Snapshot::search(const void* queries, std::size_t count, const SearchOptions& options,
                      const Interrupt& interrupt, const SearchRoom& room) const {
  const std::vector<float> scales = setting_->intake.check_queries(queries, count);
  std::fill_n(room.ids, count * options.k, -1);
  std::fill_n(room.distances, count * options.k, std::numeric_limits<float>::infinity());
  std::fill_n(room.stages, count, Stages());
  if (live_ == 0) return;
  std::unique_ptr<const Plan> own;
  const Plan& plan = this->plan(options, own);
  const bool by_rows = plan.scanned > tuning::kFewParts * rows_of_a_part() &&
                       2.0 * static_cast<double>(plan.scanned) > plan.rows &&
                       count < tuning::kFewQueries * thread_count(options.threads);
  Stop stop(interrupt, options.timeout);
  const auto answer = [&](std::size_t begin, std::size_t end) {
    if (begin > 0 && stop.now()) return;
    const auto scratch = setting_->scratch.borrow();
    scratch->stop = &stop;
    const QueryBlock block = setting_->intake.queries(queries, scales, begin, end - begin, scratch->queries);
    search_block(block, plan, options, begin, by_rows ? options.threads : 1, *scratch, room);
    scratch->stop = nullptr;
    stop.count_answered(end - begin);
  };
  if (count == 1) {  // counting the cores would take as long as a search among some hundred rows
    answer(0, 1);
  } else {
    const int threads = by_rows ? 1 : options.threads;
    const std::size_t workers = thread_count(threads);
    const std::size_t grain = std::clamp<std::size_t>((count + workers - 1) / workers, 1, kQueriesAtOnce);
    parallel_for(count, grain, threads, nullptr, answer);
  }
  stop.require_done(count);
}

void Snapshot::search_block(const QueryBlock& queries, const Plan& plan, const SearchOptions& options,
                            std::size_t first, int row_threads, Scratch& scratch,
                            const SearchRoom& room) const {
  const std::span stages(room.stages + first, queries.count);
  scratch.nearest.resize(std::max(scratch.nearest.size(), queries.count));
  const std::span nearest(scratch.nearest.data(), queries.count);
  const float max_key = key_of_distance(shape().metric, options.max_distance);
  for (TopK& top : nearest) top.reset(std::min(options.k, live_), max_key);

  for (std::size_t i = 0; i < plan.compared; ++i)
    scan(plan.wholes[i], queries, row_threads, scratch.stop, nearest, stages);
  for (const Plan::Routed& routed : plan.routed)
    routed.search.search(queries, routed.visit, scratch, nearest, stages);
  plan.each_unlisted(*this, [&](std::size_t begin, std::size_t end) {
    scan_fresh(queries, plan.fresh(*this), begin, end, row_threads, scratch.stop, nearest, stages);
  });

  for (std::size_t q = 0; q < queries.count; ++q) {
    std::size_t at = (first + q) * options.k;
    for (const Found& found : nearest[q].sorted()) {
      room.ids[at] = found.id;
      room.distances[at++] = distance_of_key(shape().metric, found.key);
    }
  }
  if (!plan.routed.empty() && options.probes == 0)
    compare_where_too_little(queries, plan, options, first, scratch, room);
}

// Those that would go too far, and those of which too little was measured for the recall that is asked for.
void Snapshot::compare_where_too_little(const QueryBlock& queries, const Plan& plan,
                                        const SearchOptions& options, std::size_t first, Scratch& scratch,
                                        const SearchRoom& room) const {
  constexpr double kRounding = 1e-6;
  if (!plan.comparable) return;
  SearchOptions exactly = options;
  exactly.exact = true;
  std::optional<Plan> whole;
  for (std::size_t q = 0; q < queries.count; ++q) {
    Stages& stages = room.stages[first + q];
    if (stages.recall() >= options.recall - kRounding) continue;
    if (scratch.stopped()) return;
    if (!whole) whole.emplace(make_plan(exactly));
    stages.missed = 0.0;
    const std::uint32_t compared = stages.reranked;
    search_block(queries.part(q, 1), *whole, exactly, first + q, 1, scratch, room);
    stages.whole = stages.reranked - compared;
  }
}

std::vector<Snapshot::Whole> Snapshot::wholes(const SearchOptions& options, bool with_lists) const {
  const auto has_fresh = [&](const Part& part) {
    return with_lists && std::ranges::any_of(lists_, [&](const Listed& listed) {
             return listed.lists->rows() > 0 && listed.lists->router() == part.segment->router();
           });
  };
  std::vector<Whole> wholes;
  wholes.reserve(parts_.size());
  for (const Part& part : parts_) {
    Whole whole{&part, part.live, part.live_count()};
    if (options.only != nullptr) {
      whole.allowed = options.only->among(part.segment, part.live);
      whole.count = whole.allowed->count();
    }
    if (whole.count > 0 || has_fresh(part)) wholes.push_back(std::move(whole));
  }
  return wholes;
}

std::unique_ptr<const FreshTable> Snapshot::allowed_fresh(const SearchOptions& options) const {
  if (options.only == nullptr || fresh_.rows() == 0) return nullptr;
  return std::make_unique<const FreshTable>(options.only->among(fresh_));
}

// What may be found in the lists of one router. Among rows of which only a share may be found, or is there,
// the k nearest lie as deep as k / share among all would. Where there are more rows than it was measured
// with, as many more are estimated as near as a neighbour.
class Snapshot::Planner {
 public:
  explicit Planner(const SearchOptions& options) : options_(options) {}

  void add(const Whole& whole) {
    routed_.search.add(whole.segment(), whole.allowed.get());
    allowed_ += whole.count;
    compared_ += cost_of_comparing(whole.segment(), whole.count);
    if (main_ == nullptr || whole.segment().originals() > main_->segment->originals()) main_ = whole.part;
  }
  void add(const Listed& listed, const FreshTable& table) {
    const std::size_t allowed = table.live(listed.begin, listed.end());
    routed_.search.add(*listed.lists, table, listed.begin);
    allowed_ += allowed;
    compared_ += cost_of_comparing(listed.lists->router()->form(), listed.lists->rows(), allowed);
  }

  const Router& router() const { return routed_.search.router(); }

  /// Nothing where comparing one by one costs less.
  std::optional<Plan::Routed> finish() {
    if (allowed_ == 0) return std::nullopt;
    Visit& visit = routed_.visit;
    Budget& budget = visit.budget;
    const RecallCurve& curve = main_->curve();
    const auto rows = static_cast<double>(routed_.search.rows());
    const auto originals = static_cast<double>(routed_.search.originals());
    const double share = static_cast<double>(allowed_) / rows;
    const std::size_t measured = main_->tuned != nullptr ? main_->segment->originals() : router().rows();
    const double times = originals / static_cast<double>(measured);
    const double among = share * std::min(1.0, times);  // of those that it was measured with
    visit.k = std::min(options_.k, allowed_);
    const auto k = static_cast<double>(visit.k);
    bool whole = false;
    if (options_.probes > 0) {
      budget = curve.budget_of(options_.probes, k / among);
      whole = options_.probes >= router().buckets();
    } else {
      budget = curve.budget_for(options_.recall, k, among);
    }
    const double growth = std::max(1.0, times);
    const bool enough = budget.grow(growth);
    visit.share_varies = allowed_ < routed_.search.rows();
    const auto as_many = static_cast<float>(originals / static_cast<double>(router().rows()));
    visit.share = static_cast<float>(share) * as_many;
    const auto unlike = [](double nearly) {
      return std::min(1.0F, static_cast<float>((1.0 - nearly) / (1.0 - tuning::kNearlyAll)));
    };
    visit.unlearned = std::max(unlike(share), unlike(1.0 / std::max(1.0F, as_many)));
    if (visit.share_varies)
      budget.level_limits(unlike(share));
    else
      for (Budget::Limits& limits : budget.limits) limits.left /= as_many;
    if (options_.probes > 0 && options_.rerank > 0) budget.rerank = options_.rerank;
    if (options_.probes == 0) {
      RecallCurve::Costs costs = router().costs(routed_.search.originals());
      if (visit.share_varies) costs = costs_of_some(costs, share);
      const double most = visit.share_varies ? compared_ + kept() : compared_;
      whole = budget.probes == 0 || !enough || costs.of(budget) > most;
      visit.most_probes = most / costs.probe;
    }
    if (among < tuning::kNearlyAll && options_.probes == 0)
      visit.evenly = share * originals * router().tables() / router().buckets();
    return whole ? std::nullopt : std::optional(std::move(routed_));
  }

 private:
  // Where not every row may be found, the buckets cost so many times what is foretold, and of the candidates
  // fewer are left the fewer rows may be found.
  static RecallCurve::Costs costs_of_some(RecallCurve::Costs all, double share) {
    const double candidates = std::min(1.0, tuning::kCandidatesByShare * std::sqrt(share));
    return {tuning::kDearerOfSome * all.probe, tuning::kDearerOfSome * candidates * all.rerank};
  }

  // Comparing one by one also costs what is kept for a while: in random order k (1 + ln(n / k)) rows.
  double kept() const {
    const auto k = static_cast<double>(routed_.visit.k);
    return tuning::kCostOfKeptRow * k * (1.0 + std::log(static_cast<double>(allowed_) / k));
  }

  const SearchOptions& options_;
  Plan::Routed routed_;
  const Part* main_ = nullptr;  // the largest, whose curve it is
  std::size_t allowed_ = 0;
  double compared_ = 0.0;  // what comparing one by one costs
};

const Snapshot::Plan& Snapshot::plan(const SearchOptions& options, std::unique_ptr<const Plan>& own) const {
  if (options.only == nullptr) {
    const Plans::Wanted wanted(options);
    for (auto& place : plans_->kept) {
      const Plans::Kept* kept = place.load(std::memory_order_acquire);
      if (kept == nullptr) {
        std::unique_ptr<const Plans::Kept> made(new Plans::Kept{wanted, make_plan(options)});
        if (place.compare_exchange_strong(kept, made.get(), std::memory_order_acq_rel)) kept = made.release();
      }  // or another thread was first
      if (kept->wanted == wanted) return kept->plan;
    }
  }
  own = std::make_unique<const Plan>(make_plan(options));
  return *own;
}

// How many rows are compared one by one, how many are searched, and what share each router has of them.
void Snapshot::Plan::sum_up(const Snapshot& snapshot) {
  each_unlisted(snapshot, [&](std::size_t begin, std::size_t end) { scanned += end - begin; });
  rows = static_cast<double>(scanned);
  for (std::size_t i = 0; i < compared; ++i) {
    const Segment& segment = wholes[i].segment();
    scanned += segment.originals();
    rows += static_cast<double>(segment.rows());
  }
  for (const Routed& each : routed) rows += static_cast<double>(each.search.rows());
  for (Routed& each : routed) each.visit.weight = static_cast<double>(each.search.rows()) / rows;
}

Snapshot::Plan Snapshot::make_plan(const SearchOptions& options) const {
  Plan plan;
  plan.wholes = wholes(options, !options.exact);
  plan.compared = plan.wholes.size();
  plan.allowed = allowed_fresh(options);
  if (!options.exact) route(options, plan);
  plan.sum_up(*this);
  return plan;
}

// Where that costs more, what is said is less.
bool Snapshot::comparable(const Plan& plan) const {
  const FreshTable& fresh = plan.fresh(*this);
  double cost = cost_of_comparing(form(), fresh.rows(), fresh.live());
  for (const Whole& whole : plan.wholes) cost += cost_of_comparing(whole.segment(), whole.count);
  return cost <= tuning::kMostToCompare;
}

// Takes up what is searched through lists.
void Snapshot::route(const SearchOptions& options, Plan& plan) const {
  const auto routed_by = [](const Whole& whole) { return whole.segment().router().get(); };
  auto begin = std::partition(plan.wholes.begin(), plan.wholes.end(),
                              [&](const Whole& whole) { return routed_by(whole) == nullptr; });
  plan.compared = static_cast<std::size_t>(begin - plan.wholes.begin());
  while (begin != plan.wholes.end()) {
    const Router* const router = routed_by(*begin);
    const auto end = std::partition(begin, plan.wholes.end(),
                                    [&](const Whole& whole) { return routed_by(whole) == router; });
    Planner planner(options);
    for (auto whole = begin; whole != end; ++whole) planner.add(*whole);
    for (const Listed& listed : lists_)
      if (listed.lists->router().get() == router && listed.lists->rows() > 0)
        planner.add(listed, plan.fresh(*this));
    if (auto routed = planner.finish()) {
      plan.routed.push_back(std::move(*routed));
    } else {
      const auto some = std::partition(begin, end, [](const Whole& whole) { return whole.count > 0; });
      std::rotate(plan.wholes.begin() + static_cast<std::ptrdiff_t>(plan.compared), begin, some);
      plan.compared += static_cast<std::size_t>(some - begin);
    }
    begin = end;
  }
  plan.comparable = comparable(plan);
  if (!plan.comparable)
    for (Plan::Routed& each : plan.routed) each.visit.most_probes = Visit().most_probes;
}

void Snapshot::scan(const Whole& whole, const QueryBlock& queries, int threads, Stop* stop,
                    std::span<TopK> nearest, std::span<Stages> stages) const {
  const auto scan_part = [&](std::size_t begin, std::size_t end, std::span<TopK> of_part) {
    compare(whole.segment(), queries, whole.allowed.get(), begin, end, of_part);
  };
  scan_in_parts(0, whole.segment().originals(), threads, stop, nearest, scan_part);
  const std::size_t compared = findable(whole.segment(), whole.allowed.get());
  for (Stages& each : stages) each.count_compared(compared);
}

void Snapshot::scan_fresh(const QueryBlock& queries, const FreshTable& fresh, std::size_t begin,
                          std::size_t end, int threads, Stop* stop, std::span<TopK> nearest,
                          std::span<Stages> stages) const {
  const auto scan_part = [&](std::size_t first, std::size_t last, std::span<TopK> of_part) {
    scan_fresh(queries, fresh, first, last, wanted(of_part),
               [&](std::size_t q, float key, std::int64_t id) { of_part[q].push(key, id); });
  };
  scan_in_parts(begin, end, threads, stop, nearest, scan_part);
  const std::size_t compared = fresh.live(begin, end);
  for (Stages& each : stages) each.count_compared(compared);
}

// Calls take(query number, key, id) for the fresh rows [begin, end), over all chunks, that may be found and
// whose key is at most limit(query number). Rows that are read in turn come faster than rows that are picked.
template <class Limit, class Take>
void Snapshot::scan_fresh(const QueryBlock& queries, const FreshTable& fresh, std::size_t begin,
                          std::size_t end, Limit limit, Take take) const {
  std::vector<std::uint32_t> few;
  for (std::size_t first = begin; first < end;) {
    const auto [chunk, skipped] = fresh.at(first);
    const std::size_t last = std::min<std::size_t>(end, first + chunk.size() - skipped);
    const std::size_t start = first - skipped;
    const auto offer = [&](std::size_t q, std::size_t row, float key) {
      if (key <= limit(q) && fresh.lives(start + row)) take(q, key, chunk.id(row));
    };
    StoredRows rows = chunk.stored(form());
    if (tuning::kPickedOneIn * fresh.live(first, last) > last - first) {
      rows.among = fresh.rows();
      rows.part(skipped, last - start).scan(queries, limit, [&](std::size_t q, std::size_t i, float key) {
        offer(q, skipped + i, key);
      });
    } else {
      few.clear();
      for (std::size_t row = first; (row = fresh.next_living(row, last)) < last; ++row)
        few.push_back(static_cast<std::uint32_t>(row - start));
      for (std::size_t q = 0; q < queries.count; ++q)
        rows.gather(queries.query(q), few, [&](std::size_t row, float key) { offer(q, row, key); });
    }
    first = last;
  }
}

std::size_t Snapshot::rows_of_a_part() const {
  return std::max<std::size_t>(1, tuning::kPartBytes / form().bytes());
}

// The nearest of each part hold the nearest of all, whatever their order. On one thread a part takes as long,
// and the next is not begun where the search is to stop.
template <class ScanPart>
void Snapshot::scan_in_parts(std::size_t first, std::size_t last, int threads, Stop* stop,
                             std::span<TopK> nearest, ScanPart scan_part) const {
  const std::size_t part = rows_of_a_part();
  if (threads == 1 || last - first <= part) {
    const std::size_t step =
        std::max(kRowsAtOnce, part * tuning::kFewQueries / (nearest.size() + tuning::kFewQueries - 1));
    for (std::size_t begin = first; begin < last; begin += step) {
      if (begin > first && stop != nullptr && stop->now()) return;
      const std::size_t end = std::min(last, begin + step);
      scan_part(begin, end, nearest);
      if (stop != nullptr && end < last) stop->count_compared((end - begin) * nearest.size());
    }
    return;
  }
  std::mutex nearest_mutex;
  parallel_for(last - first, part, threads, nullptr, [&](std::size_t begin, std::size_t end) {
    if (stop != nullptr && stop->now()) return;
    std::vector<TopK> of_part(nearest.size());
    std::unique_lock lock(nearest_mutex);
    for (std::size_t q = 0; q < nearest.size(); ++q) of_part[q].reset_beside(nearest[q]);
    lock.unlock();
    scan_part(first + begin, first + end, std::span(of_part));
    if (stop != nullptr) stop->count_compared((end - begin) * nearest.size());
    lock.lock();
    for (std::size_t q = 0; q < nearest.size(); ++q) nearest[q].push_all(of_part[q]);
  });
}

RangeResult Snapshot::range_search(const void* queries, std::size_t count, const SearchOptions& options,
                                   const Interrupt& interrupt) const {
  const std::vector<float> scales = setting_->intake.check_queries(queries, count);
  const std::vector<Whole> wholes = this->wholes(options, false);
  const auto allowed = allowed_fresh(options);
  const FreshTable& fresh = allowed != nullptr ? *allowed : fresh_;
  std::vector<std::vector<Found>> found(count);
  Stop stop(interrupt, options.timeout);
  parallel_for(count, 1, options.threads, nullptr, [&](std::size_t q, std::size_t) {
    if (q > 0 && stop.now()) return;
    const auto scratch = setting_->scratch.borrow();
    scratch->stop = &stop;
    const QueryBlock query = setting_->intake.queries(queries, scales, q, 1, scratch->queries);
    Explanation unasked;
    found[q] = within(query, wholes, fresh, options, *scratch, unasked);
    scratch->stop = nullptr;
    stop.count_answered(1);
  });
  stop.require_done(count);
  RangeResult result{{0}, {}, {}};
  for (const std::vector<Found>& of_query : found) {
    for (const Found& each : of_query) {
      result.ids.push_back(each.id);
      result.distances.push_back(distance_of_key(shape().metric, each.key));
    }
    result.starts.push_back(static_cast<std::int64_t>(result.ids.size()));
  }
  return result;
}

std::vector<Found> Snapshot::within(const QueryBlock& query, std::span<const Whole> wholes,
                                    const FreshTable& fresh, const SearchOptions& options, Scratch& scratch,
                                    Explanation& told) const {
  const float max_key = key_of_distance(shape().metric, options.max_distance);
  std::vector<Found> found;
  Stages& stages = told.stages;
  for (const Whole& whole : wholes) {
    const Stages did = lookalike::within(whole.segment(), query.query(0), max_key, whole.allowed.get(),
                                         options.exact, scratch, found);
    told.segments += std::size_t{did.whole == 0};
    told.compared_whole += did.whole;
    stages.probes += did.probes, stages.scanned += did.scanned;
    stages.candidates += did.candidates, stages.reranked += did.reranked;
  }
  stages.count_compared(fresh.live());
  told.compared_whole += fresh.live();
  const std::size_t part = rows_of_a_part();
  for (std::size_t begin = 0; begin < fresh.rows() && !scratch.stopped(); begin += part)
    scan_fresh(
        query, fresh, begin, std::min(fresh.rows(), begin + part), [max_key](std::size_t) { return max_key; },
        [&](std::size_t, float key, std::int64_t id) { found.push_back({key, id}); });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace lookalike
