// The neighbours that the recall is measured with.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "engine/rows/packed_queries.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/compare.hpp"
#include "engine/search/hash.hpp"
#include "engine/search/near_rows.hpp"
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

}  // namespace

void CopiedQueries::add(const Query& query) {
  vectors.insert(vectors.end(), query.vector, query.vector + query.dim);
  scales.push_back(query.scale);
  if (query.bits != nullptr) bits.insert(bits.end(), query.bits, query.bits + query.dim / 8);
}

QueryBlock CopiedQueries::block(const RowForm& form) const {
  return {vectors.data(), scales.size(), form.dim,
          form.metric,    scales.data(), bits.empty() ? nullptr : bits.data()};
}

// The nearest rows of each query, as many of each; ids are rows. First by sketches; the queries of which
// these leave too many rows are compared with all together.
Truths Measurer::truths(const QueryBlock& queries, const std::vector<std::vector<std::uint32_t>>& without,
                        std::size_t most) const {
  std::size_t left_out = 1;
  for (const auto& each : without) left_out = std::max(left_out, each.size());
  const std::size_t neighbours = std::min(most, std::max(segment_.originals(), left_out + 1) - left_out);
  const double most_cost = cost_by_sketches(neighbours);
  if (!(most_cost > 0.0)) return by_comparing_all(queries, without, neighbours);

  Truths truths(queries.count);
  std::vector<std::uint8_t> found(queries.count);
  parallel_for(queries.count, tuning::kPieceForThread, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 Scratch scratch;
                 TopK nearest;
                 for (std::size_t q = begin; q < end; ++q) {
                   nearest.reset(neighbours, std::numeric_limits<float>::infinity());
                   const auto others = without.empty() ? std::span<const std::uint32_t>() : without[q];
                   found[q] = find_by_sketches(queries.query(q), others, most_cost, scratch, nearest);
                   if (found[q] != 0) truths[q] = std::move(nearest.sorted());
                 }
               });
  CopiedQueries left;
  std::vector<std::vector<std::uint32_t>> left_without;
  for (std::size_t q = 0; q < queries.count; ++q) {
    if (found[q] != 0) continue;
    left.add(queries.query(q));
    if (!without.empty()) left_without.push_back(without[q]);
  }
  if (left.scales.empty()) return truths;
  Truths others = by_comparing_all(left.block(segment_.form()), left_without, neighbours);
  for (std::size_t q = 0, next = 0; q < queries.count; ++q)
    if (found[q] == 0) truths[q] = std::move(others[next++]);
  return truths;
}

// What looking for a query's neighbours by sketches may cost; 0: it is not worth trying.
double Measurer::cost_by_sketches(std::size_t neighbours) const {
  if (spill_ != nullptr || !NearRows::known(segment_) || !segment_.shape().family->ordered_by_distance)
    return 0.0;
  const RowForm& form = segment_.form();
  const double all = PackedQueries::can_compare(form)
                         ? tuning::kCostOfPackedProduct * static_cast<double>(segment_.originals() * form.dim)
                         : cost_of_comparing(segment_, segment_.originals());
  const double most = tuning::kTriedBySketches * all;
  return cost_of_picking(form, neighbours) < most / 2.0 ? most : 0.0;
}

// From the nearest bucket on, as the k-th nearest so far tells which others may hold nearer ones. Returns
// whether that did not cost too much.
bool Measurer::find_by_sketches(const Query& query, std::span<const std::uint32_t> without, double most,
                                Scratch& scratch, TopK& nearest) const {
  const RowForm& form = segment_.form();
  const double cost_of_row = cost_of_picking(form, 1);
  const double cost_of_bucket = router_.costs(segment_.originals()).probe;
  hash(router_, query, scratch);
  const NearRows near_rows(segment_, scratch);
  std::vector<Near> buckets = near_rows.buckets();
  const auto first =
      buckets.begin() + static_cast<std::ptrdiff_t>(std::min(buckets.size(), tuning::kManyOrderedAtFirst));
  std::ranges::partial_sort(buckets, first, {}, &Near::key);
  std::vector<std::uint32_t> rows;
  double cost = 0.0;
  for (const Near& bucket : buckets) {
    const float square = router_.space().square_of(nearest.max_key(), query.vector);
    if (!near_rows.may_hold(bucket, square)) continue;
    rows.clear();
    near_rows.visit(bucket, square, [&](std::uint32_t row) {
      if (std::ranges::find(without, row) == without.end()) rows.push_back(row);
    });
    for (const std::uint32_t row : rows) segment_.touch(row, row + std::size_t{1});
    segment_.stored().gather(
        query, rows, [&](std::size_t row, float key) { nearest.push(key, static_cast<std::int64_t>(row)); });
    if (!rows.empty()) nearest.kept();  // so that the k-th is as near as it can be
    cost += cost_of_bucket + cost_of_row * static_cast<double>(rows.size());
    if (cost > most) return false;
  }
  return true;
}

Truths Measurer::by_comparing_all(const QueryBlock& queries,
                                  const std::vector<std::vector<std::uint32_t>>& without,
                                  std::size_t neighbours) const {
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
