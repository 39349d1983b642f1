// Which rows of a segment may be found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/base/bits.hpp"
#include "engine/rows/copies.hpp"

namespace lookalike {

/// Rows that were not removed, or that a filter lets through; and the originals that stand for one of them,
/// themselves or by a copy. Both are counted here, so that no search has to.
class Allowed {
 public:
  Allowed(Bits rows, const Copies& copies)
      : rows_(std::move(rows)), count_(rows_.count()), findable_(count_) {
    if (copies.none()) return;
    originals_ = rows_;
    originals_.resize(copies.originals(), false);
    for (std::size_t row = rows_.next(copies.originals(), rows_.size()); row < rows_.size();) {
      const std::uint32_t original = copies.original_of(static_cast<std::uint32_t>(row));
      originals_.set(original);
      row = rows_.next(copies.of(original).last, rows_.size());
    }
    findable_ = originals_.count();
  }

  /// Of one that is among them.
  void remove(std::uint32_t row, const Copies& copies) {
    rows_.clear(row);
    --count_;
    const std::uint32_t original = copies.original_of(row);
    const auto [first, last] = copies.of(original);
    if (rows_[original] || rows_.next(std::max(first, row), last) < last || copies.any(original, rows_))
      return;
    if (!copies.none()) originals_.clear(original);
    --findable_;
  }

  bool operator[](std::size_t row) const { return rows_[row]; }
  const Bits& rows() const { return rows_; }
  std::size_t count() const { return count_; }
  /// A bit for each original; where no row is a copy, for each row.
  const Bits& originals() const { return originals_.size() > 0 ? originals_ : rows_; }
  std::size_t findable() const { return findable_; }

 private:
  Bits rows_;
  Bits originals_;  // none where no row is a copy
  std::size_t count_;
  std::size_t findable_;  // of the originals
};

}  // namespace lookalike
