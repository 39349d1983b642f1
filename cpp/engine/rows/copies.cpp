#include "engine/rows/copies.hpp"

#include <cstring>
#include <functional>
#include <numeric>
#include <span>

#include "engine/tuning.hpp"

#define XXH_INLINE_ALL
#include "xxhash.h"

namespace lookalike {
namespace {

struct Hashed {
  std::uint64_t hash;
  std::uint32_t row;
};

// By hash, then by row.
std::vector<Hashed> by_hash(const StoredRows& rows, int threads, const Interrupt& interrupt) {
  std::vector<Hashed> hashed(rows.count);
  parallel_for(
      rows.count, tuning::kRowsReadAtOnce, threads, interrupt, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row)
          hashed[row] = {XXH3_64bits(rows.row(row), rows.form.bytes()), static_cast<std::uint32_t>(row)};
      });
  std::sort(hashed.begin(), hashed.end(), [](const Hashed& a, const Hashed& b) {
    return a.hash < b.hash || (a.hash == b.hash && a.row < b.row);
  });
  return hashed;
}

// Of each row, the first that has its bytes.
std::vector<std::uint32_t> first_of_equals(const StoredRows& rows, std::vector<Hashed> hashed) {
  const auto compare = [&](const Hashed& a, const Hashed& b) {
    return std::memcmp(rows.row(a.row), rows.row(b.row), rows.form.bytes());
  };
  const auto before = [&](const Hashed& a, const Hashed& b) { return compare(a, b) < 0; };
  std::vector<std::uint32_t> first(rows.count);
  for (auto begin = hashed.begin(); begin != hashed.end();) {
    auto end = begin + 1;
    while (end != hashed.end() && end->hash == begin->hash) ++end;
    if (!std::is_sorted(begin, end, before))
      std::stable_sort(begin, end, before);  // different rows, one hash
    for (auto original = begin; begin != end; ++begin) {
      if (compare(*original, *begin) != 0) original = begin;
      first[begin->row] = original->row;
    }
  }
  return first;
}

}  // namespace

Heaps::Heaps(std::size_t rows) : least_(std::max(tuning::kHeap, rows / tuning::kHeapOneIn)) {}

std::vector<std::uint32_t> Heaps::take() && {
  if (heaps_.size() > tuning::kMostHeaps) {
    std::ranges::nth_element(heaps_, heaps_.begin() + tuning::kMostHeaps, std::ranges::greater{},
                             &Heap::copies);
    heaps_.resize(tuning::kMostHeaps);
  }
  std::vector<std::uint32_t> originals;
  for (const Heap& each : heaps_) originals.push_back(each.original);
  std::ranges::sort(originals);
  return originals;
}

Copies::Copies(Column<std::uint32_t> starts) : starts_(std::move(starts)) {
  if (none()) return;
  Heaps heaps(starts_[originals()]);
  for (std::uint32_t i = 0; i < originals(); ++i) heaps.add(i, of(i).last - of(i).first);
  heaps_ = std::move(heaps).take();
}

Copies Copies::reordered(std::vector<std::uint32_t>& order) const {
  if (none()) return {};
  Array<std::uint32_t> starts;
  for (std::size_t i = 0; i < originals(); ++i) {
    starts.push_back(static_cast<std::uint32_t>(order.size()));
    const auto [first, last] = of(order[i]);
    for (std::uint32_t copy = first; copy < last; ++copy) order.push_back(copy);
  }
  starts.push_back(static_cast<std::uint32_t>(order.size()));
  return Copies(Column(std::move(starts)));
}

Sorting sort_out_copies(const StoredRows& rows, int threads, const Interrupt& interrupt) {
  const auto first = first_of_equals(rows, by_hash(rows, threads, interrupt));
  std::vector<std::uint32_t> order(rows.count);
  std::iota(order.begin(), order.end(), 0U);
  const auto behind =
      std::stable_partition(order.begin(), order.end(), [&](std::uint32_t row) { return first[row] == row; });
  if (behind == order.end()) return {};
  std::stable_sort(behind, order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return first[a] < first[b]; });
  Array<std::uint32_t> starts;
  auto copy = behind;
  for (auto original = order.begin(); original != behind; ++original) {
    starts.push_back(static_cast<std::uint32_t>(copy - order.begin()));
    while (copy != order.end() && first[*copy] == *original) ++copy;
  }
  starts.push_back(static_cast<std::uint32_t>(rows.count));
  return {std::move(order), Copies(Column(std::move(starts)))};
}

}  // namespace lookalike
