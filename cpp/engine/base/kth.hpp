// The k-th smallest of a stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "engine/base/limit_for.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// What is below the k-th smallest so far is collected, a register at a time, and sorted out when four times
/// as many are there as are wanted. NaN never counts.
class Kth {
 public:
  explicit Kth(std::size_t k = 0) : k_(k) {}

  void reset(std::size_t k) {
    k_ = k;
    size_ = 0;
    limit_ = kEndless;
  }

  std::size_t k() const { return k_; }

  /// There are kept_slack elements more behind the values.
  void push(std::span<const float> values) {
    if (k_ == 0) return;
    if (smallest_.size() < size_ + values.size() + kept_slack)
      smallest_.resize(size_ + values.size() + 4 * k_ + kept_slack);
    size_ += kernels().copy_below(values.data(), values.size(), limit_, smallest_.data() + size_);
    if (size_ > tuning::kSpareRoom * k_) sort_out();
  }

  /// No less than the k-th smallest, and nearly that: what need not be pushed.
  float bound() const { return limit_; }

  /// Infinite before there are as many, and where k is 0.
  float value() {
    sort_out();
    return limit_;
  }

 private:
  static constexpr float kEndless = std::numeric_limits<float>::infinity();

  // A few counts tell a limit that leaves not many more than k, unless many are equal.
  void sort_out() {
    if (size_ < k_ || k_ == 0 || (size_ == k_ && limit_ < kEndless)) return;
    const Kernels& kernel = kernels();
    if (size_ > tuning::kSpareRoom * k_) {
      const float limit = limit_for({smallest_.data(), size_}, k_, 2 * k_, kEndless);
      size_ = kernel.copy_below(smallest_.data(), size_, limit, smallest_.data());
    }
    limit_ = size_ <= tuning::kComparedForKth ? kernel.kth_lowest(smallest_.data(), size_, k_) : nth(k_ - 1);
    size_ = kernel.copy_below(smallest_.data(), size_, limit_, smallest_.data());
    while (size_ < k_) smallest_[size_++] = limit_;
  }

  float nth(std::size_t place) {
    const auto begin = smallest_.begin(), at = begin + static_cast<std::ptrdiff_t>(place);
    std::nth_element(begin, at, begin + static_cast<std::ptrdiff_t>(size_));
    return *at;
  }

  std::size_t k_;
  std::size_t size_ = 0;
  float limit_ = kEndless;
  std::vector<float> smallest_;  // the first size_ count
};

}  // namespace lookalike
