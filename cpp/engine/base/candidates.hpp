// The candidates of one query: the `keep` smallest estimates of a stream.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "engine/base/kth.hpp"
#include "engine/base/limit_for.hpp"
#include "engine/base/missed.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// Survivors of the limit are appended; when there are four times as many as wanted, the limit is drawn in. A
/// heap would cost more than the scan that feeds it.
class Candidates {
 public:
  static constexpr std::size_t kSlack = 32;  // the kernels store whole registers

  /// Of a stream in which the k-th smallest estimate is of interest too, where k > 0.
  void start(std::size_t keep, std::size_t k = 0) {
    keep_ = keep;
    kth_.reset(k);
    size_ = 0;
    limit_ = kEndless;
    within_ = false;
    many_ = tuning::kSpareRoom * keep_ + kSlack;
  }

  /// From now on those alone are wanted that may be among the k nearest, where an estimate has this standard
  /// error: all but so large a share of the k nearest (missed.hpp).
  void keep_within(float error, float missed) {
    error_ = error;
    missed_ = missed;
    within_ = true;
    cut_by_kth(tuning::kSpareErrors);
  }

  /// The k-th smallest estimate so far; infinite before there are as many.
  float kth() { return kth_.value(); }

  /// Everything estimated below this may still matter.
  float limit() const { return limit_; }
  std::size_t size() const { return size_; }

  /// Where a kernel writes up to `more` survivors, followed by `take`.
  float* estimates(std::size_t more) {
    const std::size_t needed = size_ + more + kSlack;
    if (estimates_.size() < needed) {
      estimates_.resize(needed + needed / 2);
      numbers_.resize(needed + needed / 2);
    }
    return estimates_.data() + size_;
  }
  std::uint32_t* numbers() { return numbers_.data() + size_; }

  void take(std::size_t appended) {
    kth_.push({estimates_.data() + size_, appended});
    size_ += appended;
    if (size_ < many_) return;
    if (within_) cut_by_kth(tuning::kSpareErrors);
    if (size_ >= tuning::kSpareRoom * keep_ + kSlack) narrow(keep_ / 8);
  }

  /// The same, of those alone that may be found: without a branch, which nobody could foretell.
  template <class Findable>
  void take(std::size_t appended, Findable findable) {
    std::size_t kept = size_;
    for (std::size_t i = size_; i < size_ + appended; ++i) {
      const std::uint32_t number = numbers_[i];
      estimates_[kept] = estimates_[i];
      numbers_[kept] = number;
      kept += std::size_t{findable(number)};
    }
    take(kept - size_);
  }

  /// Exactly the `keep` best remain, or all if there are fewer; ties go to the smaller number, so that the
  /// order of the stream does not show.
  void finish() {
    if (within_) cut_by_kth(0.0F);
    if (size_ > keep_) narrow(0);
    if (size_ > keep_) cut();
  }

  /// After `finish`, where numbers repeat: of each the smallest estimate remains, of these the `keep` best.
  void unite(std::size_t keep) {
    constexpr std::uint32_t kFree = 0xFFFFFFFF;
    const std::size_t mask = std::bit_ceil(2 * size_ + 2) - 1;
    order_.assign(mask + 1, kFree);  // a hash table: where each number was put
    std::size_t united = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      std::size_t at = numbers_[i] * std::size_t{0x9E3779B1} >> 7 & mask;
      while (order_[at] != kFree && numbers_[order_[at]] != numbers_[i]) at = (at + 1) & mask;
      if (order_[at] == kFree) {
        estimates_[united] = estimates_[i];
        numbers_[united] = numbers_[i];
        order_[at] = static_cast<std::uint32_t>(united++);
      } else {
        estimates_[order_[at]] = std::min(estimates_[order_[at]], estimates_[i]);
      }
    }
    size_ = united;
    keep_ = keep;
    within_ = false;
    finish();
  }

  std::span<const std::uint32_t> kept() const { return {numbers_.data(), size_}; }
  std::span<const float> kept_estimates() const { return {estimates_.data(), size_}; }

 private:
  static constexpr float kEndless = std::numeric_limits<float>::infinity();

  // Before the last rows came, some more stay than it takes: how many are near may grow. They are counted
  // then, so none within an error is cut before.
  void cut_by_kth(float spare) {
    const float kth = this->kth();
    if (!(kth < kEndless)) return;
    const std::size_t near = kernels().count_below(estimates_.data(), size_, kth + error_);
    const float beyond = spare + Crowd(near, kth_.k()).errors_beyond(missed_);
    const float most = kth + error_ * (spare > 0.0F ? std::max(beyond, 1.0F) : beyond);
    limit_ = std::min(limit_, most > kth ? most : std::nextafter(kth, kEndless));
    size_ = kernels().keep_below(estimates_.data(), numbers_.data(), size_, limit_);
    many_ = std::min(2 * size_ + tuning::kMoreBeforeCut, tuning::kSpareRoom * keep_ + kSlack);
  }

  /// Draws in the limit, so that `keep` up to `keep + spare` are left. Many equal estimates allow no such
  /// limit: then they are cut by number.
  void narrow(std::size_t spare) {
    limit_ = limit_for({estimates_.data(), size_}, keep_, keep_ + spare, limit_);
    size_ = kernels().keep_below(estimates_.data(), numbers_.data(), size_, limit_);
    if (size_ > 2 * keep_) cut();
  }

  void cut() {
    order_.resize(size_);
    std::iota(order_.begin(), order_.end(), 0U);
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
      return estimates_[a] < estimates_[b] || (estimates_[a] == estimates_[b] && numbers_[a] < numbers_[b]);
    };
    std::nth_element(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(keep_), order_.end(),
                     before);
    order_.resize(keep_);
    std::sort(order_.begin(), order_.end());
    for (std::size_t i = 0; i < keep_; ++i) {
      estimates_[i] = estimates_[order_[i]];
      numbers_[i] = numbers_[order_[i]];
    }
    size_ = keep_;
  }

  std::size_t keep_ = 0;
  Kth kth_;
  std::size_t size_ = 0;
  float limit_ = kEndless;
  float error_ = 0.0F, missed_ = 1.0F;
  bool within_ = false;   // a distance of the k-th smallest
  std::size_t many_ = 0;  // when there are so many, some may be left out
  std::vector<float> estimates_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> order_;
};

}  // namespace lookalike
