// Norms of vectors, and which of them can be worked with.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace lookalike {

// Squared norms between these keep every sum, difference and product of two vectors inside float32.
constexpr double kLargestSquare = 1e37;
constexpr double kSmallestSquare = 1e-30;  // under cosine only
constexpr double kSmallestOfAll = 1e-36;   // elsewhere: some must have as much

// Eight sums side by side: one alone would wait for each addition.
inline double squared_norm(const float* vector, std::size_t dim) {
  std::array<double, 8> sums{};
  const auto add = [&](std::size_t i, std::size_t lane) {
    sums[lane] += double{vector[i]} * double{vector[i]};
  };
  std::size_t i = 0;
  for (; i + sums.size() <= dim; i += sums.size())
    for (std::size_t lane = 0; lane < sums.size(); ++lane) add(i + lane, lane);
  for (std::size_t lane = 0; i < dim; ++i, ++lane) add(i, lane);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

inline float inverse_norm(double square) {
  return static_cast<float>(1.0 / std::sqrt(square));
}

inline float inverse_norm(const float* vector, std::size_t dim) {
  return inverse_norm(squared_norm(vector, dim));
}

}  // namespace lookalike
