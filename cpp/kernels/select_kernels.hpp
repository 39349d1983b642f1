// Counting and keeping what is below a limit: one body for every instruction set, in the terms of a level's
// `Lanes`. In an anonymous namespace for the reason given in pair_kernels.hpp.
//
// A kept register is stored whole, its kept lanes in front, and the next store begins behind them: hence the
// slack. (A compressing store to memory writes less and is ten times slower on Zen 4.)

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

/// The first n bits of a set of lanes.
inline std::uint32_t first_lanes(std::size_t n) {
  return n < 32 ? (1U << n) - 1U : ~0U;
}

/// Writes the lanes in `keep`, in order; returns how many.
template <class Lanes, class Values, class Numbers>
std::size_t keep_lanes(std::uint32_t keep, Values values, Numbers numbers, float* out_values,
                       std::uint32_t* out_numbers) {
  Lanes::store_kept(keep, values, numbers, out_values, out_numbers);
  return static_cast<std::size_t>(__builtin_popcount(keep));
}

template <class Lanes>
void extremes(const float* values, std::size_t n, float* lowest, float* highest) {
  const float endless = __builtin_inff();
  auto low = Lanes::broadcast(endless), high = Lanes::broadcast(-endless);
  const auto meet = [&](std::size_t i) {
    const auto value = Lanes::load(values + i);
    low = Lanes::min(value, low);
    high = Lanes::max(value, high);
  };
  std::size_t i = 0;
  for (; i + Lanes::width <= n; i += Lanes::width) meet(i);
  if (i < n && n >= Lanes::width) meet(n - Lanes::width), i = n;  // some of them once more
  *lowest = Lanes::lowest(low);
  *highest = Lanes::highest(high);
  for (; i < n; ++i) {
    if (values[i] < *lowest) *lowest = values[i];
    if (values[i] > *highest) *highest = values[i];
  }
}

template <class Lanes>
std::size_t count_below(const float* values, std::size_t n, float limit) {
  const auto limits = Lanes::broadcast(limit);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; i += Lanes::width)
    count += static_cast<std::size_t>(
        __builtin_popcount(Lanes::below(Lanes::load(values + i), limits) & first_lanes(n - i)));
  return count;
}

/// Each value is compared with all: no step waits for another, and few values are done sooner than they are
/// bisected.
template <class Lanes>
float kth_lowest(const float* values, std::size_t n, std::size_t k) {
  float kth = -__builtin_inff();
  for (std::size_t i = 0; i < n; ++i) {
    const bool among = count_below<Lanes>(values, n, values[i]) < k;
    kth = among && values[i] > kth ? values[i] : kth;
  }
  return kth;
}

template <class Lanes>
std::size_t copy_below(const float* values, std::size_t n, float limit, float* out) {
  const auto limits = Lanes::broadcast(limit);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; i += Lanes::width) {
    const auto value = Lanes::load(values + i);
    const std::uint32_t below = Lanes::below(value, limits) & first_lanes(n - i);
    Lanes::store_kept(below, value, out + kept);
    kept += static_cast<std::size_t>(__builtin_popcount(below));
  }
  return kept;
}

template <class Lanes>
std::size_t keep_below(float* values, std::uint32_t* numbers, std::size_t n, float limit) {
  const auto limits = Lanes::broadcast(limit);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; i += Lanes::width) {
    const auto value = Lanes::load(values + i);
    kept += keep_lanes<Lanes>(Lanes::below(value, limits) & first_lanes(n - i), value,
                              Lanes::load(numbers + i), values + kept, numbers + kept);
  }
  return kept;
}

}  // namespace
}  // namespace lookalike
