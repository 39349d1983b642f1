// How many hits are expected in many buckets at once (engine/recall/hit_model.hpp): one body for every width
// of a register, in vectors that the compiler knows. In an anonymous namespace for the reason given in
// pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

template <std::size_t Width>
struct VectorsOf;
template <>
struct VectorsOf<4> {
  using Floats = float __attribute__((vector_size(16)));
  using Whole = std::int32_t __attribute__((vector_size(16)));
};
template <>
struct VectorsOf<8> {
  using Floats = float __attribute__((vector_size(32)));
  using Whole = std::int32_t __attribute__((vector_size(32)));
};
template <>
struct VectorsOf<16> {
  using Floats = float __attribute__((vector_size(64)));
  using Whole = std::int32_t __attribute__((vector_size(64)));
};

template <std::size_t Lanes>
struct ExpectedHits {
  static constexpr std::size_t Width = Lanes < 4 ? 4 : Lanes;
  using Floats = typename VectorsOf<Width>::Floats;
  using Whole = typename VectorsOf<Width>::Whole;

  static Floats least(Floats a, Floats b) { return a < b ? a : b; }
  static Floats most(Floats a, Floats b) { return a > b ? a : b; }
  static Floats load(const float* from) {
    Floats value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
  }

  /// Within 2e-5 of the logarithm to base 2 of positive normal numbers.
  static Floats log2(Floats x) {
    Whole bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const Floats exponent = __builtin_convertvector((bits >> 23) - 127, Floats);
    const Whole mantissa = (bits & 0x7FFFFF) | 0x3F800000;
    Floats m;
    __builtin_memcpy(&m, &mantissa, sizeof m);
    m -= 1.0F;
    return exponent +
           m * (1.4418359F + m * (-0.7083722F + m * (0.4135551F + m * (-0.1912626F + m * 0.0442438F))));
  }

  /// Within 2e-4, relative, of 2^x; x is cut to ±100.
  static Floats exp2(Floats x) {
    const Floats cut = least(most(x, Floats{} - 100.0F), Floats{} + 100.0F);
    const Whole whole = __builtin_convertvector(cut + 128.0F, Whole) - 128;  // rounded down
    const Floats part = cut - __builtin_convertvector(whole, Floats);
    const Whole bits = (whole + 127) << 23;
    Floats power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return power * (1.0F + part * (0.6958568F + part * (0.2249983F + part * 0.0791449F)));
  }

  static void expect(const HitTerms& by, float e, const HitInputs& in, std::size_t n, float* out) {
    const float* const t = by.terms;
    const Floats log_e = log2(Floats{} + e);
    const auto standard = [&](std::size_t feature, Floats value) {
      const Floats cut = least(most(value, Floats{} + by.lowest[feature]), Floats{} + by.highest[feature]);
      return (cut - by.middle[feature]) * by.scale[feature];
    };
    for (std::size_t i = 0; i < n; i += Width) {
      const Floats d = most(load(in.distance + i), Floats{} + 1e-30F);
      const Floats r = load(in.spread + i), log_d = log2(d), log_r = load(in.log_spread + i);
      const Floats x = standard(0, (d + r - e) * 0.5F * exp2(-0.5F * (log_d + log_r)));
      const Floats y = standard(1, log_d - log_e), z = standard(2, log_r - log_e);
      const Floats w = standard(3, load(in.log_rank + i));
      const Floats log_hits = t[0] + x * (t[1] + t[5] * x + t[6] * y + t[7] * z + t[8] * w) +
                              y * (t[2] + t[9] * y + t[10] * z + t[11] * w) +
                              z * (t[3] + t[12] * z + t[13] * w) + w * (t[4] + t[14] * w);
      const Floats hits = load(in.rows + i) * exp2(least(log_hits, Floats{}));  // no more than its rows
      __builtin_memcpy(out + i, &hits, sizeof hits);
    }
  }
};

}  // namespace
}  // namespace lookalike
