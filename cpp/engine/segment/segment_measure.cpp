// Measuring the recall at sealing: rows that were held out ask for their own neighbours.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "engine/segment/search_scratch.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/tally.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kRowsBetweenBreaths = 16384;
constexpr std::size_t kForGrid = 1000;  // queries, where only searches with given probes ask the grid

}  // namespace

// What the stages cost beside each other, in nanoseconds of one machine; only the ratios count.
RecallCurve::Costs Segment::costs() const {
  const auto groups = static_cast<double>(sketches_->layout().groups);
  const double entries = static_cast<double>(originals_) / buckets();
  return {30.0 + entries * (0.2 + 0.02 * groups), 14.0 + 0.025 * static_cast<double>(byte_width())};
}

// Rows that are read in turn come faster than rows that are picked.
double Segment::cost_of_scan(std::size_t allowed) const {
  const auto bytes = static_cast<double>(form_.bytes());
  return std::min(static_cast<double>(originals_) * (1.0 + 0.025 * bytes),
                  static_cast<double>(allowed) * (10.0 + 0.05 * bytes));
}

// So many buckets cost what comparing with all rows does.
std::size_t Segment::most_probes() const {
  return static_cast<std::size_t>(
      std::clamp(cost_of_scan(originals_) / costs().probe, 1.0, static_cast<double>(buckets())));
}

std::size_t Segment::sample_size() const {
  constexpr double kProducts = 2e11;  // a few seconds of exact distances
  const double affordable = kProducts / (static_cast<double>(originals_) * static_cast<double>(shape_.dim));
  const auto size = static_cast<std::size_t>(std::clamp(affordable, 500.0, 2500.0));
  return std::min(size, originals_ / 4);
}

QueryBlock Segment::HeldOut::first(std::size_t count, const RowForm& form) const {
  return {vectors.data(), count, form.dim, form.metric, scales.data(), bits.empty() ? nullptr : bits.data()};
}

Segment::HeldOut Segment::held_out(std::vector<std::uint32_t> rows, int threads,
                                   const Interrupt& interrupt) const {
  HeldOut held{std::move(rows), {}, {}, {}, {}};
  held.vectors.resize(held.rows.size() * form_.dim);
  for (std::size_t i = 0; i < held.rows.size(); ++i) {
    const std::byte* row = stored().row(held.rows[i]);
    form_.decode(row, held.vectors.data() + i * form_.dim);
    if (form_.store == Store::bits) held.bits.insert(held.bits.end(), row, row + form_.bytes());
    held.scales.push_back(scale(held.rows[i]));
  }
  held.truths = truths(held.first(held.rows.size(), form_), held.rows, threads, interrupt);
  return held;
}

RecallCurve Segment::measure(const QueryBlock& queries, int threads, const Interrupt& interrupt) const {
  return measure(queries, {}, truths(queries, {}, threads, interrupt), threads, interrupt);
}

RecallCurve Segment::measure(const HeldOut& held, std::size_t count, int threads,
                             const Interrupt& interrupt) const {
  return measure(held.first(count, form_), held.rows, held.truths, threads, interrupt);
}

RecallCurve Segment::measure(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                             const Truths& truths, int threads, const Interrupt& interrupt) const {
  if (queries.count == 0) return {};
  const auto probe_grid = RecallCurve::grid_up_to(most_probes());
  const auto rerank_grid = RecallCurve::grid_up_to(std::min<std::size_t>(originals_, kMostCandidates));
  const std::vector<std::uint32_t> later_entries = this->later_entries();
  Tally tally(probe_grid.size(), rerank_grid.size());
  std::mutex tally_mutex;
  const std::size_t count =
      std::min(queries.count, shape_.family == Family::spheres ? kForGrid : queries.count);
  parallel_for(count, kQueriesAtOnce, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    Tally mine(probe_grid.size(), rerank_grid.size());
    Scratch scratch;
    for (std::size_t i = begin; i < end; ++i) {
      const Walk walk = this->walk(queries.query(i), own_rows.empty() ? kNoRow : own_rows[i], truths[i],
                                   later_entries, probe_grid, scratch);
      mine.add(walk.step, walk.rank, rerank_grid);
    }
    const std::scoped_lock lock(tally_mutex);
    tally.add(mine);
  });
  return {Column(tally.recalls(truths[0].size())),
          probe_grid.size(),
          rerank_grid.size(),
          costs(),
          measure_narrowing(queries, truths, threads, interrupt),
          measure_margins(queries, own_rows, truths, threads, interrupt)};
}

// The nearest rows of each query; ids are rows.
Segment::Truths Segment::truths(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                                int threads, const Interrupt& interrupt) const {
  const std::size_t neighbours = std::min(RecallCurve::kNeighbours, originals_ - 1);
  Truths truths(queries.count);
  parallel_for(queries.count, kQueriesAtOnce, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    std::vector<TopK> nearest(end - begin);
    for (TopK& each : nearest) each.reset(neighbours, std::numeric_limits<float>::infinity());
    for (std::size_t first = 0; first < originals_; first += kRowsBetweenBreaths) {
      const std::size_t last = std::min(first + kRowsBetweenBreaths, originals_);
      stored_originals()
          .part(first, last)
          .scan(queries.part(begin, end - begin), wanted(nearest),
                [&](std::size_t q, std::size_t i, float key) {
                  if (own_rows.empty() || first + i != own_rows[begin + q])
                    nearest[q].push(key, static_cast<std::int64_t>(first + i));
                });
      if (spill_) spill_->breathe();
    }
    for (std::size_t q = 0; q < nearest.size(); ++q) truths[begin + q] = nearest[q].sorted();
  });
  return truths;
}

}  // namespace lookalike
