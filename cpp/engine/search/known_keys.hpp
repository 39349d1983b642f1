// Keys of a query that is searched for many times.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace lookalike {

/// Keys of one query by row: where rows are long, looking one up takes a small part of the time of computing.
class KnownKeys {
 public:
  /// keys[i] becomes that of rows[i], all different; compute(some rows, their keys) tells those not known.
  template <class Compute>
  void find(std::span<const std::uint32_t> rows, float* keys, Compute compute) {
    constexpr std::size_t kAtOnce = 256;
    std::array<std::uint32_t, kAtOnce> unknown;
    std::array<std::size_t, kAtOnce> places;
    std::array<float, kAtOnce> computed;
    std::size_t count = 0;
    const auto settle = [&] {
      if (count == 0) return;
      compute(std::span<const std::uint32_t>(unknown).first(count), computed.data());
      make_room(count_ + count);
      for (std::size_t i = 0; i < count; ++i) *place_of(unknown[i]) = {unknown[i], computed[i]};
      for (std::size_t i = 0; i < count; ++i) keys[places[i]] = computed[i];
      count_ += std::exchange(count, 0);
    };
    make_room(count_ + 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Entry& entry = *place_of(rows[i]);
      if (entry.row == rows[i]) {
        keys[i] = entry.key;
        continue;
      }
      unknown[count] = rows[i];
      places[count++] = i;
      if (count == kAtOnce) settle();
    }
    settle();
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Entry {
    std::uint32_t row = kNone;
    float key = 0.0F;
  };

  // Of the row, or the free one where it belongs. Fibonacci hashing (Knuth, The Art of Computer Programming,
  // volume 3, 6.4), and the next place where one is taken.
  Entry* place_of(std::uint32_t row) {
    const std::size_t mask = entries_.size() - 1;
    std::size_t i = row * std::uint64_t{0x9E3779B97F4A7C15} >> 32U & mask;
    while (entries_[i].row != kNone && entries_[i].row != row) i = (i + 1) & mask;
    return &entries_[i];
  }

  // A third stays free.
  void make_room(std::size_t count) {
    const std::size_t places = std::bit_ceil(count + (count + 1) / 2);
    if (places <= entries_.size()) return;
    for (const Entry& each : std::exchange(entries_, std::vector<Entry>(places)))
      if (each.row != kNone) *place_of(each.row) = each;
  }

  std::vector<Entry> entries_;  // a power of two of them
  std::size_t count_ = 0;
};

}  // namespace lookalike
