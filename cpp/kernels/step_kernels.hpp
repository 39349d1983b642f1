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
  if (i == n) return;
  std::int16_t last[Lanes::width];
  Lanes::store(last, cut(Lanes::load_first(values + i, n - i)));
  for (std::size_t lane = 0; i < n; ++i) out[i] = last[lane++];
}

}  // namespace
}  // namespace lookalike
