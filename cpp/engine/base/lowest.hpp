// The lowest of many distances, each with its number, taken without a branch for each.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lookalike {

/// A distance and its number in one word that sorts by the first, then the second: the bits of a float
/// ascend with it from 0 on. (NaN, which only a hostile file can cause, comes last.)
class Ranked {
 public:
  Ranked() = default;
  Ranked(float distance, std::uint32_t number)
      : word_(std::uint64_t{std::bit_cast<std::uint32_t>(distance)} << 32 | number) {}

  float distance() const { return std::bit_cast<float>(static_cast<std::uint32_t>(word_ >> 32)); }
  std::uint32_t number() const { return static_cast<std::uint32_t>(word_); }
  auto operator<=>(const Ranked&) const = default;

 private:
  std::uint64_t word_ = std::numeric_limits<std::uint64_t>::max();
};

/// Keeps the `wanted` lowest of all distances (>= 0) added since the last reset.
class Lowest {
 public:
  void reset(std::size_t wanted) {
    wanted_ = wanted;
    used_ = 0;
    limit_ = Ranked();
    kept_.resize(std::max(kept_.size(), 2 * wanted + kAtOnce));
  }

  /// distances[i] is that of number first + i.
  void add(const float* distances, std::size_t count, std::uint32_t first) {
    for (std::size_t begin = 0; begin < count; begin += kAtOnce) {
      used_ = append(distances + begin, std::min(kAtOnce, count - begin),
                     first + static_cast<std::uint32_t>(begin));
      if (used_ > 2 * wanted_) narrow();
    }
  }

  /// The lowest, in no order; valid until the next call.
  std::span<const Ranked> found() { return narrow(); }

  std::span<const Ranked> sorted() {
    const std::span<Ranked> lowest = narrow();
    std::sort(lowest.begin(), lowest.end());
    return lowest;
  }

 private:
  static constexpr std::size_t kAtOnce = 64;

  // A store for each and a count for those below the limit. The locals live in registers, where members
  // would be written and read again around every store.
  std::size_t append(const float* distances, std::size_t count, std::uint32_t first) {
    Ranked* const kept = kept_.data();
    const Ranked limit = limit_;
    std::size_t used = used_;
    for (std::size_t i = 0; i < count; ++i) {
      kept[used] = Ranked(distances[i], first + static_cast<std::uint32_t>(i));
      used += kept[used] < limit;
    }
    return used;
  }

  std::span<Ranked> narrow() {
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(wanted_);
    if (used_ > wanted_) {
      std::nth_element(kept_.begin(), last, kept_.begin() + static_cast<std::ptrdiff_t>(used_));
      limit_ = *last;  // lower than the lowest left out
      used_ = wanted_;
    }
    return {kept_.data(), used_};
  }

  std::size_t wanted_ = 0;
  std::size_t used_ = 0;
  Ranked limit_;
  std::vector<Ranked> kept_;  // the first used_ hold the lowest, and what came since they were last narrowed
};

}  // namespace lookalike
