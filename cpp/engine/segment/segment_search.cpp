// Queries through a segment: hash, probe, scan, rerank.
#include <algorithm>
#include <numeric>
#include <vector>

#include "engine/segment/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

void Segment::search(const QueryBlock& queries, const Visit& visit, Scratch& scratch, std::span<TopK> nearest,
                     std::span<Stages> stages) const {
  const std::size_t keep = std::max<std::size_t>(visit.budget.rerank, visit.k);
  Stopwatch watch(scratch.laps);
  for (std::size_t q = 0; q < queries.count; ++q) {
    Errand& errand = scratch.errand(q);
    hash(queries.query(q), scratch, errand);
    watch.lap(&Laps::hash);
    family_->order(errand.projected.data(), visit.budget.probes, scratch.hash, errand.order);
    errand.candidates.start(keep * tables());
    watch.lap(&Laps::probe);
  }
  if (queries.count == 1) {
    Errand& errand = scratch.errand(0);
    for (std::size_t i = 0; i < errand.order.size(); ++i) {
      if (i + 1 < errand.order.size()) sketches_->prefetch(errand.order[i + 1].bucket);
      scan_bucket(errand.order[i], visit.allowed, errand, stages[0]);
    }
  } else {
    // The nearest buckets first: they draw in the limits that spare work in all the others.
    const std::size_t nearest_few = (visit.budget.probes + 7) / 8;
    scan_together(visit, 0, nearest_few, queries.count, scratch, stages);
    scan_together(visit, nearest_few, visit.budget.probes, queries.count, scratch, stages);
  }
  for (std::size_t q = 0; q < queries.count; ++q) {
    Errand& errand = scratch.errand(q);
    if (stages[q].met < visit.enough * tables()) scan_further(visit, scratch, errand, stages[q]);
    watch.lap(&Laps::scan);
    const auto finalists = shortlist(queries.query(q), visit, scratch, errand);
    watch.lap(&Laps::narrow);
    rerank(queries.query(q), finalists, nearest[q]);
    watch.lap(&Laps::rerank);
    stages[q].candidates += static_cast<std::uint32_t>(errand.candidates.size());
    stages[q].reranked += static_cast<std::uint32_t>(finalists.size());
  }
}

std::span<const std::uint32_t> Segment::shortlist(const Query& query, const Visit& visit, Scratch& scratch,
                                                  Errand& errand) const {
  errand.candidates.finish();
  if (tables() > 1) errand.candidates.unite(std::max<std::size_t>(visit.budget.rerank, visit.k));
  return form_.compact() ? errand.candidates.kept() : narrow(query, visit, errand, scratch);
}

void Segment::hash(const Query& query, Scratch& scratch, Errand& errand) const {
  scratch.placed.resize(space_.dim());
  errand.projected.resize(projection_.m());
  space_.place_query(query.vector, query.scale, scratch.placed.data());
  projection_.apply(scratch.placed.data(), 1.0F, errand.projected.data());
  errand.table.make(errand.projected.data(), projection_.m());
}

// The probes [from, to) of all queries, bucket by bucket, so that a bucket comes from memory once.
void Segment::scan_together(const Visit& visit, std::size_t from, std::size_t to, std::size_t queries,
                            Scratch& scratch, std::span<Stages> stages) const {
  const auto probes_of = [&](std::size_t q) {
    const std::span<const Near> order = scratch.errand(q).order;
    return order.subspan(std::min(from, order.size()),
                         std::min(to, order.size()) - std::min(from, order.size()));
  };
  scratch.starts.assign(buckets() + std::size_t{2}, 0);
  for (std::size_t q = 0; q < queries; ++q)
    for (const Near& near : probes_of(q)) ++scratch.starts[near.bucket + 2];
  std::partial_sum(scratch.starts.begin(), scratch.starts.end(), scratch.starts.begin());
  scratch.visitors.resize(scratch.starts.back());
  for (std::uint32_t q = 0; q < queries; ++q)
    for (const Near& near : probes_of(q)) scratch.visitors[scratch.starts[near.bucket + 1]++] = {near, q};
  for (const Visitor& visitor : scratch.visitors)
    scan_bucket(visitor.near, visit.allowed, scratch.errand(visitor.query), stages[visitor.query]);
}

void Segment::scan_bucket(Near near, const Bits* allowed, Errand& errand, Stages& stages) const {
  const std::uint32_t first = sketches_->first(near.bucket);
  const std::uint32_t count = sketches_->count(near.bucket);
  const std::size_t met = allowed != nullptr ? count_allowed(*allowed, first, first + count) : count;
  ++stages.probes;
  stages.met += static_cast<std::uint32_t>(met);
  if (met == 0) return;
  stages.scanned += count;
  Candidates& candidates = errand.candidates;
  float* estimates = candidates.estimates(count);
  const std::size_t appended =
      kernels().scan_sketches(sketches_->blocks(near.bucket), count, errand.table.view(), near.key,
                              candidates.limit(), first, estimates, candidates.numbers());
  if (first >= rows())
    std::transform(candidates.numbers(), candidates.numbers() + appended, candidates.numbers(),
                   [this](std::uint32_t entry) { return row_of(entry); });
  if (met == count)
    candidates.take(appended);
  else
    candidates.take(appended, *allowed);
}

std::size_t Segment::count_allowed(const Bits& allowed, std::uint32_t begin, std::uint32_t end) const {
  if (begin < rows()) return allowed.count(begin, end);
  std::size_t count = 0;
  for (std::uint32_t entry = begin; entry < end; ++entry) count += std::size_t{allowed[row_of(entry)]};
  return count;
}

// More neighbours were wanted than the probes met: the rest of the buckets, nearest first, as far as it
// takes. Or a filter leaves out what lies near the query: then the nearest of the others may be anywhere, the
// budget was measured for another case, and all sketches are looked at.
void Segment::scan_further(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const {
  constexpr std::size_t kShare = 64;  // so much of what may be found is reranked then
  std::vector<bool> visited(buckets());
  if (visit.everywhere)
    errand.candidates.start(std::max<std::size_t>(visit.budget.rerank, visit.allowed->count() / kShare) *
                            tables());
  else
    for (const Near& near : errand.order) visited[near.bucket] = true;
  family_->order(errand.projected.data(), buckets(), scratch.hash, errand.order);
  for (const Near& near : errand.order) {
    if (!visit.everywhere && stages.met >= visit.enough * tables()) return;
    if (!visited[near.bucket]) scan_bucket(near, visit.allowed, errand, stages);
  }
}

// The 8-bit distances order the candidates nearly right: few beyond the k-th can belong among the nearest.
std::span<const std::uint32_t> Segment::narrow(const Query& query, const Visit& visit, const Errand& errand,
                                               Scratch& scratch) const {
  Candidates& finalists = scratch.finalists;
  const auto rows = errand.candidates.kept();
  const double few = static_cast<double>(visit.budget.narrowing) * static_cast<double>(visit.k) + 8.0;
  finalists.start(few < static_cast<double>(rows.size()) ? static_cast<std::size_t>(few) : rows.size());
  float* keys = finalists.estimates(rows.size());
  std::copy(rows.begin(), rows.end(), finalists.numbers());
  if (file_)
    for (const std::uint32_t row : rows) file_->touch(bytes_.row(row), ByteRows::stride(byte_width()));
  bytes_.keys(byte_query(query, errand, scratch), rows, keys);
  finalists.take(rows.size());
  finalists.finish();
  return finalists.kept();
}

const float* Segment::byte_query(const Query& query, const Errand& errand, Scratch& scratch) const {
  if (projection_.isometric()) return errand.projected.data();
  scratch.placed.resize(space_.dim());
  space_.place_query(query.vector, query.scale, scratch.placed.data());
  return scratch.placed.data();
}

void Segment::rerank(const Query& query, std::span<const std::uint32_t> rows, TopK& nearest) const {
  for (const std::uint32_t row : rows) touch(row, row + std::size_t{1});
  stored().gather(query, rows, [&](std::size_t row, float key) { nearest.push(key, ids_[row]); });
}

void Segment::scan(const QueryBlock& queries, const Bits* allowed, std::span<TopK> nearest,
                   std::span<Stages> stages) const {
  const std::size_t met = allowed != nullptr ? allowed->count(0, rows()) : rows();
  if (met * 8 > rows()) {
    touch(0, rows());
    stored().scan(queries, [&](std::size_t q, std::size_t row, float key) {
      if (allowed == nullptr || (*allowed)[row]) nearest[q].push(key, ids_[row]);
    });
  } else {
    std::vector<std::uint32_t> few;
    few.reserve(met);
    for (std::uint32_t row = 0; row < rows(); ++row)
      if ((*allowed)[row]) few.push_back(row);
    for (const std::uint32_t row : few) touch(row, row + std::size_t{1});
    for (std::size_t q = 0; q < queries.count; ++q)
      stored().gather(queries.query(q), few,
                      [&](std::size_t row, float key) { nearest[q].push(key, ids_[row]); });
  }
  for (Stages& each : stages) {
    each.candidates += static_cast<std::uint32_t>(met);
    each.reranked += static_cast<std::uint32_t>(met);
  }
}

}  // namespace lookalike
