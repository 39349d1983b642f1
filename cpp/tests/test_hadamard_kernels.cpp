#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

using Random = std::mt19937_64;

/// The definition: out[i] = Σ_j (-1)^(number of bits in i & j) · x[j].
double expected(const Guarded<float>& x, std::size_t i) {
  double sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j)
    sum += std::popcount(i & j) % 2 == 0 ? double{x.data()[j]} : -double{x.data()[j]};
  return sum;
}

}  // namespace

TEST(hadamard_of_integers_is_exact) {
  Random random(1);
  for (std::size_t n = 1; n <= 1024; n *= 2) {
    Guarded<float> x(n), out(n);
    for (float& value : x) value = static_cast<float>(random() % 33) - 16.0F;
    for (const auto level : available_levels()) {
      for (std::size_t i = 0; i < n; ++i) out[i] = x[i];
      kernels_for(level)->hadamard(out.data(), n);
      for (std::size_t i = 0; i < n; ++i) CHECK(out[i] == expected(x, i), level, "n", n, "at", i);
    }
  }
}

TEST(hadamard_gives_the_same_bits_at_every_level) {
  Random random(2);
  for (std::size_t n = 1; n <= 4096; n *= 2) {
    Guarded<float> reference(n), out(n), x(n);
    for (float& value : x)
      value = std::ldexp(static_cast<float>(random() % (1U << 24)) * 0x1p-23F - 1.0F,
                         static_cast<int>(random() % 25) - 12);
    for (std::size_t i = 0; i < n; ++i) reference[i] = x[i];
    kernels_for("scalar")->hadamard(reference.data(), n);
    for (const auto level : available_levels()) {
      for (std::size_t i = 0; i < n; ++i) out[i] = x[i];
      kernels_for(level)->hadamard(out.data(), n);
      for (std::size_t i = 0; i < n; ++i)
        CHECK(std::bit_cast<std::uint32_t>(out[i]) == std::bit_cast<std::uint32_t>(reference[i]), level, "n",
              n, "at", i);
    }
  }
}

TEST(hadamard_spreads_a_nan_to_every_number) {
  for (std::size_t n = 1; n <= 128; n *= 2)
    for (const auto level : available_levels()) {
      Guarded<float> x(n);
      for (float& value : x) value = 1.0F;
      x[n / 2] = std::numeric_limits<float>::quiet_NaN();
      kernels_for(level)->hadamard(x.data(), n);
      for (const float value : x) CHECK(std::isnan(value), level, "n", n);
    }
}
