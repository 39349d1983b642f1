#include "engine/projection/rotation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/random.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

// Enough for a lone coordinate to become as Gaussian as under a uniformly drawn rotation; measured in the
// tests.
constexpr int kRounds = 3;

// A point of the unit circle by rejection: sqrt is exact by IEEE 754, where cos and sin differ by platform.
void draw_angle(Random& random, float& cosine, float& sine) {
  double x, y, square;
  do {
    x = 2.0 * random.uniform() - 1.0;
    y = 2.0 * random.uniform() - 1.0;
    square = x * x + y * y;
  } while (square > 1.0 || square < 0x1.0p-20);
  cosine = static_cast<float>(x / std::sqrt(square));
  sine = static_cast<float>(y / std::sqrt(square));
}

const float* flip_and_mix(float* values, std::size_t n, const float* signs) {
  for (std::size_t i = 0; i < n; ++i) values[i] *= signs[i];
  kernels().hadamard(values, n);
  return signs + n;
}

const float* walk(float* values, std::size_t half, const float* cosines) {
  const float* sines = cosines + half;
  for (std::size_t i = 0; i < half; ++i) {
    const float a = values[i];
    const float b = values[i + half];
    values[i] = cosines[i] * a - sines[i] * b;
    values[i + half] = sines[i] * a + cosines[i] * b;
  }
  return sines + half;
}

// The transform is its own inverse but for the scale, which the signs carry.
void mix_and_flip(float* values, std::size_t n, const float* signs) {
  kernels().hadamard(values, n);
  for (std::size_t i = 0; i < n; ++i) values[i] *= signs[i];
}

void walk_back(float* values, std::size_t half, const float* cosines) {
  const float* sines = cosines + half;
  for (std::size_t i = 0; i < half; ++i) {
    const float a = values[i];
    const float b = values[i + half];
    values[i] = cosines[i] * a + sines[i] * b;
    values[i + half] = cosines[i] * b - sines[i] * a;
  }
}

}  // namespace

Rotation::Rotation(std::size_t width, std::uint64_t seed) : width_(width), window_(std::bit_floor(width)) {
  if (width == 0) return;
  Random random(seed);
  const std::size_t signs = window_ == width ? window_ : 2 * window_;
  const auto flat = static_cast<float>(1.0 / std::sqrt(static_cast<double>(window_)));
  factors_.resize(kRounds * (signs + width));
  for (float* round = factors_.data(); round != factors_.data() + factors_.size(); round += signs + width) {
    std::generate_n(round, signs, [&] { return random.bits() >> 63 != 0 ? -flat : flat; });
    float* cosines = round + signs;
    for (std::size_t i = 0; i < width / 2; ++i) draw_angle(random, cosines[i], cosines[width / 2 + i]);
  }
}

void Rotation::apply(float* values) const {
  const float* factors = factors_.data();
  while (factors != factors_.data() + factors_.size()) {
    factors = flip_and_mix(values, window_, factors);
    if (window_ < width_) factors = flip_and_mix(values + width_ - window_, window_, factors);
    factors = walk(values, width_ / 2, factors);
  }
}

void Rotation::invert(float* values) const {
  const float* factors = factors_.data() + factors_.size();
  while (factors != factors_.data()) {
    factors -= width_;
    walk_back(values, width_ / 2, factors);
    if (window_ < width_) mix_and_flip(values + width_ - window_, window_, factors -= window_);
    mix_and_flip(values, window_, factors -= window_);
  }
}

}  // namespace lookalike
