// The k nearest seen so far. Ties go to the smaller id, so answers do not depend on the order of visits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lookalike {

struct Found {
  float key;
  std::int64_t id;
  bool operator<(const Found& other) const { return key < other.key || (key == other.key && id < other.id); }
};

class TopK {
 public:
  void reset(std::size_t k, float max_key) {
    k_ = k;
    max_key_ = max_key;
    heap_.clear();
  }

  bool admits(float key) const { return key <= max_key_; }

  // No larger key will be kept.
  float max_key() const { return max_key_; }

  // Only what the other would still keep.
  void reset_beside(const TopK& other) { reset(other.k_, other.max_key_); }

  void push_all(const TopK& others) {
    for (const Found& found : others.heap_) push(found.key, found.id);
  }

  // Returns whether it was kept; if not, none as near with a larger id would be. A NaN key (only a hostile
  // file can hold one) compares false and is dropped.
  bool push(float key, std::int64_t id) {
    if (!admits(key)) return false;
    const Found found{key, id};
    if (heap_.size() == k_) {
      if (!(found < heap_.front())) return false;
      replace_front(found);
    } else {
      heap_.push_back(found);
      std::push_heap(heap_.begin(), heap_.end());
    }
    if (heap_.size() == k_) max_key_ = heap_.front().key;
    return true;
  }

  // In no order.
  std::span<const Found> kept() const { return heap_; }

  // Nearest first. The heap is spent afterwards: reset it before the next use.
  const std::vector<Found>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    return heap_;
  }

 private:
  // pop_heap and push_heap in one.
  void replace_front(const Found& found) {
    std::size_t hole = 0;
    for (std::size_t child = 1; child < k_; child = 2 * hole + 1) {
      if (child + 1 < k_ && heap_[child] < heap_[child + 1]) ++child;
      if (!(found < heap_[child])) break;
      heap_[hole] = heap_[child];
      hole = child;
    }
    heap_[hole] = found;
  }

  std::size_t k_ = 0;
  float max_key_ = std::numeric_limits<float>::infinity();
  std::vector<Found> heap_;
};

/// For StoredRows::scan: the largest key that each query still has a use for.
inline auto wanted(std::span<const TopK> nearest) {
  return [nearest](std::size_t q) { return nearest[q].max_key(); };
}

}  // namespace lookalike
