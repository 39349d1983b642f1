// Queries compared with rows of a segment one by one.
#pragma once

#include <cstddef>
#include <span>

#include "engine/base/top_k.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/distances.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

/// What comparing with so many rows does, of which so many may be found, in the unit of RecallCurve::Costs.
double cost_of_comparing(const RowForm& form, std::size_t rows, std::size_t allowed);
double cost_of_comparing(const Segment& segment, std::size_t allowed);

/// How many originals stand for a row that may be found: themselves, or a copy. allowed may be null: all.
inline std::size_t findable(const Segment& segment, const Allowed* allowed) {
  return allowed != nullptr ? allowed->findable() : segment.originals();
}

/// Compares the queries with the originals [begin, end), or with those that stand for allowed rows.
void compare(const Segment& segment, const QueryBlock& queries, const Allowed* allowed, std::size_t begin,
             std::size_t end, std::span<TopK> nearest);

}  // namespace lookalike
