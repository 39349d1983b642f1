// AVX-512 F, BW, DQ and VL: 16 floats at a time (Intel servers since 2017, AMD since 2022).

#include <immintrin.h>

#include "float_kernels.hpp"
#include "hamming_words.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

struct Avx512Lanes {
  using Vector = __m512;
  static constexpr std::size_t width = 16;
  static constexpr std::size_t block_queries = 4;  // 16 sums, 4 queries and a row of 32 registers

  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }

  /// n < 16 floats, then zeros; the masked part is not read.
  static Vector load_first(const float* p, std::size_t n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1U), p);
  }

  // Not _mm512_reduce_add_ps, whose order is the compiler's choice.
  static float sum(Vector v) {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace

constinit const Kernels avx512_kernels = make_kernels<Avx512Lanes>("avx512", hamming_words);

}  // namespace lookalike
