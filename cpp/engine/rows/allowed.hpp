// Which rows of a segment may be found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/bits.hpp"
#include "engine/base/paged_bits.hpp"
#include "engine/rows/copies.hpp"

namespace lookalike {

/// Rows that were not removed, or that a filter lets through; and the originals that stand for one of them,
/// themselves or by a copy. Both are counted here, so that no search has to. It never changes.
class Allowed {
 public:
  Allowed(const Bits& rows, const Copies& copies) : rows_(rows), count_(rows.count()), findable_(count_) {
    if (copies.none()) return;
    Bits originals = rows;
    originals.resize(copies.originals(), false);
    for (std::size_t row = rows.next(copies.originals(), rows.size()); row < rows.size();) {
      const std::uint32_t original = copies.original_of(static_cast<std::uint32_t>(row));
      originals.set(original);
      row = rows.next(copies.of(original).last, rows.size());
    }
    originals_ = PagedBits(originals);
    findable_ = originals.count();
  }

  /// These without some of them; `rows` ascend. What they have in common is shared.
  Allowed without(std::span<const std::uint32_t> rows, const Copies& copies) const {
    Allowed left = *this;
    left.rows_ = rows_.without(rows);
    left.count_ -= rows.size();
    std::vector<std::uint32_t> gone;  // originals
    for (const std::uint32_t row : rows) {
      const std::uint32_t original = copies.original_of(row);
      const auto [first, last] = copies.of(original);
      // from the row on first: copies of one original that go one by one would each be looked through
      if (left.rows_[original] || left.rows_.next(std::max(first, row), last) < last ||
          copies.any(original, left.rows_))
        continue;
      gone.push_back(original);
    }
    std::sort(gone.begin(), gone.end());
    gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
    left.findable_ -= gone.size();
    if (!copies.none()) left.originals_ = originals_.without(gone);
    return left;
  }

  bool operator[](std::size_t row) const { return rows_[row]; }
  const PagedBits& rows() const { return rows_; }
  std::size_t count() const { return count_; }
  /// A bit for each original; where no row is a copy, for each row.
  const PagedBits& originals() const { return originals_.size() > 0 ? originals_ : rows_; }
  std::size_t findable() const { return findable_; }

 private:
  PagedBits rows_;
  PagedBits originals_;  // none where no row is a copy
  std::size_t count_;
  std::size_t findable_;  // of the originals
};

}  // namespace lookalike
