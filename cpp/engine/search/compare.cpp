#include "engine/search/compare.hpp"

#include <algorithm>

#include "engine/tuning.hpp"

namespace lookalike {

// Rows that are read in turn come faster than rows that are picked.
double cost_of_comparing(const RowForm& form, std::size_t rows, std::size_t allowed) {
  const auto bytes = static_cast<double>(form.bytes());
  return std::min(static_cast<double>(rows) * (tuning::kCostOfRow + tuning::kCostOfByte * bytes),
                  cost_of_picking(form, allowed));
}

double cost_of_picking(const RowForm& form, std::size_t rows) {
  const auto bytes = static_cast<double>(form.bytes());
  return static_cast<double>(rows) * (tuning::kCostOfPickedRow + 2.0 * tuning::kCostOfByte * bytes);
}

double cost_of_comparing(const Segment& segment, std::size_t allowed) {
  return cost_of_comparing(segment.form(), segment.originals(), allowed);
}

void compare(const Segment& segment, const QueryBlock& queries, const Allowed* allowed, std::size_t begin,
             std::size_t end, std::span<TopK> nearest) {
  compare(segment, queries, allowed, begin, end, wanted(nearest),
          [&](std::size_t q, std::size_t row, float key) {
            if (nearest[q].admits(key))  // few are
              segment.take_equals(row, allowed, [&](std::int64_t id) { return nearest[q].push(key, id); });
          });
}

}  // namespace lookalike
