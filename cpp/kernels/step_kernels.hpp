// Floats to whole numbers of a few bits: one body for every instruction set. In an anonymous namespace for
// the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

template <class Lanes, class Whole>
void to_whole(const float* values, std::size_t n, float scale, float least, float most, Whole* out) {
  const auto scales = Lanes::broadcast(scale), above = Lanes::broadcast(most),
             below = Lanes::broadcast(least);
  const auto cut = [&](auto v) { return Lanes::max(Lanes::min(Lanes::multiply(v, scales), above), below); };
  std::size_t i = 0;
  for (; i + Lanes::width <= n; i += Lanes::width) Lanes::store(out + i, cut(Lanes::load(values + i)));
  for (; i < n; ++i) {
    float value = values[i] * scale;
    value = value < most ? value : most;
    value = value > least ? value : least;
    out[i] = static_cast<Whole>(__builtin_lrintf(value));
  }
}

template <class Lanes>
void to_steps(const float* values, std::size_t n, float scale, float most, std::int16_t* out) {
  to_whole<Lanes>(values, n, scale, -most, most, out);
}

template <class Lanes>
void to_bytes(const float* values, std::size_t n, float scale, float most, std::uint8_t* out) {
  to_whole<Lanes>(values, n, scale, 0.0F, most, out);
}

}  // namespace
}  // namespace lookalike
