// Hamming distance by 64-bit words: the reference, and what a level uses whose processor counts bits of a
// word fast. In an anonymous namespace for the reason given in float_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

std::uint64_t hamming_words(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
  std::uint64_t bits = 0;
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    std::uint64_t x, y;
    __builtin_memcpy(&x, a + i, 8);
    __builtin_memcpy(&y, b + i, 8);
    bits += static_cast<std::uint64_t>(__builtin_popcountll(x ^ y));
  }
  for (; i < bytes; ++i)
    bits += static_cast<std::uint64_t>(__builtin_popcount(unsigned{a[i]} ^ unsigned{b[i]}));
  return bits;
}

}  // namespace
}  // namespace lookalike
