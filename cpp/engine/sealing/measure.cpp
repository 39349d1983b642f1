#include "engine/sealing/measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/random.hpp"
#include "engine/recall/tally.hpp"
#include "engine/search/compare.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

// The first queries without most of their relatives: of neighbours that lie near, beside the farthest that is
// known, the fewer are left the nearer they are.
Sample alone(const Sample& rows, std::size_t count, Random random) {
  Sample sample{rows.queries.part(0, count), {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<Found>& truth = rows.truths[i];
    std::vector<std::uint32_t> without = rows.without[i];
    std::vector<Found> left;
    const double near = truth.empty() ? 0.0 : tuning::kRelativeWithin * double{truth.back().key};
    for (const Found& each : truth) {
      if (near > 0.0 &&
          random.uniform() > std::pow(std::max(0.0, double{each.key}) / near, tuning::kRelativePower))
        without.push_back(static_cast<std::uint32_t>(each.id));
      else
        left.push_back(each);
    }
    std::ranges::sort(without);
    sample.without.push_back(std::move(without));
    sample.truths.push_back(std::move(left));
  }
  return sample;
}

}  // namespace

std::size_t held_out_of(std::size_t originals, std::size_t dim) {
  const double affordable =
      tuning::kProductsForHeldOut / (static_cast<double>(originals) * static_cast<double>(dim));
  const auto size = static_cast<std::size_t>(
      std::clamp(affordable, tuning::kMostHeldOut / 2.0, double{tuning::kMostHeldOut}));
  return std::min(size / fewer_queries, originals / tuning::kHeldOutOneIn);
}

// So many buckets cost what comparing with all rows does.
std::size_t Measurer::most_probes() const {
  return static_cast<std::size_t>(std::clamp(
      cost_of_comparing(segment_, segment_.originals()) / router_.costs(segment_.originals()).probe, 1.0,
      static_cast<double>(router_.buckets())));
}

Samples Measurer::samples(std::span<const std::uint32_t> rows) const {
  const std::size_t count = std::min(tuning::kQueriesUnlike / fewer_queries, rows.size());
  const RowForm& form = segment_.form();
  Samples samples;
  Sample of_rows{{}, {}, {}};
  std::vector<float> room;
  for (const std::uint32_t each : rows) {
    const std::byte* row = segment_.stored().row(each);
    samples.copied.add({form.floats(row, room), form.dim, form.metric, segment_.stored().scale(each),
                        form.store == Store::bits ? row : nullptr});
    of_rows.without.push_back({each});
  }
  of_rows.queries = samples.copied.block(form);
  of_rows.truths = truths(of_rows.queries, of_rows.without);
  samples.kinds.push_back(std::move(of_rows));
  if (rows.empty() || !segment_.shape().family->ordered_by_distance) return samples;
  samples.kinds.push_back(alone(samples.rows(), std::min(tuning::kQueriesAlone / fewer_queries, rows.size()),
                                Random(router_.seed())));
  samples.unlike.emplace(samples.rows().queries, count, form, router_.seed());
  const QueryBlock unlike = samples.unlike->block();
  std::vector<std::vector<std::uint32_t>> made_of = samples.unlike->made_of();
  for (std::vector<std::uint32_t>& each : made_of) {
    for (std::uint32_t& row : each) row = rows[row];
    std::ranges::sort(each);
  }
  const Truths of_unlike = truths(unlike, made_of);
  const auto part = [count](const auto& all, std::size_t first) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
    return std::vector(begin, begin + count);
  };
  for (std::size_t first = 0; first < unlike.count; first += count)
    samples.kinds.push_back({unlike.part(first, count), part(made_of, first), part(of_unlike, first)});
  if (form.metric ==
      Metric::dot) {  // a row may be its own neighbour, and in a bucket that is not the nearest
    for (const QueryBlock& some : {samples.rows().queries.part(0, count), unlike.part(0, count)})
      samples.kinds.push_back({some, {}, truths(some, {})});
  }
  return samples;
}

RecallCurve Measurer::measure(const QueryBlock& queries) const {
  const Sample sample{queries, {}, truths(queries, {})};
  return measure(std::span(&sample, 1));
}

RecallCurve Measurer::measure(std::span<const Sample> kinds) const {
  constexpr std::array<std::size_t, kShallow> kShallowLevels = {0, 1, 2, 3, 4};
  const Sample& rows = kinds.front();
  const std::size_t courses = std::min(tuning::kQueriesMeasured, rows.queries.count);
  if (rows.queries.count == 0) return {};
  float narrowing = Budget::kNarrow;
  for (const Sample& kind : kinds) narrowing = std::max(narrowing, measure_narrowing(kind));
  OperatingPoints::Levels levels = measure_points(kinds, courses, kShallowLevels);
  verify(levels, narrowing, kinds);
  if (const auto deep_levels = this->deep_levels(); !deep_levels.empty()) {
    const Samples deep = this->deep(kinds, kMeasuredAt[deep_levels.back()]);
    OperatingPoints::Levels beyond = measure_points(deep.kinds, courses, deep_levels);
    verify(beyond, narrowing, deep.kinds);
    for (const std::size_t level : deep_levels) levels[level] = std::move(beyond[level]);
  }
  return measure_grid(rows, rows.queries.count, narrowing, OperatingPoints(std::move(levels)));
}

std::vector<std::size_t> Measurer::deep_levels() const {
  std::vector<std::size_t> levels;
  for (std::size_t level = kShallow; level < kMeasuredAt.size(); ++level)
    if (kMeasuredAt[level] <= segment_.originals() / tuning::kDeepOneIn) levels.push_back(level);
  if (!segment_.shape().family->ordered_by_distance) levels.clear();
  return levels;
}

// Some queries of each kind, from all over, with so many neighbours: which are looked for together, as
// packing the rows takes as long as comparing them with a few queries.
Samples Measurer::deep(std::span<const Sample> kinds, std::size_t neighbours) const {
  const auto of_kind = [](const Sample& kind) {
    return std::min(tuning::kEnoughQueries, kind.queries.count);
  };
  Samples samples;
  std::vector<std::vector<std::uint32_t>> without;
  for (const Sample& kind : kinds)
    for (std::size_t i = 0; i < of_kind(kind); ++i) {
      const std::size_t number = i * kind.queries.count / of_kind(kind);
      samples.copied.add(kind.queries.query(number));
      const auto others = kind.without_of(number);
      without.emplace_back(others.begin(), others.end());
    }
  QueryBlock left = samples.copied.block(segment_.form());
  Truths truths = this->truths(left, without, neighbours);
  auto next_without = std::make_move_iterator(without.begin());
  auto next_truth = std::make_move_iterator(truths.begin());
  for (const Sample& kind : kinds) {
    const std::size_t count = of_kind(kind);
    const auto step = static_cast<std::ptrdiff_t>(count);
    samples.kinds.push_back(
        {left.part(0, count), {next_without, next_without + step}, {next_truth, next_truth + step}});
    next_without += step, next_truth += step;
    left = left.part(count, left.count - count);
  }
  return samples;
}

RecallCurve Measurer::measure_roughly(const Samples& samples, std::size_t count) const {
  constexpr std::array<std::size_t, 1> kTen = {2};
  static_assert(kMeasuredAt[kTen.front()] == tuning::kNeighboursForSketches);
  if (!segment_.shape().family->ordered_by_distance)
    return measure_grid(samples.rows(), count, Budget::kNarrow, {});
  OperatingPoints points(measure_points(std::span(samples.kinds).first(1), count, kTen));
  return {{}, 0, 0, router_.costs(segment_.originals()), Budget::kNarrow, std::move(points)};
}

RecallCurve Measurer::measure_grid(const Sample& rows, std::size_t count, float narrowing,
                                   OperatingPoints points) const {
  const auto probe_grid = RecallCurve::grid_up_to(most_probes());
  const GridSteps reranks(std::min<std::size_t>(segment_.originals(), tuning::kMostCandidates));
  const std::vector<std::uint32_t> later_entries = this->later_entries();
  Tally tally(probe_grid.size(), reranks);
  std::mutex tally_mutex;
  if (segment_.shape().family->ordered_by_distance) count = std::min(count, tuning::kMostHeldOut);
  parallel_for(count, tuning::kPieceForThread, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    Tally mine(probe_grid.size(), reranks);
    Scratch scratch;
    for (std::size_t i = begin; i < end; ++i) {
      const auto own = rows.without_of(i);
      const Walk walk = this->walk(rows.queries.query(i), own.empty() ? kNoRow : own.front(), rows.truths[i],
                                   later_entries, probe_grid, scratch);
      mine.add(walk.step, walk.rank);
    }
    const std::scoped_lock lock(tally_mutex);
    tally.add(mine);
  });
  return {Column(tally.recalls(rows.truths[0].size())), probe_grid.size(), reranks.size(),
          router_.costs(segment_.originals()),          narrowing,         std::move(points)};
}

}  // namespace lookalike
