// Norms of vectors, and which of them can be worked with.
#pragma once

#include <cmath>
#include <cstddef>

namespace lookalike {

// Squared norms between these keep every sum, difference and product of two vectors inside float32.
constexpr double kLargestSquare = 1e37;
constexpr double kSmallestSquare = 1e-30;  // under cosine only

inline double squared_norm(const float* vector, std::size_t dim) {
  double sum = 0.0;
  for (std::size_t i = 0; i < dim; ++i) sum += double{vector[i]} * double{vector[i]};
  return sum;
}

inline float inverse_norm(const float* vector, std::size_t dim) {
  return static_cast<float>(1.0 / std::sqrt(squared_norm(vector, dim)));
}

}  // namespace lookalike
