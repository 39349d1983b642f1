// What a distance means. Inside, neighbours are ordered by a key; the distance is made of it at the end.
#pragma once

#include <cmath>
#include <cstdint>

namespace lookalike {

enum class Metric : std::uint32_t { cosine = 0, euclidean = 1, sqeuclidean = 2, dot = 3, hamming = 4 };
constexpr std::uint32_t kMetrics = 5;

constexpr bool by_difference(Metric metric) {
  return metric == Metric::euclidean || metric == Metric::sqeuclidean;
}

inline float distance_of_key(Metric metric, float key) {
  return metric == Metric::euclidean ? std::sqrt(key) : key;
}

// The largest key whose distance is within max_distance; negative squares admit nothing.
inline float key_of_distance(Metric metric, float max_distance) {
  if (metric != Metric::euclidean) return max_distance;
  if (max_distance < 0) return -1.0F;
  // Rounding of the square must not exclude a distance that prints as max_distance.
  float key = max_distance * max_distance;
  while (std::sqrt(std::nextafter(key, INFINITY)) <= max_distance && key < INFINITY)
    key = std::nextafter(key, INFINITY);
  return key;
}

}  // namespace lookalike
