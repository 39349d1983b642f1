// What a query's table for sketches is made of: one body for every instruction set. In an anonymous namespace
// for the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>

namespace lookalike {
namespace {

template <class Lanes>
void point_products(const float* values, std::size_t groups, const float* points, std::size_t width,
                    float* products, float* base, float* largest) {
  constexpr std::size_t kPoints = 16, kParts = kPoints / Lanes::width;
  auto most = Lanes::zero();
  float lows = 0.0F;
  for (std::size_t group = 0; group < groups; ++group, values += width, products += kPoints) {
    auto lowest = Lanes::broadcast(__builtin_inff());
    typename Lanes::Vector sums[kParts];
#pragma GCC unroll 16
    for (std::size_t part = 0; part < kParts; ++part) {
      const float* of_part = points + part * Lanes::width;
      auto sum = Lanes::multiply(Lanes::broadcast(values[0]), Lanes::load(of_part));
      for (std::size_t i = 1; i < width; ++i)
        sum =
            Lanes::add(sum, Lanes::multiply(Lanes::broadcast(values[i]), Lanes::load(of_part + i * kPoints)));
      lowest = Lanes::min(sum, lowest);
      sums[part] = sum;
    }
    const float low = Lanes::lowest(lowest) + 0.0F;  // no -0, which one level may find where another does not
    lows += low;
#pragma GCC unroll 16
    for (std::size_t part = 0; part < kParts; ++part) {
      const auto above = Lanes::subtract(sums[part], Lanes::broadcast(low));
      most = Lanes::max(above, most);
      Lanes::store(products + part * Lanes::width, above);
    }
  }
  *base = lows;
  *largest = Lanes::highest(most);
}

}  // namespace
}  // namespace lookalike
