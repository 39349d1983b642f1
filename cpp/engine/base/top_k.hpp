// The k nearest seen so far. Ties go to the smaller id, so answers do not depend on the order of visits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/tuning.hpp"

namespace lookalike {

struct Found {
  float key;
  std::int64_t id;
  bool operator<(const Found& other) const { return key < other.key || (key == other.key && id < other.id); }
};

/// Few are kept as a heap. Of many, up to twice as many are collected before the farther half is dropped:
/// where they arrive in random order that takes a fraction of the time.
class TopK {
 public:
  void reset(std::size_t k, float max_key) {
    k_ = k;
    max_key_ = max_key;
    last_ = {max_key, std::numeric_limits<std::int64_t>::max()};
    kept_.clear();
  }

  bool admits(float key) const { return key <= max_key_; }

  // No larger key will be kept.
  float max_key() const { return max_key_; }

  // Only what the other would still keep.
  void reset_beside(const TopK& other) { reset(other.k_, other.max_key_); }

  void push_all(const TopK& others) {
    for (const Found& found : others.kept_) push(found.key, found.id);
  }

  // Returns whether it may be kept; if not, none as near with a larger id would be. A NaN key (only a hostile
  // file can hold one) compares false and is dropped.
  bool push(float key, std::int64_t id) {
    if (!admits(key)) return false;
    const Found found{key, id};
    if (k_ > tuning::kMostInHeap) return collect(found);
    if (kept_.size() == k_) {
      if (!(found < kept_.front())) return false;
      replace_front(found);
    } else {
      kept_.push_back(found);
      std::push_heap(kept_.begin(), kept_.end());
    }
    if (kept_.size() == k_) max_key_ = kept_.front().key;
    return true;
  }

  // In no order.
  std::span<const Found> kept() {
    narrow();
    return kept_;
  }

  // Nearest first. Reset it before the next use.
  std::vector<Found>& sorted() {
    narrow();
    std::sort(kept_.begin(), kept_.end());
    return kept_;
  }

 private:
  bool collect(const Found& found) {
    if (last_ < found) return false;
    kept_.push_back(found);
    if (kept_.size() == 2 * k_) narrow();
    return true;
  }

  void narrow() {
    if (kept_.size() <= k_) return;
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(kept_.begin(), last, kept_.end());
    last_ = *last;
    max_key_ = last_.key;
    kept_.resize(k_);
  }

  // pop_heap and push_heap in one.
  void replace_front(const Found& found) {
    std::size_t hole = 0;
    for (std::size_t child = 1; child < k_; child = 2 * hole + 1) {
      if (child + 1 < k_ && kept_[child] < kept_[child + 1]) ++child;
      if (!(found < kept_[child])) break;
      kept_[hole] = kept_[child];
      hole = child;
    }
    kept_[hole] = found;
  }

  std::size_t k_ = 0;
  float max_key_ = std::numeric_limits<float>::infinity();
  Found last_ = {};  // of many: the k-th when some were dropped last
  std::vector<Found> kept_;
};

/// For StoredRows::scan: the largest key that each query still has a use for.
inline auto wanted(std::span<const TopK> nearest) {
  return [nearest](std::size_t q) { return nearest[q].max_key(); };
}

}  // namespace lookalike
