// A seeded random rotation in O(d log d) time and O(d) memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lookalike {

/// A rotation of `width` dimensions, a multiple of 4. Each round flips signs at random and mixes by a
/// Walsh-Hadamard transform (Ailon & Chazelle, STOC 2006), first the leading power-of-two many coordinates,
/// then, where that is not all, as many trailing ones; then it turns coordinates i and i + width / 2 by an
/// angle of their own (Kac's walk). Two windows and the walk make do for any width as in the FhtKacRotator of
/// the RaBitQ library; but here the walk follows the transforms, since before them it leads a part of a lone
/// coordinate past its window.
class Rotation {
 public:
  Rotation() = default;
  Rotation(std::size_t width, std::uint64_t seed);

  std::size_t width() const { return width_; }

  /// Turns `width` values in place. The same seed gives the same rotation on every platform.
  void apply(float* values) const;

  /// Turns them back.
  void invert(float* values) const;

 private:
  std::size_t width_ = 0;
  std::size_t window_ = 0;  // the largest power of two <= width
  std::vector<float>
      factors_;  // by round: window ±1/sqrt(window) once or twice, width / 2 cosines, as many sines
};

}  // namespace lookalike
