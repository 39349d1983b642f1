// AVX2 with FMA and POPCNT: 8 floats at a time (Intel since 2013, AMD since 2015).

#include <immintrin.h>

#include "float_kernels.hpp"
#include "hamming_words.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

struct Avx2Lanes {
  using Vector = __m256;
  static constexpr std::size_t width = 8;
  static constexpr std::size_t block_queries = 3;  // 12 sums, 3 queries and a row fill the 16 registers

  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }

  /// n < 8 floats, then zeros; the masked part is not read.
  static Vector load_first(const float* p, std::size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }

  static float sum(Vector v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace

constinit const Kernels avx2_kernels = make_kernels<Avx2Lanes>("avx2", hamming_words);

}  // namespace lookalike
