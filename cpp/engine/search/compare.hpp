// Queries compared with rows of a segment one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/top_k.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/distances.hpp"
#include "engine/segment/segment.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

/// What comparing with so many rows does, of which so many may be found, in the unit of RecallCurve::Costs.
double cost_of_comparing(const RowForm& form, std::size_t rows, std::size_t allowed);
double cost_of_comparing(const Segment& segment, std::size_t allowed);
double cost_of_picking(const RowForm& form, std::size_t rows);

/// How many originals stand for a row that may be found: themselves, or a copy. allowed may be null: all.
inline std::size_t findable(const Segment& segment, const Allowed* allowed) {
  return allowed != nullptr ? allowed->findable() : segment.originals();
}

/// Calls take(query number, row, key) for the originals [begin, end), where few stand for allowed rows only
/// for these; one whose key is above limit(query number) may be left out.
template <class Limit, class Take>
void compare(const Segment& segment, const QueryBlock& queries, const Allowed* allowed, std::size_t begin,
             std::size_t end, Limit limit, Take take) {
  const std::size_t met = allowed != nullptr ? allowed->originals().count(begin, end) : end - begin;
  if (met * tuning::kPickedOneIn > end - begin) {
    segment.touch(begin, end);
    segment.stored_originals()
        .part(begin, end)
        .scan(queries, limit, [&](std::size_t q, std::size_t i, float key) { take(q, begin + i, key); });
    return;
  }
  std::vector<std::uint32_t> few;
  few.reserve(met);
  const PagedBits& originals = allowed->originals();
  for (std::size_t row = originals.next(begin, end); row < end; row = originals.next(row + 1, end))
    few.push_back(static_cast<std::uint32_t>(row));
  for (const std::uint32_t row : few) segment.touch(row, row + std::size_t{1});
  for (std::size_t q = 0; q < queries.count; ++q)
    segment.stored().gather(queries.query(q), few, [&](std::size_t row, float key) { take(q, row, key); });
}

/// Offers them, or those that stand for allowed rows, to the nearest.
void compare(const Segment& segment, const QueryBlock& queries, const Allowed* allowed, std::size_t begin,
             std::size_t end, std::span<TopK> nearest);

}  // namespace lookalike
