// Hamming distance with AVX-512 VPOPCNTDQ: 512 bits at a time (Intel since Ice Lake, AMD since Zen 4).

#include <immintrin.h>

#include "hamming_kernels.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

struct HammingByRegisters {
  static std::uint64_t pair(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
    if (bytes <= 32) return HammingByWords::pair(a, b, bytes);  // adding up 8 lanes costs more than 4 words
    __m512i sums = _mm512_setzero_si512();
    std::size_t i = 0;
    for (; i + 64 <= bytes; i += 64) {
      const __m512i differing = _mm512_xor_si512(_mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i));
      sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(differing));
    }
    if (i < bytes) {
      const __mmask64 left = (std::uint64_t{1} << (bytes - i)) - 1;
      const __m512i differing =
          _mm512_xor_si512(_mm512_maskz_loadu_epi8(left, a + i), _mm512_maskz_loadu_epi8(left, b + i));
      sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(differing));
    }
    return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(sums));
  }
};

}  // namespace

void hamming_avx512_vpopcntdq(Kernels& kernels) {
  kernels.hamming = HammingByRegisters::pair;
  kernels.hamming_rows = HammingKernels<HammingByRegisters>::rows;
  kernels.hamming_gather = HammingKernels<HammingByRegisters>::gather;
}

}  // namespace lookalike
