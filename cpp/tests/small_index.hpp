// Gaussian vectors and the shape of an index that holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "engine/index/index.hpp"

constexpr std::size_t kDim = 6;
const lookalike::Interrupt kNever;

inline std::vector<float> gaussian(std::size_t rows, unsigned seed, std::size_t dim = kDim) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * dim);
  for (float& value : values) value = normal(random);
  return values;
}

inline lookalike::Shape shape_of(lookalike::Metric metric, std::uint32_t buckets = 0,
                                 std::size_t dim = kDim) {
  return {dim, 1, 0, metric, buckets};
}
