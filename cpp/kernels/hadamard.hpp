// The Walsh-Hadamard transform: one body for every instruction set. Each number of the result is the same
// tree of additions and subtractions at all levels, so it has the same bits. In an anonymous namespace for
// the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>

namespace lookalike {
namespace {

template <class Lanes>
struct Hadamard {
  using Vector = typename Lanes::Vector;

  static void transform(float* values, std::size_t n) {
    if (n < Lanes::width) return transform_few(values, n);
    for (std::size_t i = 0; i < n; i += Lanes::width)
      Lanes::store(values + i, Lanes::butterflies(Lanes::load(values + i)));
    std::size_t distance = Lanes::width;
    for (; 4 * distance <= n; distance *= 4) two_stages(values, n, distance);
    if (2 * distance <= n) one_stage(values, distance);
  }

  static void transform_few(float* values, std::size_t n) {
    for (std::size_t distance = 1; distance < n; distance *= 2)
      for (std::size_t i = 0; i < n; ++i)
        if ((i & distance) == 0) {
          const float a = values[i], b = values[i + distance];
          values[i] = a + b;
          values[i + distance] = a - b;
        }
  }

  /// The last stage: between the halves.
  static void one_stage(float* values, std::size_t distance) {
    for (std::size_t i = 0; i < distance; i += Lanes::width) {
      const Vector a = Lanes::load(values + i), b = Lanes::load(values + i + distance);
      Lanes::store(values + i, Lanes::add(a, b));
      Lanes::store(values + i + distance, Lanes::subtract(a, b));
    }
  }

  /// At `distance` and at twice of it, with half the loads and stores.
  static void two_stages(float* values, std::size_t n, std::size_t distance) {
    for (float* start = values; start < values + n; start += 4 * distance)
      for (float* p = start; p < start + distance; p += Lanes::width) {
        const Vector a = Lanes::load(p), b = Lanes::load(p + distance);
        const Vector c = Lanes::load(p + 2 * distance), d = Lanes::load(p + 3 * distance);
        const Vector ab = Lanes::add(a, b), cd = Lanes::add(c, d);
        const Vector a_b = Lanes::subtract(a, b), c_d = Lanes::subtract(c, d);
        Lanes::store(p, Lanes::add(ab, cd));
        Lanes::store(p + distance, Lanes::add(a_b, c_d));
        Lanes::store(p + 2 * distance, Lanes::subtract(ab, cd));
        Lanes::store(p + 3 * distance, Lanes::subtract(a_b, c_d));
      }
  }
};

}  // namespace
}  // namespace lookalike
