// Equal rows: the first of them, the original, is hashed, sketched and compared; the others are its copies.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/base/parallel.hpp"
#include "engine/rows/distances.hpp"

namespace lookalike {

/// Chooses of `rows` rows the originals that very many of them equal. Where one of these is missed, all that
/// are near a query may be, so each query is compared with them (tuning::kHeap).
class Heaps {
 public:
  explicit Heaps(std::size_t rows);

  void add(std::uint32_t original, std::size_t copies) {
    if (copies >= least_) heaps_.push_back({copies, original});
  }
  /// The largest of those that were added, ascending.
  std::vector<std::uint32_t> take() &&;

 private:
  struct Heap {
    std::size_t copies;
    std::uint32_t original;
  };

  std::size_t least_;
  std::vector<Heap> heaps_;
};

/// Of rows that are laid out originals first: the copies of each. They lie behind all originals, those of one
/// original side by side, in the order of the originals.
class Copies {
 public:
  struct Run {
    std::uint32_t first = 0;
    std::uint32_t last = 0;  // behind its end
  };

  Copies() = default;

  /// starts[i]: the first copy of original i; at the end, the number of rows. Empty where no row is a copy.
  explicit Copies(Column<std::uint32_t> starts);

  bool none() const { return starts_.size() == 0; }

  /// Where some row is a copy.
  std::uint32_t originals() const { return static_cast<std::uint32_t>(starts_.size() - 1); }

  Run of(std::uint32_t original) const {
    return none() ? Run{} : Run{starts_[original], starts_[original + std::size_t{1}]};
  }

  std::uint32_t original_of(std::uint32_t row) const {
    if (none() || row < originals()) return row;
    const auto starts = starts_.view();
    return static_cast<std::uint32_t>(std::upper_bound(starts.begin(), starts.end(), row) - starts.begin()) -
           1;
  }

  /// The originals with very many copies, ascending.
  std::span<const std::uint32_t> heaps() const { return heaps_; }

  /// Whether one of these bits is that of a copy of `original`.
  template <class AnyBits>
  bool any(std::uint32_t original, const AnyBits& bits) const {
    const auto [first, last] = of(original);
    return bits.next(first, last) < last;
  }

  /// The same copies where original order[i] becomes row i. Appends to `order` the rows that are to follow.
  Copies reordered(std::vector<std::uint32_t>& order) const;

  std::span<const std::uint32_t> starts() const { return starts_.view(); }

 private:
  Column<std::uint32_t> starts_;
  std::vector<std::uint32_t> heaps_;
};

/// Rows in the order that puts originals first; both are empty where no row is a copy.
struct Sorting {
  std::vector<std::uint32_t> order;
  Copies copies;
};

/// The original of equal rows is the first of them; originals, and copies of one, stay in the order they
/// have. The same for any number of threads.
Sorting sort_out_copies(const StoredRows& rows, int threads, const Interrupt& interrupt);

}  // namespace lookalike
