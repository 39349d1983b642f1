// float16: in software, the reference and what a level uses for an array's last few numbers; and the bodies
// that convert arrays. In an anonymous namespace for the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

inline float float_of_bits(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline std::uint32_t bits_of_float(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Exact; a signalling NaN becomes quiet, as in the processors' own conversions.
inline float half_to_float(Half half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero or denormal
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return float_of_bits(sign | bits_of_float(magnitude));
  }
  if (exponent == 0x1FU) {
    const std::uint32_t quiet = fraction == 0 ? 0 : 0x400000U;
    return float_of_bits(sign | 0x7F800000U | quiet | fraction << 13);
  }
  return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

inline Half float_to_half(float value) {
  const std::uint32_t bits = bits_of_float(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<Half>(sign | 0x7E00U | ((magnitude >> 13) & 0x3FFU));
  if (magnitude >= 0x477FF000U)
    return static_cast<Half>(sign | 0x7C00U);  // 65520, half way to 2^16, and beyond
  if (magnitude < 0x38800000U) {
    // Below 2^-14 halves are 2^-24 apart, as floats are from 0.5 on: adding 0.5 rounds.
    const float rounded = float_of_bits(magnitude) + 0.5F;
    return static_cast<Half>(sign | (bits_of_float(rounded) - bits_of_float(0.5F)));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1U;  // of the half below: a tie goes to the even one
  return static_cast<Half>(sign | ((magnitude - 0x38000000U + 0xFFFU + odd) >> 13));
}

template <class Lanes>
void to_half(const float* values, std::size_t n, Half* out) {
  std::size_t i = 0;
  for (; i + Lanes::width <= n; i += Lanes::width) Lanes::store(out + i, Lanes::load(values + i));
  for (; i < n; ++i) out[i] = float_to_half(values[i]);
}

template <class Lanes>
void from_half(const Half* values, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + Lanes::width <= n; i += Lanes::width) Lanes::store(out + i, Lanes::load(values + i));
  for (; i < n; ++i) out[i] = half_to_float(values[i]);
}

}  // namespace
}  // namespace lookalike
