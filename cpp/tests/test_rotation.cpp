#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/projection/rotation.hpp"

using namespace lookalike;

namespace {

std::vector<std::size_t> widths() {
  std::vector<std::size_t> widths;
  for (std::size_t width = 4; width <= 64; width += 4) widths.push_back(width);
  for (const std::size_t width : {96, 100, 124, 128, 200, 300, 768, 960, 1000, 1020, 1536, 4096})
    widths.push_back(width);
  return widths;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// Inputs that a transform of ±1 likes to leave, or make, sparse.
std::vector<float> structured(std::size_t width, std::size_t which) {
  std::vector<float> values(width);
  for (std::size_t i = 0; i < width; ++i) {
    const bool one_hot = i == which * 7 % width;
    const bool two_hot = one_hot || i == (which * 7 + width / 2) % width;
    const bool block = i / 4 == which % (width / 4);
    const float hadamard_row = std::popcount(i & which) % 2 == 0 ? 1.0F : -1.0F;
    const float choices[] = {one_hot ? 1.0F : 0.0F, two_hot ? 1.0F : 0.0F, block ? 1.0F : 0.0F, hadamard_row};
    values[i] = choices[which % 4];
  }
  return values;
}

}  // namespace

TEST(a_rotation_keeps_inner_products) {
  Random random(1);
  for (const std::size_t width : widths()) {
    std::vector<float> a(width), b(width);
    for (std::size_t i = 0; i < width; ++i) {
      a[i] = static_cast<float>(random.gaussian());
      b[i] = static_cast<float>(random.gaussian());
    }
    const double aa = dot(a, a), ab = dot(a, b), bb = dot(b, b);
    const Rotation rotation(width, 5);
    rotation.apply(a.data());
    rotation.apply(b.data());
    const double tolerance = 2e-6 * std::sqrt(aa * bb);
    CHECK(std::abs(dot(a, a) - aa) < 2e-6 * aa, width, dot(a, a), aa);
    CHECK(std::abs(dot(a, b) - ab) < tolerance, width, dot(a, b), ab);
  }
}

// Under a uniformly drawn rotation sqrt(n) · (a coordinate of a unit vector) has the fourth moment 3n / (n +
// 2).
TEST(whatever_is_rotated_becomes_gaussian) {
  for (const std::size_t width : widths()) {
    const auto n = static_cast<double>(width);
    const std::size_t vectors = std::max<std::size_t>(64, 8192 / width);
    double fourth = 0;
    for (std::size_t which = 0; which < vectors; ++which) {
      std::vector<float> values = structured(width, which);
      const double squares = dot(values, values);
      Rotation(width, which).apply(values.data());
      double own = 0;
      for (const float value : values) own += std::pow(n * double{value} * double{value} / squares, 2) / n;
      CHECK(width < 96 || own < 8, width, which, own);  // no coordinate stands out
      fourth += own / static_cast<double>(vectors);
    }
    const double expected = 3 * n / (n + 2), error = 12 / std::sqrt(n * static_cast<double>(vectors));
    CHECK(std::abs(fourth - expected) < 4 * error, width, fourth, expected, error);
  }
}

TEST(every_coordinate_of_a_rotation_carries_alike) {
  for (const std::size_t width : {4, 12, 60, 124, 300}) {
    std::vector<double> energy(width);
    constexpr int kDraws = 2000;
    for (int seed = 0; seed < kDraws; ++seed) {
      std::vector<float> values(width);
      values[static_cast<std::size_t>(seed) % width] = 1.0F;
      Rotation(width, static_cast<std::uint64_t>(seed)).apply(values.data());
      for (std::size_t i = 0; i < width; ++i) energy[i] += double{values[i]} * double{values[i]} / kDraws;
    }
    for (const double share : energy)
      CHECK(std::abs(share * static_cast<double>(width) - 1) < 6 * std::sqrt(2.0 / kDraws), width, share);
  }
}

TEST(a_rotation_is_its_seed) {
  const std::vector<float> original = {1.0F, -2.0F, 3.0F, 0.5F, 0.0F, 7.0F, -1.0F, 4.0F};
  std::vector<float> a = original, b = original, c = original;
  Rotation(8, 9).apply(a.data());
  Rotation(8, 9).apply(b.data());
  Rotation(8, 10).apply(c.data());
  CHECK(a == b);
  CHECK(a != c);
}
