// A search of the whole index: each segment as its plan says, then the fresh rows.
#include <algorithm>
#include <cmath>
#include <mutex>

#include "engine/index/search_plan.hpp"
#include "engine/index/snapshot.hpp"

namespace lookalike {

namespace {

constexpr double kNearlyAll = 0.9;  // where more may be found, those left out do not change the case

// Threads share the rows where most are compared, with so few queries that a thread waits for the memory and
// not for its arithmetic. A part is 0.1 ms of one query's work; a few of them are not worth a thread.
constexpr std::size_t kPartBytes = std::size_t{4} << 20;
constexpr std::size_t kFewParts = 4;
constexpr std::size_t kFewQueries = 8;  // for each thread

}  // namespace

SearchResult Snapshot::search(const void* queries, std::size_t count, const SearchOptions& options,
                              const Interrupt& interrupt) const {
  SearchResult result{std::vector<std::int64_t>(count * options.k), std::vector<float>(count * options.k),
                      std::vector<Stages>(count), 1.0};
  result.recall = search(queries, count, options, interrupt,
                         {result.ids.data(), result.distances.data(), result.stages.data()});
  return result;
}

double Snapshot::search(const void* queries, std::size_t count, const SearchOptions& options,
                        const Interrupt& interrupt, const SearchRoom& room) const {
  const std::vector<float> scales = setting_->intake.check_queries(queries, count);
  std::fill_n(room.ids, count * options.k, -1);
  std::fill_n(room.distances, count * options.k, std::numeric_limits<float>::infinity());
  std::fill_n(room.stages, count, Stages());
  if (live_ == 0) return 1.0;
  const std::vector<Plan> plans = this->plans(options);
  double rows = static_cast<double>(fresh_rows_), found = rows;
  std::size_t scanned = fresh_rows_;
  for (const Plan& plan : plans) {
    rows += static_cast<double>(plan.segment->rows());
    found += static_cast<double>(plan.segment->rows()) * (plan.scan ? 1.0 : plan.visit.budget.recall);
    if (plan.scan) scanned += plan.segment->originals();
  }
  const double recall = rows > 0 ? found / rows : 1.0;

  const bool by_rows = scanned > kFewParts * rows_of_a_part() && 2.0 * static_cast<double>(scanned) > rows &&
                       count < kFewQueries * thread_count(options.threads);
  Stop stop(interrupt, options.timeout);
  const auto answer = [&](std::size_t begin, std::size_t end) {
    if (begin > 0 && stop.now()) return;
    const auto scratch = setting_->scratch.borrow();
    scratch->stop = &stop;
    const QueryBlock block = setting_->intake.queries(queries, scales, begin, end - begin, scratch->queries);
    search_block(block, plans, options, begin, by_rows ? options.threads : 1, *scratch, room);
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
  return recall;
}

void Snapshot::search_block(const QueryBlock& queries, std::span<const Plan> plans,
                            const SearchOptions& options, std::size_t first, int row_threads,
                            Scratch& scratch, const SearchRoom& room) const {
  const std::span stages(room.stages + first, queries.count);
  scratch.nearest.resize(std::max(scratch.nearest.size(), queries.count));
  const std::span nearest(scratch.nearest.data(), queries.count);
  const float max_key = key_of_distance(shape().metric, options.max_distance);
  for (TopK& top : nearest) top.reset(std::min(options.k, live_), max_key);

  for (const Plan& plan : plans) {
    if (plan.scan)
      scan(plan, queries, row_threads, scratch.stop, nearest, stages);
    else
      plan.segment->search(queries, plan.visit, scratch, nearest, stages);
  }
  scan_fresh(queries, options, row_threads, scratch.stop, nearest, stages);

  for (std::size_t q = 0; q < queries.count; ++q) {
    std::size_t at = (first + q) * options.k;
    for (const Found& found : nearest[q].sorted()) {
      room.ids[at] = found.id;
      room.distances[at++] = distance_of_key(shape().metric, found.key);
    }
  }
}

std::vector<Snapshot::Plan> Snapshot::plans(const SearchOptions& options) const {
  std::vector<Plan> plans;
  plans.reserve(parts_.size());  // the visits point into the plans
  for (const Part& part : parts_) {
    plans.push_back(plan(part, options));
    if (plans.back().allowed_count == 0) plans.pop_back();
  }
  return plans;
}

// Among rows of which only a share may be found, the k nearest lie as deep as k / share among all would.
Snapshot::Plan Snapshot::plan(const Part& part, const SearchOptions& options) const {
  const Segment& segment = *part.segment;
  Plan plan{&segment, part.live, part.live_count(), true, {}};
  if (options.only != nullptr) {
    plan.allowed = options.only->among(part.segment, part.live.get());
    plan.allowed_count = plan.allowed->count();
  }
  plan.visit.allowed = plan.allowed.get();
  if (options.exact || !segment.hashed() || plan.allowed_count == 0) return plan;
  const double share = static_cast<double>(plan.allowed_count) / static_cast<double>(segment.rows());
  plan.visit.k = std::min(options.k, plan.allowed_count);
  const auto k = static_cast<double>(plan.visit.k);
  Budget& budget = plan.visit.budget;
  if (options.probes > 0) {
    budget = part.curve().budget_of(options.probes, k / share);
    if (options.rerank > 0) budget.rerank = options.rerank;
    plan.scan = options.probes >= segment.buckets();
  } else {
    budget = part.curve().budget_for(options.recall, k, share);
    plan.scan = budget.probes == 0 || segment.cost_of(budget) > segment.cost_of_scan(plan.allowed_count);
  }
  if (share < kNearlyAll && options.probes == 0)
    plan.visit.evenly =
        share * static_cast<double>(segment.originals() * segment.tables()) / segment.buckets();
  return plan;
}

void Snapshot::scan(const Plan& plan, const QueryBlock& queries, int threads, Stop* stop,
                    std::span<TopK> nearest, std::span<Stages> stages) const {
  const auto scan_part = [&](std::size_t begin, std::size_t end, std::span<TopK> of_part) {
    plan.segment->scan(queries, plan.visit.allowed, begin, end, of_part);
  };
  scan_in_parts(plan.segment->originals(), threads, stop, nearest, scan_part);
  const std::size_t compared = plan.segment->findable(plan.visit.allowed);
  for (Stages& each : stages) each.count_compared(compared);
}

void Snapshot::scan_fresh(const QueryBlock& queries, const SearchOptions& options, int threads, Stop* stop,
                          std::span<TopK> nearest, std::span<Stages> stages) const {
  const auto scan_part = [&](std::size_t begin, std::size_t end, std::span<TopK> of_part) {
    scan_fresh(queries, begin, end, options.only, wanted(of_part),
               [&](std::size_t q, float key, std::int64_t id) { of_part[q].push(key, id); });
  };
  scan_in_parts(fresh_rows_, threads, stop, nearest, scan_part);
  for (Stages& each : stages) each.count_compared(fresh_rows_);
}

// Calls take(query number, key, id) for the fresh rows [begin, end), over all chunks, that may be found and
// whose key is at most limit(query number).
template <class Limit, class Take>
void Snapshot::scan_fresh(const QueryBlock& queries, std::size_t begin, std::size_t end, const Filter* only,
                          Limit limit, Take take) const {
  std::size_t first = 0;  // row of the chunk
  for (const FreshRows& chunk : fresh_) {
    const std::size_t from = std::max(begin, first), to = std::min(end, first + chunk.size());
    if (from < to) {
      StoredRows rows = chunk.stored(form());
      rows.among = fresh_rows_;
      const std::size_t skipped = from - first;
      rows.part(skipped, to - first).scan(queries, limit, [&](std::size_t q, std::size_t i, float key) {
        const std::size_t row = skipped + i;
        if (key <= limit(q) && chunk[row] && (only == nullptr || only->admits(chunk.id(row))))
          take(q, key, chunk.id(row));
      });
    }
    first += chunk.size();
  }
}

std::size_t Snapshot::rows_of_a_part() const {
  return std::max<std::size_t>(1, kPartBytes / form().bytes());
}

// The nearest of each part hold the nearest of all, whatever their order. On one thread a part takes as long,
// and the next is not begun where the search is to stop.
template <class ScanPart>
void Snapshot::scan_in_parts(std::size_t rows, int threads, Stop* stop, std::span<TopK> nearest,
                             ScanPart scan_part) const {
  const std::size_t part = rows_of_a_part();
  if (threads == 1 || rows <= part) {
    const std::size_t step = std::max(kRowsAtOnce, part * kFewQueries / (nearest.size() + kFewQueries - 1));
    for (std::size_t begin = 0; begin < rows; begin += step) {
      if (begin > 0 && stop != nullptr && stop->now()) return;
      const std::size_t end = std::min(rows, begin + step);
      scan_part(begin, end, nearest);
      if (stop != nullptr && end < rows) stop->count_compared((end - begin) * nearest.size());
    }
    return;
  }
  std::mutex nearest_mutex;
  parallel_for(rows, part, threads, nullptr, [&](std::size_t begin, std::size_t end) {
    if (stop != nullptr && stop->now()) return;
    std::vector<TopK> of_part(nearest.size());
    std::unique_lock lock(nearest_mutex);
    for (std::size_t q = 0; q < nearest.size(); ++q) of_part[q].reset_beside(nearest[q]);
    lock.unlock();
    scan_part(begin, end, std::span(of_part));
    if (stop != nullptr) stop->count_compared((end - begin) * nearest.size());
    lock.lock();
    for (std::size_t q = 0; q < nearest.size(); ++q) nearest[q].push_all(of_part[q]);
  });
}

RangeResult Snapshot::range_search(const void* queries, std::size_t count, const SearchOptions& options,
                                   const Interrupt& interrupt) const {
  const std::vector<float> scales = setting_->intake.check_queries(queries, count);
  const std::vector<Plan> plans = this->plans(options);
  std::vector<std::vector<Found>> found(count);
  Stop stop(interrupt, options.timeout);
  parallel_for(count, 1, options.threads, nullptr, [&](std::size_t q, std::size_t) {
    if (q > 0 && stop.now()) return;
    const auto scratch = setting_->scratch.borrow();
    scratch->stop = &stop;
    const QueryBlock query = setting_->intake.queries(queries, scales, q, 1, scratch->queries);
    found[q] = within(query, plans, options, *scratch);
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

std::vector<Found> Snapshot::within(const QueryBlock& query, std::span<const Plan> plans,
                                    const SearchOptions& options, Scratch& scratch) const {
  const float max_key = key_of_distance(shape().metric, options.max_distance);
  std::vector<Found> found;
  for (const Plan& plan : plans)
    plan.segment->within(query.query(0), max_key, plan.visit.allowed, options.exact, scratch, found);
  const std::size_t part = rows_of_a_part();
  for (std::size_t begin = 0; begin < fresh_rows_ && !scratch.stopped(); begin += part)
    scan_fresh(
        query, begin, std::min(fresh_rows_, begin + part), options.only,
        [max_key](std::size_t) { return max_key; },
        [&](std::size_t, float key, std::int64_t id) { found.push_back({key, id}); });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace lookalike
