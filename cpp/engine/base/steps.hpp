// A query in whole steps of 16 bits, to be multiplied with rows of bytes in whole numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/dispatch.hpp"

namespace lookalike {

/// steps[i] becomes query[i] / step, rounded, with a step so small that a coordinate is off by at most
/// max|q_i| / 65278 (beyond 518 dimensions the divisor falls), and so large that no sum of products with
/// bytes from −127 to 127 overflows. Returns the step.
inline float make_steps(const float* query, std::size_t dim, std::vector<std::int16_t>& steps) {
  constexpr double kMost = 32639.0;  // 256 · 127 + 127: two signed bytes
  constexpr double kMostOfAll = 2147483647.0 / 127.0;
  float lowest = 0.0F, highest = 0.0F;
  kernels().extremes(query, dim, &lowest, &highest);
  const float largest = std::max(-lowest, highest);
  const auto most = static_cast<float>(std::min(kMost, std::floor(kMostOfAll / static_cast<double>(dim))));
  steps.resize(dim + dim % 2);
  if (dim % 2 != 0) steps.back() = 0;
  kernels().to_steps(query, dim, largest > 0.0F ? most / largest : 0.0F, most, steps.data());
  return largest / most;
}

}  // namespace lookalike
