#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

/// By the definition of binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
double value_of(unsigned half) {
  const int exponent = static_cast<int>(half >> 10 & 31U);
  const double fraction = half & 1023U;
  const double sign = (half & 0x8000U) != 0 ? -1.0 : 1.0;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

bool is_nan(unsigned half) {
  return (half & 0x7FFFU) > 0x7C00U;
}

/// All 65,536 of them.
std::vector<Half> all_halves() {
  std::vector<Half> all(65'536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Half>(i);
  return all;
}

std::vector<float> from_half(const Kernels& kernels, const std::vector<Half>& halves) {
  std::vector<float> values(halves.size());
  kernels.from_half(halves.data(), halves.size(), values.data());
  return values;
}

std::vector<Half> to_half(const Kernels& kernels, const std::vector<float>& values) {
  std::vector<Half> halves(values.size());
  kernels.to_half(values.data(), values.size(), halves.data());
  return halves;
}

}  // namespace

TEST(every_half_becomes_the_float_of_its_value_and_comes_back) {
  const std::vector<Half> halves = all_halves();
  for (const auto level : available_levels()) {
    const std::vector<float> values = from_half(*kernels_for(level), halves);
    const std::vector<Half> back = to_half(*kernels_for(level), values);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      if (is_nan(halves[i])) {  // quiet, its sign and the rest of its bits kept
        CHECK(bits(values[i]) == ((i & 0x8000U) << 16 | 0x7FC00000U | (i & 0x3FFU) << 13), level, "half", i);
        CHECK(back[i] == (i | 0x200U), level, "half", i);
        continue;
      }
      const bool infinite = (i & 0x7FFFU) == 0x7C00U;
      CHECK(infinite ? std::isinf(values[i]) : values[i] == value_of(halves[i]), level, "half", i);
      CHECK(std::signbit(values[i]) == ((i & 0x8000U) != 0), level, "half", i);
      CHECK(back[i] == i, level, "half", i);
    }
  }
}

// Between neighbours: the middle goes to the even one, everything else to the nearer one.
TEST(a_float_becomes_the_nearest_half_and_a_tie_the_even_one) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::vector<float> values;
  std::vector<Half> expected;
  for (unsigned half = 0; half < 0x7C00U; ++half) {
    const double above = half == 0x7BFFU ? 65536.0 : value_of(half + 1);
    const float middle = static_cast<float>((value_of(half) + above) / 2);
    for (const unsigned sign : {0U, 0x8000U}) {
      const float one = sign == 0 ? 1.0F : -1.0F;
      const unsigned even = half % 2 == 0 ? half : half + 1;
      values.insert(values.end(),
                    {one * std::nextafter(middle, 0.0F), one * middle, one * std::nextafter(middle, inf)});
      for (const unsigned nearest : {half, even, half + 1})
        expected.push_back(static_cast<Half>(sign | nearest));
    }
  }
  for (const auto level : available_levels()) {
    const std::vector<Half> halves = to_half(*kernels_for(level), values);
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(halves[i] == expected[i], level, "value", values[i]);
  }
}

TEST(large_and_tiny_floats_become_infinity_and_zero) {
  const std::vector<float> values{65504.0F,        65519.996F, 65520.0F,  -65520.0F, 3e38F,   0x1p-25F,
                                  0x1.000002p-25F, -0x1p-26F,  0x1p-149F, -0.0F,     0x1p-24F};
  const std::vector<Half> expected{0x7BFF, 0x7BFF, 0x7C00, 0xFC00, 0x7C00, 0, 1, 0x8000, 0, 0x8000, 1};
  for (const auto level : available_levels()) CHECK(to_half(*kernels_for(level), values) == expected, level);
}

TEST(any_float_becomes_the_same_half_at_every_level) {
  std::mt19937_64 random(1);
  std::vector<float> values(200'000);
  for (float& value : values) value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
  const std::vector<Half> reference = to_half(*kernels_for("scalar"), values);
  for (const auto level : available_levels()) CHECK(to_half(*kernels_for(level), values) == reference, level);
}

TEST(conversions_stay_within_their_arrays) {
  std::mt19937_64 random(2);
  for (const Edge edge : {Edge::start, Edge::end})
    for (std::size_t n = 0; n <= 130; ++n) {
      Guarded<float> values(n, edge), back(n, edge);
      Guarded<Half> halves(n, edge);
      for (float& value : values) value = static_cast<float>(random() % 2048) - 1024.0F;
      for (const auto level : available_levels()) {
        const Kernels& k = *kernels_for(level);
        k.to_half(values.data(), n, halves.data());
        k.from_half(halves.data(), n, back.data());
        for (std::size_t i = 0; i < n; ++i) CHECK(back[i] == values[i], level, "n", n, "at", i);
      }
    }
}
