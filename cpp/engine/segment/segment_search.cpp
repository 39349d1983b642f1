// Queries through a segment: hash, probe, scan, rerank.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/segment/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kLong = 64;  // buckets: some ten microseconds

constexpr std::size_t kHashedAtOnce = 16;  // queries
constexpr double kUsual = 0.6;  // of what evenly spread rows would give, the probes meet at least so much

}  // namespace

void Segment::search(const QueryBlock& queries, const Visit& visit, Scratch& scratch, std::span<TopK> nearest,
                     std::span<Stages> stages) const {
  for (std::size_t begin = 0; begin < queries.count; begin += kHashedAtOnce) {
    Stopwatch watch(scratch.laps);
    const QueryBlock some = queries.part(begin, std::min(kHashedAtOnce, queries.count - begin));
    hash(some, scratch);
    watch.lap(&Laps::hash);
    for (std::size_t q = 0; q < some.count; ++q) {
      if (begin + q > 0 && scratch.stopped()) return;
      take_up(q, scratch);
      search(some.query(q), visit, scratch, nearest[begin + q], stages[begin + q]);
    }
  }
}

void Segment::search(const Query& query, const Visit& visit, Scratch& scratch, TopK& nearest,
                     Stages& stages) const {
  Stopwatch watch(scratch.laps);
  Errand& errand = scratch.errand;
  errand.before = stages;
  order(visit, scratch, errand);
  watch.lap(&Laps::probe);
  for (std::size_t begin = 0; begin < buckets(); begin = Budget::phase_end(begin)) {
    if (!choose(visit, begin, scratch, errand) || (begin >= kLong && scratch.stopped())) break;
    scan_phase(visit, errand, stages);
  }
  scan_further(visit, scratch, errand, stages);
  watch.lap(&Laps::scan);
  const auto finalists = shortlist(visit, scratch, errand);
  watch.lap(&Laps::narrow);
  rerank(query, finalists, visit.allowed, nearest);
  watch.lap(&Laps::rerank);
  stages.candidates += static_cast<std::uint32_t>(errand.candidates.size());
  stages.reranked += static_cast<std::uint32_t>(finalists.size());
}

// How many buckets a query visits by margins shows on the way: twice as many as usual are put in order,
// others on demand.
void Segment::order(const Visit& visit, Scratch& scratch, Errand& errand) const {
  constexpr std::uint32_t kAtLeast = 32;
  const Budget& budget = visit.budget;
  const std::size_t want = budget.by_margins() ? std::max(2 * budget.probes, kAtLeast) : budget.probes;
  family_->order(errand.query(), want, scratch.hash, errand.order);
  errand.searching = true;
  errand.elsewhere = false;
  if (budget.by_margins())
    errand.candidates.start(kMostCandidates, visit.k);
  else
    errand.candidates.start(std::max<std::size_t>(budget.rerank, visit.k) * tables());
}

// The buckets of the phase that begins at this place of the order.
bool Segment::choose(const Visit& visit, std::size_t begin, Scratch& scratch, Errand& errand) const {
  errand.now = {};
  if (!errand.searching) return false;
  const Budget& budget = visit.budget;
  std::size_t end = std::min<std::size_t>(buckets(), Budget::phase_end(begin));
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
  errand.candidates.keep_only(std::max(visit.k, budget.most_candidates(kth)));
  errand.now = std::span<const Near>(errand.order).subspan(begin, end - begin);
  const auto too_far =
      std::find_if(errand.now.begin(), errand.now.end(), [=](const Near& near) { return near.key > limit; });
  errand.searching = errand.searching && too_far == errand.now.end();
  errand.now = errand.now.first(static_cast<std::size_t>(too_far - errand.now.begin()));
  return !errand.now.empty();
}

// A longer order may know of a bucket that the shorter one missed: it comes next.
void Segment::order_more(std::size_t want, Scratch& scratch, Errand& errand) const {
  family_->order(errand.query(), want, scratch.hash, scratch.order);
  scratch.visited.assign(buckets(), false);
  for (const Near& near : errand.order) scratch.visited[near.bucket] = true;
  for (const Near& near : scratch.order)
    if (!scratch.visited[near.bucket]) errand.order.push_back(near);
}

// Where a filter leaves out what lies near the query, many rows are about as far as the neighbours are.
std::size_t Segment::most_candidates(const Visit& visit, Errand& errand) const {
  constexpr std::size_t kMoreElsewhere = 3;
  const std::size_t most = visit.budget.most_candidates(errand.candidates.kth());
  return std::max(visit.k, errand.elsewhere ? kMoreElsewhere * most : most);
}

std::span<const std::uint32_t> Segment::shortlist(const Visit& visit, Scratch& scratch,
                                                  Errand& errand) const {
  if (visit.budget.by_margins()) errand.candidates.keep_only(most_candidates(visit, errand));
  errand.candidates.finish();
  if (tables() > 1) errand.candidates.unite(std::max<std::size_t>(visit.budget.rerank, visit.k));
  return form_.compact() ? errand.candidates.kept() : narrow(visit, errand, scratch);
}

// Matrices, once loaded, serve several queries.
void Segment::hash(const QueryBlock& queries, Scratch& scratch) const {
  const std::size_t dim = space_.dim(), m = projection_.m(), landmarks = family_->landmarks();
  const auto make_room = [&](std::vector<float>& values, std::size_t each) {
    values.resize(std::max(values.size(), queries.count * each));
  };
  make_room(scratch.placed, dim);
  make_room(scratch.projected, m);
  make_room(scratch.landmarks, landmarks);
  for (std::size_t q = 0; q < queries.count; ++q)
    space_.place_query(queries.query(q).vector, queries.scales[q], scratch.placed.data() + q * dim);
  projection_.apply(scratch.placed.data(), nullptr, queries.count, scratch.projected.data(),
                    scratch.projection);
  family_->look(scratch.projected.data(), queries.count, scratch.landmarks.data());
}

// The next of those that were hashed.
void Segment::take_up(std::size_t q, Scratch& scratch) const {
  Errand& errand = scratch.errand;
  errand.placed = scratch.placed.data() + q * space_.dim();
  errand.projected = scratch.projected.data() + q * projection_.m();
  errand.landmarks = scratch.landmarks.data() + q * family_->landmarks();
  errand.table.make(errand.projected, sketches_->layout());
}

void Segment::hash(const Query& query, Scratch& scratch) const {
  hash(QueryBlock::of(query), scratch);
  take_up(0, scratch);
}

// The bucket behind the last one of a phase will hardly ever not be visited.
void Segment::scan_phase(const Visit& visit, Errand& errand, Stages& stages) const {
  const auto end = static_cast<std::size_t>(errand.now.data() - errand.order.data()) + errand.now.size();
  const auto next = std::span<const Near>(errand.order).subspan(end).first(end < errand.order.size() ? 1 : 0);
  scan_buckets(errand.now, next, visit.allowed, errand, stages);
}

// In parts, after each of which the limit is drawn in.
void Segment::scan_buckets(std::span<const Near> buckets, std::span<const Near> next, const Allowed* allowed,
                           Errand& errand, Stages& stages) const {
  constexpr std::size_t kBlocksAtOnce = 16;
  auto& list = errand.blocks;
  list.start(sketches_->layout().block_bytes());
  std::size_t scanned = 0, met = 0;
  for (const Near& near : buckets) {
    const BlockToScan bucket = sketches_->bucket(near.bucket, near.key);
    const std::size_t findable = allowed != nullptr
                                     ? count_findable(*allowed, bucket.first, bucket.first + bucket.count)
                                     : bucket.count;
    met += findable;
    if (findable == 0) continue;
    scanned += bucket.count;
    list.add(bucket);
  }
  stages.probes += static_cast<std::uint32_t>(buckets.size());
  stages.met += static_cast<std::uint32_t>(met);
  stages.scanned += static_cast<std::uint32_t>(scanned);
  const std::size_t blocks = list.count();
  for (const Near& near : next) list.add(sketches_->bucket(near.bucket, near.key));
  Candidates& candidates = errand.candidates;
  for (std::size_t begin = 0; begin < blocks; begin += kBlocksAtOnce) {
    const BlocksToScan part = list.part(begin, std::min(kBlocksAtOnce, blocks - begin));
    float* estimates = candidates.estimates(part.count * SketchLayout::kEntries);
    std::uint32_t* numbers = candidates.numbers();
    const std::size_t appended =
        kernels().scan_sketches(part, errand.table.view(), candidates.limit(), estimates, numbers);
    if (tables() > 1)
      std::transform(numbers, numbers + appended, numbers,
                     [this](std::uint32_t entry) { return row_of(entry); });
    if (met == scanned)
      candidates.take(appended);
    else
      candidates.take(appended, [&](std::uint32_t row) { return allowed->originals()[row]; });
  }
}

void Segment::scan_bucket(Near near, const Allowed* allowed, Errand& errand, Stages& stages) const {
  scan_buckets({&near, 1}, {}, allowed, errand, stages);
}

std::size_t Segment::count_findable(const Allowed& allowed, std::uint32_t begin, std::uint32_t end) const {
  if (begin < originals_) return allowed.originals().count(begin, end);
  std::size_t count = 0;
  for (std::uint32_t entry = begin; entry < end; ++entry)
    count += std::size_t{allowed.originals()[row_of(entry)]};
  return count;
}

// More neighbours were wanted than the probes met, or the filter has to do with where the query is: the
// budget was measured for another case. Then the rest of the buckets, nearest first, as far as it takes.
void Segment::scan_further(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const {
  if (visit.budget.by_margins()) return scan_by_distance(visit, scratch, errand, stages);
  constexpr std::size_t kShare = 64;  // so much of what may be found is reranked then
  const std::size_t probes = stages.probes - errand.before.probes;
  const auto met = [&] { return stages.met - errand.before.met; };
  const bool everywhere = met() < kUsual * visit.evenly * static_cast<double>(probes);
  if (!everywhere && met() >= visit.k * tables()) return;
  std::vector<bool> visited(buckets());
  if (everywhere)
    errand.candidates.start(std::max<std::size_t>(visit.budget.rerank, findable(visit.allowed) / kShare) *
                            tables());
  else
    for (const Near& near : errand.order) visited[near.bucket] = true;
  family_->order(errand.query(), buckets(), scratch.hash, errand.order);
  std::size_t further = 0;
  for (const Near& near : errand.order) {
    if ((!everywhere && met() >= visit.k * tables()) || (++further % kLong == 0 && scratch.stopped())) return;
    if (!visited[near.bucket]) scan_bucket(near, visit.allowed, errand, stages);
  }
}

// As far as the distances of the centres tell that nearer rows may come. Where the filter lets more through
// near the query than elsewhere, the neighbours are as near as those among more of the rows. Where it leaves
// out what lies near the query, they lie farther away than any that a margin was measured with, and in all
// directions: a row of a bucket may be nearer than ‖q − c‖² + ‖r‖² by so many standard errors 2‖q − c‖‖r‖ /
// √m, of which some are the estimates' own.
void Segment::scan_by_distance(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const {
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
  const auto widen = [&](const Near& near) { radius = std::max(radius, reaches_[near.bucket].radius); };
  for (std::size_t i = 0; far && i < visited; ++i) widen(errand.order[i]);
  for (; visited < buckets(); ++visited) {
    if (visited == errand.order.size())
      order_more(std::min<std::size_t>(2 * visited, buckets()), scratch, errand);
    const Near& near = errand.order[visited];
    if (far) {
      widen(near);
      const float spread = kStandardErrors * std::sqrt(near.key / static_cast<float>(projection_.m()));
      const float residual = std::min(radius, spread);
      margin = residual * (2.0F * spread - residual);
    }
    if (met() >= visit.k && near.key > errand.candidates.kth() + margin) return;
    if ((visited + 1) % kLong == 0 && scratch.stopped()) return;
    scan_bucket(near, visit.allowed, errand, stages);
  }
}

// The 8-bit distances order the candidates nearly right: few beyond the k-th can belong among the nearest.
std::span<const std::uint32_t> Segment::narrow(const Visit& visit, const Errand& errand,
                                               Scratch& scratch) const {
  Candidates& finalists = scratch.finalists;
  const auto rows = errand.candidates.kept();
  const double few = static_cast<double>(visit.budget.narrowing) * static_cast<double>(visit.k) + 8.0;
  finalists.start(few < static_cast<double>(rows.size()) ? static_cast<std::size_t>(few) : rows.size());
  float* keys = finalists.estimates(rows.size());
  std::copy(rows.begin(), rows.end(), finalists.numbers());
  if (file_)
    for (const std::uint32_t row : rows) file_->touch(bytes_.row(row), ByteRows::stride(byte_width()));
  bytes_.keys(byte_query(errand), rows, scratch.byte_rows, keys);
  finalists.take(rows.size());
  finalists.finish();
  return finalists.kept();
}

const float* Segment::byte_query(const Errand& errand) const {
  return projection_.isometric() ? errand.projected : errand.placed;
}

// Ids lie anywhere too, and are asked for while the distances are computed.
void Segment::rerank(const Query& query, std::span<const std::uint32_t> rows, const Allowed* allowed,
                     TopK& nearest) const {
  for (const std::uint32_t row : rows) {
    touch(row, row + std::size_t{1});
    __builtin_prefetch(ids_.data() + row);
  }
  stored().gather(query, rows, [&](std::size_t row, float key) {
    if (nearest.admits(key))
      take_equals(row, allowed, [&](std::int64_t id) { return nearest.push(key, id); });
  });
}

void Segment::scan(const QueryBlock& queries, const Allowed* allowed, std::size_t begin, std::size_t end,
                   std::span<TopK> nearest) const {
  const auto offer = [&](std::size_t q, std::size_t row, float key) {
    if (nearest[q].admits(key))  // few are
      take_equals(row, allowed, [&](std::int64_t id) { return nearest[q].push(key, id); });
  };
  const auto first = static_cast<std::uint32_t>(begin), last = static_cast<std::uint32_t>(end);
  const std::size_t met = allowed != nullptr ? count_findable(*allowed, first, last) : end - begin;
  if (met * 8 > end - begin) {
    touch(begin, end);
    stored().part(begin, end).scan(queries, wanted(nearest), [&](std::size_t q, std::size_t i, float key) {
      offer(q, begin + i, key);
    });
    return;
  }
  std::vector<std::uint32_t> few;
  few.reserve(met);
  const PagedBits& originals = allowed->originals();
  for (std::size_t row = originals.next(first, last); row < last; row = originals.next(row + 1, last))
    few.push_back(static_cast<std::uint32_t>(row));
  for (const std::uint32_t row : few) touch(row, row + std::size_t{1});
  for (std::size_t q = 0; q < queries.count; ++q)
    stored().gather(queries.query(q), few, [&](std::size_t row, float key) { offer(q, row, key); });
}

}  // namespace lookalike
