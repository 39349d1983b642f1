// Where a number belongs among sorted ones.
#pragma once

#include <cstddef>
#include <span>

namespace lookalike {

/// How many of these ascending numbers are at most `value`: as std::upper_bound, but without a branch that
/// depends on them, which would be mispredicted half the time. NaN comes behind all.
inline std::size_t rank_in(std::span<const float> ascending, float value) {
  const float* at = ascending.data();
  std::size_t left = ascending.size();
  while (left > 0) {
    const std::size_t half = (left + 1) / 2;
    at += half * std::size_t{!(value < at[half - 1])};
    left -= half;
  }
  return static_cast<std::size_t>(at - ascending.data());
}

}  // namespace lookalike
