#include "engine/search/compare.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/tuning.hpp"

namespace lookalike {

// Rows that are read in turn come faster than rows that are picked.
double cost_of_comparing(const RowForm& form, std::size_t rows, std::size_t allowed) {
  const auto bytes = static_cast<double>(form.bytes());
  return std::min(
      static_cast<double>(rows) * (tuning::kCostOfRow + tuning::kCostOfByte * bytes),
      static_cast<double>(allowed) * (tuning::kCostOfPickedRow + 2.0 * tuning::kCostOfByte * bytes));
}

double cost_of_comparing(const Segment& segment, std::size_t allowed) {
  return cost_of_comparing(segment.form(), segment.originals(), allowed);
}

void compare(const Segment& segment, const QueryBlock& queries, const Allowed* allowed, std::size_t begin,
             std::size_t end, std::span<TopK> nearest) {
  const auto offer = [&](std::size_t q, std::size_t row, float key) {
    if (nearest[q].admits(key))  // few are
      segment.take_equals(row, allowed, [&](std::int64_t id) { return nearest[q].push(key, id); });
  };
  const std::size_t met = allowed != nullptr ? allowed->originals().count(begin, end) : end - begin;
  if (met * tuning::kPickedOneIn > end - begin) {
    segment.touch(begin, end);
    const StoredRows rows = segment.stored().part(begin, end);
    rows.scan(queries, wanted(nearest),
              [&](std::size_t q, std::size_t i, float key) { offer(q, begin + i, key); });
    return;
  }
  std::vector<std::uint32_t> few;
  few.reserve(met);
  const PagedBits& originals = allowed->originals();
  for (std::size_t row = originals.next(begin, end); row < end; row = originals.next(row + 1, end))
    few.push_back(static_cast<std::uint32_t>(row));
  for (const std::uint32_t row : few) segment.touch(row, row + std::size_t{1});
  for (std::size_t q = 0; q < queries.count; ++q)
    segment.stored().gather(queries.query(q), few, [&](std::size_t row, float key) { offer(q, row, key); });
}

}  // namespace lookalike
