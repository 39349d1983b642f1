// The k-th smallest of a stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace lookalike {

class Kth {
 public:
  explicit Kth(std::size_t k = 0) : k_(k) {}

  void reset(std::size_t k) {
    k_ = k;
    heap_.clear();
  }

  std::size_t k() const { return k_; }

  /// Infinite before there are as many, and where k is 0.
  float value() const {
    return k_ > 0 && heap_.size() == k_ ? heap_.front() : std::numeric_limits<float>::infinity();
  }

  void push(float value) {
    if (!(value < this->value())) return;
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back(value);
    std::push_heap(heap_.begin(), heap_.end());
  }

 private:
  std::size_t k_;
  std::vector<float> heap_;  // the k smallest so far
};

}  // namespace lookalike
