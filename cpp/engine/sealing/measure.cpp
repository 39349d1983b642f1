#include "engine/sealing/measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/random.hpp"
#include "engine/recall/tally.hpp"
#include "engine/rows/packed_queries.hpp"
#include "engine/search/compare.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

// The rows that may be among the k nearest, by bounds of their keys. Where these tell little, keys are asked
// for.
class PerhapsNearest {
 public:
  explicit PerhapsNearest(std::size_t k) : k_(k) {}

  float max_key() const { return max_key_; }

  /// keys_of(rows, visit) calls visit(row, key) for each of them in turn.
  template <class KeysOf>
  void push(PackedQueries::Bounds key, std::uint32_t row, KeysOf keys_of) {
    if (!(key.low <= max_key_)) return;
    perhaps_.push_back({key, row});
    if (perhaps_.size() < most()) return;
    drop();
    if (perhaps_.size() > most() / 2) settle(keys_of);
  }

  std::vector<std::uint32_t> take() {
    drop();
    std::vector<std::uint32_t> rows;
    for (const Row& each : perhaps_) rows.push_back(each.number);
    std::ranges::sort(rows);
    return rows;
  }

 private:
  struct Row {
    PackedQueries::Bounds key;
    std::uint32_t number;

    bool operator<(const Row& other) const {
      return key.high < other.key.high || (key.high == other.key.high && number < other.number);
    }
  };

  std::size_t most() const { return 2 * (2 * k_ + tuning::kMoreBeforeCut); }

  void drop() {
    if (perhaps_.size() < k_) return;
    const auto kth = perhaps_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(perhaps_.begin(), kth, perhaps_.end());
    max_key_ = kth->key.high;
    std::erase_if(perhaps_, [&](const Row& row) { return row.key.low > max_key_; });
  }

  template <class KeysOf>
  void settle(KeysOf keys_of) {
    std::vector<std::uint32_t> rows;
    std::vector<PackedQueries::Bounds*> keys;
    for (Row& each : perhaps_) {
      if (each.key.low == each.key.high) continue;  // it was settled before
      rows.push_back(each.number);
      keys.push_back(&each.key);
    }
    auto next = keys.begin();
    keys_of(rows, [&](std::size_t, float key) {
      key = std::isnan(key) ? std::numeric_limits<float>::infinity() : key;  // of a hostile file
      **next++ = {key, key};
    });
    drop();
    perhaps_.resize(
        std::min(perhaps_.size(), k_));  // those behind are farther, or as far with a higher number
  }

  std::size_t k_;
  float max_key_ = std::numeric_limits<float>::infinity();
  std::vector<Row> perhaps_;
};

// Of each coordinate, as a few rows may lie far from all others.
std::vector<float> medians(const StoredRows& rows) {
  const std::size_t dim = rows.form.dim, count = std::min(rows.count, tuning::kSampledRows);
  std::vector<float> room, some(dim * count), medians(dim);
  for (std::size_t i = 0; i < count; ++i) {
    const float* const row = rows.form.floats(rows.row(i * rows.count / count), room);
    for (std::size_t d = 0; d < dim; ++d)
      some[d * count + i] = std::isfinite(row[d]) ? row[d] : 0.0F;  // of a hostile file
  }
  for (std::size_t d = 0; d < dim && count > 0; ++d) {
    const auto begin = some.begin() + static_cast<std::ptrdiff_t>(d * count);
    const auto middle = begin + static_cast<std::ptrdiff_t>(count / 2);
    std::nth_element(begin, middle, begin + static_cast<std::ptrdiff_t>(count));
    medians[d] = *middle;
  }
  return medians;
}

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
  samples.vectors.resize(rows.size() * form.dim);
  Sample of_rows{{}, {}, {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::byte* row = segment_.stored().row(rows[i]);
    form.decode(row, samples.vectors.data() + i * form.dim);
    if (form.store == Store::bits) samples.bits.insert(samples.bits.end(), row, row + form.bytes());
    samples.scales.push_back(segment_.stored().scale(rows[i]));
    of_rows.without.push_back({rows[i]});
  }
  of_rows.queries = {samples.vectors.data(),
                     rows.size(),
                     form.dim,
                     form.metric,
                     samples.scales.data(),
                     samples.bits.empty() ? nullptr : samples.bits.data()};
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
  const std::size_t dim = segment_.form().dim, bytes = segment_.form().dim / 8;
  std::vector<std::vector<std::uint32_t>> without;
  for (const Sample& kind : kinds)
    for (std::size_t i = 0; i < of_kind(kind); ++i) {
      const std::size_t number = i * kind.queries.count / of_kind(kind);
      const Query query = kind.queries.query(number);
      samples.vectors.insert(samples.vectors.end(), query.vector, query.vector + dim);
      samples.scales.push_back(query.scale);
      if (query.bits != nullptr) samples.bits.insert(samples.bits.end(), query.bits, query.bits + bytes);
      const auto others = kind.without_of(number);
      without.emplace_back(others.begin(), others.end());
    }
  QueryBlock left = {
      samples.vectors.data(), samples.scales.size(), dim,
      segment_.form().metric, samples.scales.data(), samples.bits.empty() ? nullptr : samples.bits.data()};
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

// The nearest rows of each query, as many of each; ids are rows.
Truths Measurer::truths(const QueryBlock& queries, const std::vector<std::vector<std::uint32_t>>& without,
                        std::size_t most) const {
  std::size_t left_out = 1;
  for (const auto& each : without) left_out = std::max(left_out, each.size());
  const std::size_t neighbours = std::min(most, std::max(segment_.originals(), left_out + 1) - left_out);
  const StoredRows rows = segment_.stored_originals();
  const bool packed = PackedQueries::can_compare(rows.form) && neighbours > 0;
  const std::vector<float> middle = packed ? medians(rows) : std::vector<float>();
  const auto is_without = [&](std::size_t q, std::size_t row) {
    return !without.empty() && std::ranges::find(without[q], row) != without[q].end();
  };
  const auto for_parts = [&](auto use) {
    for (std::size_t first = 0; first < rows.count; first += tuning::kRowsBetweenAsking) {
      use(first, rows.part(first, std::min(first + tuning::kRowsBetweenAsking, rows.count)));
      if (spill_) spill_->breathe();
    }
  };
  Truths truths(queries.count);
  const std::size_t threads = thread_count(threads_);
  const std::size_t at_once =
      std::clamp((queries.count + threads - 1) / threads, tuning::kFewQueries, tuning::kRowsRoutedAtOnce);
  parallel_for(queries.count, at_once, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    const QueryBlock some = queries.part(begin, end - begin);
    std::vector<TopK> nearest(some.count);
    for (TopK& each : nearest) each.reset(neighbours, std::numeric_limits<float>::infinity());
    if (packed) {
      const PackedQueries block(some, middle);
      std::vector<PerhapsNearest> perhaps(some.count, PerhapsNearest(neighbours));
      for_parts([&](std::size_t first, const StoredRows& part) {
        block.scan(
            part, [&](std::size_t q) { return perhaps[q].max_key(); },
            [&](std::size_t q, std::size_t i, PackedQueries::Bounds key) {
              if (!is_without(begin + q, first + i))
                perhaps[q].push(key, static_cast<std::uint32_t>(first + i),
                                [&](std::span<const std::uint32_t> which, auto visit) {
                                  rows.gather(some.query(q), which, visit);
                                });
            });
      });
      for (std::size_t q = 0; q < some.count; ++q)
        rows.gather(some.query(q), perhaps[q].take(), [&](std::size_t row, float key) {
          nearest[q].push(key, static_cast<std::int64_t>(row));
        });
    } else {
      for_parts([&](std::size_t first, const StoredRows& part) {
        part.scan(
            some, [&](std::size_t q) { return nearest[q].max_key(); },
            [&](std::size_t q, std::size_t i, float key) {
              if (!is_without(begin + q, first + i))
                nearest[q].push(key, static_cast<std::int64_t>(first + i));
            });
      });
    }
    for (std::size_t q = 0; q < some.count; ++q) truths[begin + q] = std::move(nearest[q].sorted());
  });
  return truths;
}

}  // namespace lookalike
