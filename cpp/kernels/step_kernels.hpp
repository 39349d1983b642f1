// Floats to whole steps of 16 bits: one body for every instruction set. In an anonymous namespace for the
// reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

template <class Lanes>
void to_steps(const float* values, std::size_t n, float scale, float most, std::int16_t* out) {
  const auto scales = Lanes::broadcast(scale), above = Lanes::broadcast(most),
             below = Lanes::broadcast(-most);
  const auto cut = [&](auto v) { return Lanes::max(Lanes::min(Lanes::multiply(v, scales), above), below); };
  std::size_t i = 0;
  for (; i + Lanes::width <= n; i += Lanes::width) Lanes::store(out + i, cut(Lanes::load(values + i)));
  for (; i < n; ++i) {
    float value = values[i] * scale;
    value = value < most ? value : most;
    value = value > -most ? value : -most;
    out[i] = static_cast<std::int16_t>(__builtin_lrintf(value));
  }
}

}  // namespace
}  // namespace lookalike
