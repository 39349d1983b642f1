#include "engine/sealing/measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/recall/tally.hpp"
#include "engine/search/compare.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kRowsBetweenBreaths = 16384;
constexpr std::size_t kForGrid = 1000;  // queries, where only searches with given probes ask the grid

}  // namespace

std::size_t held_out_of(std::size_t originals, std::size_t dim) {
  constexpr double kProducts = 2e11;  // a few seconds of exact distances
  const double affordable = kProducts / (static_cast<double>(originals) * static_cast<double>(dim));
  const auto size = static_cast<std::size_t>(std::clamp(affordable, 500.0, 2500.0));
  return std::min(size, originals / 4);
}

// So many buckets cost what comparing with all rows does.
std::size_t Measurer::most_probes() const {
  return static_cast<std::size_t>(std::clamp(
      cost_of_comparing(segment_, segment_.originals()) / router_.costs(segment_.originals()).probe, 1.0,
      static_cast<double>(router_.buckets())));
}

QueryBlock HeldOut::first(std::size_t count, const RowForm& form) const {
  return {vectors.data(), count, form.dim, form.metric, scales.data(), bits.empty() ? nullptr : bits.data()};
}

HeldOut Measurer::held_out(std::vector<std::uint32_t> rows) const {
  const RowForm& form = segment_.form();
  HeldOut held{std::move(rows), {}, {}, {}, {}};
  held.vectors.resize(held.rows.size() * form.dim);
  for (std::size_t i = 0; i < held.rows.size(); ++i) {
    const std::byte* row = segment_.stored().row(held.rows[i]);
    form.decode(row, held.vectors.data() + i * form.dim);
    if (form.store == Store::bits) held.bits.insert(held.bits.end(), row, row + form.bytes());
    held.scales.push_back(segment_.stored().scale(held.rows[i]));
  }
  held.truths = truths(held.first(held.rows.size(), form), held.rows);
  return held;
}

RecallCurve Measurer::measure(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                              const Truths& truths) const {
  constexpr std::array<std::size_t, kMeasuredAt.size()> kAll = {0, 1, 2, 3, 4};
  if (queries.count == 0) return {};
  const float narrowing = measure_narrowing(queries, truths);
  const Margins margins = measure_margins(queries, own_rows, truths, kAll);
  return measure_grid(queries, own_rows, truths, narrowing,
                      verified(margins, narrowing, queries, own_rows, truths));
}

RecallCurve Measurer::measure_roughly(const HeldOut& held, std::size_t count) const {
  constexpr std::array<std::size_t, 1> kTen = {2};
  static_assert(kMeasuredAt[kTen.front()] == 10);
  const QueryBlock queries = held.first(count, segment_.form());
  if (!segment_.shape().family->ordered_by_distance)
    return measure_grid(queries, held.rows, held.truths, Budget::kNarrow, {});
  Margins margins = measure_margins(queries, held.rows, held.truths, kTen);
  return {{}, 0, 0, router_.costs(segment_.originals()), Budget::kNarrow, std::move(margins)};
}

RecallCurve Measurer::measure_grid(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                                   const Truths& truths, float narrowing, Margins margins) const {
  const auto probe_grid = RecallCurve::grid_up_to(most_probes());
  const GridSteps reranks(std::min<std::size_t>(segment_.originals(), kMostCandidates));
  const std::vector<std::uint32_t> later_entries = this->later_entries();
  Tally tally(probe_grid.size(), reranks);
  std::mutex tally_mutex;
  const std::size_t count =
      std::min(queries.count, segment_.shape().family->ordered_by_distance ? kForGrid : queries.count);
  parallel_for(count, kQueriesAtOnce, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    Tally mine(probe_grid.size(), reranks);
    Scratch scratch;
    for (std::size_t i = begin; i < end; ++i) {
      const Walk walk = this->walk(queries.query(i), own_rows.empty() ? kNoRow : own_rows[i], truths[i],
                                   later_entries, probe_grid, scratch);
      mine.add(walk.step, walk.rank);
    }
    const std::scoped_lock lock(tally_mutex);
    tally.add(mine);
  });
  return {Column(tally.recalls(truths[0].size())), probe_grid.size(), reranks.size(),
          router_.costs(segment_.originals()),     narrowing,         std::move(margins)};
}

// The nearest rows of each query; ids are rows.
Truths Measurer::truths(const QueryBlock& queries, std::span<const std::uint32_t> own_rows) const {
  const std::size_t neighbours = std::min(RecallCurve::kNeighbours, segment_.originals() - 1);
  Truths truths(queries.count);
  parallel_for(queries.count, kQueriesAtOnce, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    std::vector<TopK> nearest(end - begin);
    for (TopK& each : nearest) each.reset(neighbours, std::numeric_limits<float>::infinity());
    for (std::size_t first = 0; first < segment_.originals(); first += kRowsBetweenBreaths) {
      const std::size_t last = std::min(first + kRowsBetweenBreaths, segment_.originals());
      segment_.stored_originals()
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
