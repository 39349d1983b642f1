// The registers of AVX-512 F, BW, DQ and VL: 16 floats at a time. In an anonymous namespace for the reason
// given in pair_kernels.hpp.

#pragma once

#include <immintrin.h>

#include "make_kernels.hpp"

namespace lookalike {
namespace {

struct Avx512Bytes {
  using Bytes = __m512i;
  static constexpr std::size_t step = 64;

  static Bytes zero() { return _mm512_setzero_si512(); }
  static Bytes load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static Bytes add(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
  static Bytes low_nibbles(Bytes v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
  static Bytes high_nibbles(Bytes v) { return low_nibbles(_mm512_srli_epi16(v, 4)); }
  static Bytes look_up(Bytes entries, Bytes nibbles) { return _mm512_shuffle_epi8(entries, nibbles); }
};

/// Sums of bytes in 16 bits: of whole pairs, which are the even bytes plus 256 times the odd ones modulo
/// 2^16, and of the odd bytes alone. Each quarter of a register holds another group of the same 16 entries.
struct Avx512Sums : Avx512Bytes {
  __m512i pairs = zero(), odd = zero();

  void widen_and_add(Bytes bytes) {
    pairs = _mm512_add_epi16(pairs, bytes);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
  }

  __m512i even() const { return _mm512_sub_epi16(pairs, _mm512_slli_epi16(odd, 8)); }

  static void in_order(const Avx512Sums& low, const Avx512Sums& high, __m512 (&sums)[2]) {
    // 8 sums in each quarter: of the entries 0, 2, ..., then 1, 3, ..., then 16, 18, ..., then 17, 19, ...
    const __m512i quarters = add_quarters(add_halves(low.even(), low.odd), add_halves(high.even(), high.odd));
    const __m512i order = _mm512_set_epi16(0, 15, 0, 7, 0, 14, 0, 6, 0, 13, 0, 5, 0, 12, 0, 4, 0, 11, 0, 3, 0,
                                           10, 0, 2, 0, 9, 0, 1, 0, 8, 0, 0);
    const __m512i upper = _mm512_add_epi16(order, _mm512_set1_epi16(16));
    constexpr __mmask32 even = 0x55555555;
    sums[0] = _mm512_cvtepi32_ps(_mm512_maskz_permutexvar_epi16(even, order, quarters));
    sums[1] = _mm512_cvtepi32_ps(_mm512_maskz_permutexvar_epi16(even, upper, quarters));
  }

  static __m512i add_halves(__m512i a, __m512i b) {
    return _mm512_add_epi16(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xEE));
  }

  static __m512i add_quarters(__m512i a, __m512i b) {
    return _mm512_add_epi16(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
  }
};

/// `Sums` adds up the entries of sketches.
template <class Sums>
struct Avx512Lanes {
  using Vector = __m512;
  static constexpr std::size_t width = 16;
  static constexpr std::size_t block_queries = 4;   // 16 sums, 4 queries and a row of 32 registers
  static constexpr std::size_t panel_queries = 24;  // 24 sums of 32 registers

  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector broadcast(float value) { return _mm512_set1_ps(value); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector load(const Half* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Vector load(const std::int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static Vector load_bytes(const std::uint8_t* p) { return _mm512_loadu_ps(p); }
  static __m512i load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }

  // The first n < 16 elements, then zeros; the masked part is not read.
  static Vector load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static Vector load_first(const Half* p, std::size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p));
  }
  static Vector load_first(const std::int8_t* p, std::size_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first(n), p)));
  }
  static __mmask16 first(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }

  static void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static void store(Half* p, Vector v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }

  static void store(std::int16_t* p, Vector v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(v)));
  }
  static void store(std::uint8_t* p, Vector v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
  }

  // b where either is NaN.
  static Vector min(Vector a, Vector b) { return _mm512_min_ps(a, b); }
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }

  static float lowest(Vector v) { return _mm512_reduce_min_ps(v); }
  static float highest(Vector v) { return _mm512_reduce_max_ps(v); }

  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }

  /// Neighbours first, halves last: the order of additions of `store_sums`.
  static float sum(Vector v) {
    const __m512 pairs = _mm512_add_ps(v, _mm512_permute_ps(v, 0xB1));
    const __m512 fours = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0x4E));
    return _mm_cvtss_f32(add_quarters(fours));
  }

  static void store_sums(float* out, Vector a, Vector b, Vector c, Vector d) {
    _mm_storeu_ps(out, add_quarters(add_neighbours(add_neighbours(a, b), add_neighbours(c, d))));
  }

  static Vector add_neighbours(Vector a, Vector b) {
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xDD));
  }

  static __m128 add_quarters(Vector v) {
    const __m256 halves = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    return _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
  }

  /// The stages of a Hadamard transform at distance 1, 2, 4 and 8. A product by ±1 is exact, so each
  /// multiply_add is one addition or subtraction.
  static Vector butterflies(Vector v) {
    constexpr float p = 1, m = -1;
    v = multiply_add(v, _mm512_setr_ps(p, m, p, m, p, m, p, m, p, m, p, m, p, m, p, m),
                     _mm512_permute_ps(v, 0xB1));
    v = multiply_add(v, _mm512_setr_ps(p, p, m, m, p, p, m, m, p, p, m, m, p, p, m, m),
                     _mm512_permute_ps(v, 0x4E));
    v = multiply_add(v, _mm512_setr_ps(p, p, p, p, m, m, m, m, p, p, p, p, m, m, m, m),
                     _mm512_shuffle_f32x4(v, v, 0xB1));
    return multiply_add(v, _mm512_setr_ps(p, p, p, p, p, p, p, p, m, m, m, m, m, m, m, m),
                        _mm512_shuffle_f32x4(v, v, 0x4E));
  }

  static std::uint32_t below(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }

  static __m512i count_from(std::uint32_t first_number) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first_number)), lane);
  }

  static void store_kept(std::uint32_t keep, Vector value, float* values) {
    _mm512_storeu_ps(values, _mm512_maskz_compress_ps(static_cast<__mmask16>(keep), value));
  }

  static void store_kept(std::uint32_t keep, Vector value, __m512i number, float* values,
                         std::uint32_t* numbers) {
    const __mmask16 mask = static_cast<__mmask16>(keep);
    _mm512_storeu_ps(values, _mm512_maskz_compress_ps(mask, value));
    _mm512_storeu_si512(numbers, _mm512_maskz_compress_epi32(mask, number));
  }

  template <std::size_t Blocks, class Entries>
  static void sketch_sums(const Entries& at, const std::uint8_t* const (&blocks)[Blocks],
                          Vector (&sums)[Blocks][2]) {
    Sums low[Blocks], high[Blocks];
    add_up(at, blocks, low, high);
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) Sums::in_order(low[b], high[b], sums[b]);
  }
};

struct Avx512StepLanes {
  using Vector = __m512i;
  static constexpr std::size_t width = 32;
  static constexpr std::size_t block_queries = 4;

  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector load(const std::int16_t* p) { return _mm512_loadu_si512(p); }
  static Vector load(const std::int8_t* p) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Vector load_first(const std::int16_t* p, std::size_t n) {
    return _mm512_maskz_loadu_epi16(first(n), p);
  }
  static Vector load_first(const std::int8_t* p, std::size_t n) {
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(first(n), p));
  }
  static __mmask32 first(std::size_t n) { return (1U << n) - 1U; }

  static Vector multiply_add(Vector a, Vector b, Vector c) {
    return _mm512_add_epi32(c, _mm512_madd_epi16(a, b));
  }

  static std::int32_t sum(Vector v) { return _mm512_reduce_add_epi32(v); }
  static void store_sums(std::int32_t* out, Vector a, Vector b, Vector c, Vector d) {
    const __m512i ac = _mm512_add_epi32(_mm512_unpacklo_epi32(a, c), _mm512_unpackhi_epi32(a, c));
    const __m512i bd = _mm512_add_epi32(_mm512_unpacklo_epi32(b, d), _mm512_unpackhi_epi32(b, d));
    const __m512i quarters = _mm512_add_epi32(_mm512_unpacklo_epi32(ac, bd), _mm512_unpackhi_epi32(ac, bd));
    const __m256i halves =
        _mm256_add_epi32(_mm512_castsi512_si256(quarters), _mm512_extracti32x8_epi32(quarters, 1));
    const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), sums);
  }
};

/// 16 centres at once.
struct Avx512Centres {
  using Bytes = __m512i;
  static Bytes broadcast(std::int32_t four) { return _mm512_set1_epi32(four); }
  static __m512 to_floats(__m512i high, __m512i low, std::int32_t base) {
    return _mm512_cvtepi32_ps(
        _mm512_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(high, 8), low), _mm512_set1_epi32(base)));
  }
};

}  // namespace
}  // namespace lookalike
