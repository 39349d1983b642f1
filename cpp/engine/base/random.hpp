// Seeded Gaussian numbers, the same on every platform with IEEE doubles up to the last bit of log and cos.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace lookalike {

// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): equidistributed over 2^64, any seed is a good one.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  // In (0, 1]: never 0, so that its logarithm is finite.
  double uniform() { return static_cast<double>((bits() >> 11) + 1) * 0x1.0p-53; }

  // Box & Muller 1958.
  double gaussian() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace lookalike
