// Hamming distance: by 64-bit words, which is the reference and what a level uses whose processor counts the
// bits of a word fast; and the bodies over many codes, for any way of counting.
// In an anonymous namespace for the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

struct HammingByWords {
  static std::uint64_t pair(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
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
};

/// `Hamming::pair` of a query and many codes. The usual lengths are compiled as constants: their loops
/// unroll.
template <class Hamming>
struct HammingKernels {
  static void rows(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                   std::size_t n_rows, std::size_t bytes, std::uint32_t* out) {
    at_length(query, bytes, n_rows, out, [=](std::size_t i) { return codes + i * stride; });
  }

  static void gather(const std::uint8_t* query, const std::uint8_t* codes, std::size_t stride,
                     const std::uint32_t* which, std::size_t count, std::size_t bytes, std::uint32_t* out) {
    constexpr std::size_t ahead = 8;
    at_length(query, bytes, count, out, [=](std::size_t i) {
      if (i + ahead < count) __builtin_prefetch(codes + which[i + ahead] * stride);
      return codes + which[i] * stride;
    });
  }

  template <class Row>
  static void at_length(const std::uint8_t* query, std::size_t bytes, std::size_t n, std::uint32_t* out,
                        Row row) {
    switch (bytes) {
      case 8:
        return each(query, Length<8>{}, n, out, row);
      case 16:
        return each(query, Length<16>{}, n, out, row);
      case 32:
        return each(query, Length<32>{}, n, out, row);
      case 64:
        return each(query, Length<64>{}, n, out, row);
      case 128:
        return each(query, Length<128>{}, n, out, row);
      default:
        return each(query, bytes, n, out, row);
    }
  }

  template <std::size_t Bytes>
  struct Length {
    constexpr operator std::size_t() const { return Bytes; }
  };

  template <class Bytes, class Row>
  static void each(const std::uint8_t* query, Bytes bytes, std::size_t n, std::uint32_t* out, Row row) {
    for (std::size_t i = 0; i < n; ++i)
      out[i] = static_cast<std::uint32_t>(Hamming::pair(query, row(i), bytes));
  }
};

}  // namespace
}  // namespace lookalike
