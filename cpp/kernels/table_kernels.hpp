// A query or a residual beside the points of a codebook: one body for every instruction set. In an anonymous
// namespace for the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

/// The products of one group's values with each of its 16 points.
template <class Lanes>
struct PointSums {
  static constexpr std::size_t points = 16, parts = points / Lanes::width;

  PointSums(const float* values, const float* coordinates, std::size_t width) {
#pragma GCC unroll 16
    for (std::size_t part = 0; part < parts; ++part) {
      const float* of_part = coordinates + part * Lanes::width;
      auto sum = Lanes::multiply(Lanes::broadcast(values[0]), Lanes::load(of_part));
      for (std::size_t i = 1; i < width; ++i)
        sum =
            Lanes::add(sum, Lanes::multiply(Lanes::broadcast(values[i]), Lanes::load(of_part + i * points)));
      sums[part] = sum;
    }
  }

  typename Lanes::Vector sums[parts];
};

template <class Lanes>
void point_products(const float* values, std::size_t groups, const float* points, std::size_t width,
                    float* products, float* base, float* largest) {
  using Sums = PointSums<Lanes>;
  auto most = Lanes::zero();
  float lows = 0.0F;
  for (std::size_t group = 0; group < groups; ++group, values += width, products += Sums::points) {
    const Sums of(values, points, width);
    auto lowest = Lanes::broadcast(__builtin_inff());
#pragma GCC unroll 16
    for (std::size_t part = 0; part < Sums::parts; ++part) lowest = Lanes::min(of.sums[part], lowest);
    const float low = Lanes::lowest(lowest) + 0.0F;  // no -0, which one level may find where another does not
    lows += low;
#pragma GCC unroll 16
    for (std::size_t part = 0; part < Sums::parts; ++part) {
      const auto above = Lanes::subtract(of.sums[part], Lanes::broadcast(low));
      most = Lanes::max(above, most);
      Lanes::store(products + part * Lanes::width, above);
    }
  }
  *base = lows;
  *largest = Lanes::highest(most);
}

template <class Lanes>
void nearest_points(const float* values, std::size_t groups, const float* points, std::size_t width,
                    const float* half_squares, std::uint8_t* nearest) {
  using Sums = PointSums<Lanes>;
  for (std::size_t group = 0; group < groups; ++group, values += width) {
    Sums of(values, points, width);
    auto highest = Lanes::broadcast(-__builtin_inff());
#pragma GCC unroll 16
    for (std::size_t part = 0; part < Sums::parts; ++part) {
      of.sums[part] = Lanes::subtract(of.sums[part], Lanes::load(half_squares + part * Lanes::width));
      highest = Lanes::max(of.sums[part], highest);
    }
    const auto best = Lanes::broadcast(Lanes::highest(highest));
    std::uint32_t farther = 0;
#pragma GCC unroll 16
    for (std::size_t part = 0; part < Sums::parts; ++part)
      farther |= Lanes::below(of.sums[part], best) << (part * Lanes::width);
    nearest[group] = static_cast<std::uint8_t>(31 - __builtin_clz(~farther & 0xFFFFU));
  }
}

}  // namespace
}  // namespace lookalike
