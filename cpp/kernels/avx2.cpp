// AVX2 with FMA, F16C and POPCNT: 8 floats at a time (Intel since 2013, AMD since 2015).

#include <immintrin.h>

#include "levels.hpp"
#include "make_kernels.hpp"

namespace lookalike {
namespace {

/// For each set of lanes their numbers, in order, in front.
struct KeptLanes {
  constexpr KeptLanes() {
    for (unsigned set = 0; set < 256; ++set)
      for (unsigned lane = 0, kept = 0; lane < 8; ++lane)
        if ((set >> lane & 1U) != 0) lanes[set][kept++] = static_cast<std::uint8_t>(lane);
  }
  std::uint8_t lanes[256][8]{};
};

constexpr KeptLanes kept_lanes;

/// Sums of bytes in 16 bits: of whole pairs, which are the even bytes plus 256 times the odd ones modulo
/// 2^16, and of the odd bytes alone. Each half of a register holds another group of the same 16 entries.
struct Avx2Sums {
  using Bytes = __m256i;
  static constexpr std::size_t step = 32;

  __m256i pairs = zero(), odd = zero();

  static Bytes zero() { return _mm256_setzero_si256(); }
  static Bytes load(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Bytes add(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
  static Bytes low_nibbles(Bytes v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
  static Bytes high_nibbles(Bytes v) { return low_nibbles(_mm256_srli_epi16(v, 4)); }
  static Bytes look_up(Bytes entries, Bytes nibbles) { return _mm256_shuffle_epi8(entries, nibbles); }

  void widen_and_add(Bytes bytes) {
    pairs = _mm256_add_epi16(pairs, bytes);
    odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
  }

  __m256i even() const { return _mm256_sub_epi16(pairs, _mm256_slli_epi16(odd, 8)); }

  void in_order(__m256& first_eight, __m256& last_eight) const {
    const __m128i evens = add_halves(even()), odds = add_halves(odd);
    first_eight = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_unpacklo_epi16(evens, odds)));
    last_eight = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_unpackhi_epi16(evens, odds)));
  }

  static __m128i add_halves(__m256i v) {
    return _mm_add_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  }
};

struct Avx2Lanes {
  using Vector = __m256;
  static constexpr std::size_t width = 8;
  static constexpr std::size_t block_queries = 3;  // 12 sums, 3 queries and a row fill the 16 registers
  static constexpr std::size_t panel_queries = 6;  // 12 sums of 16 registers

  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector broadcast(float value) { return _mm256_set1_ps(value); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector load(const Half* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Vector load(const std::int8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadu_si64(p)));
  }
  static Vector load_bytes(const std::uint8_t* p) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  }
  static __m256i load(const std::uint32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }

  // The first n < 8 elements, then zeros; the rest is not read.
  static Vector load_first(const float* p, std::size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }
  template <class Element>
  static Vector load_first(const Element* p, std::size_t n) {
    return load(Padded<Element, width>(p, n).elements);
  }

  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static void store(Half* p, Vector v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
  }

  static void store(std::int16_t* p, Vector v) {
    const __m256i whole = _mm256_cvtps_epi32(v);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1)));
  }
  static void store(std::uint8_t* p, Vector v) {
    const __m256i whole = _mm256_cvtps_epi32(v);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storeu_si64(p, _mm_packus_epi16(words, words));
  }

  // b where either is NaN.
  static Vector min(Vector a, Vector b) { return _mm256_min_ps(a, b); }
  static Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }

  static float lowest(Vector v) {
    __m128 four = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    four = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  static float highest(Vector v) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
  }

  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }

  /// Neighbours first, halves last: the order of additions of `store_sums`.
  static float sum(Vector v) {
    const __m256 pairs = _mm256_add_ps(v, _mm256_permute_ps(v, 0xB1));
    const __m256 fours = _mm256_add_ps(pairs, _mm256_permute_ps(pairs, 0x4E));
    return _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
  }

  static void store_sums(float* out, Vector a, Vector b, Vector c, Vector d) {
    const __m256 fours = add_neighbours(add_neighbours(a, b), add_neighbours(c, d));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
  }

  static Vector add_neighbours(Vector a, Vector b) {  // hadd, which takes longer
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xDD));
  }

  /// The stages of a Hadamard transform at distance 1, 2 and 4. A product by ±1 is exact, so each
  /// multiply_add is one addition or subtraction.
  static Vector butterflies(Vector v) {
    v = multiply_add(v, _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1), _mm256_permute_ps(v, 0xB1));
    v = multiply_add(v, _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1), _mm256_permute_ps(v, 0x4E));
    return multiply_add(v, _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1), _mm256_permute2f128_ps(v, v, 1));
  }

  static std::uint32_t below(Vector a, Vector b) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
  }

  static __m256i count_from(std::uint32_t first) {
    return _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(first)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }

  static void store_kept(std::uint32_t keep, Vector value, float* values) {
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_loadu_si64(kept_lanes.lanes[keep]));
    _mm256_storeu_ps(values, _mm256_permutevar8x32_ps(value, lanes));
  }

  static void store_kept(std::uint32_t keep, Vector value, __m256i number, float* values,
                         std::uint32_t* numbers) {
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_loadu_si64(kept_lanes.lanes[keep]));
    _mm256_storeu_ps(values, _mm256_permutevar8x32_ps(value, lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(numbers), _mm256_permutevar8x32_epi32(number, lanes));
  }

  template <std::size_t Blocks, class Entries>
  static void sketch_sums(const Entries& at, const std::uint8_t* const (&blocks)[Blocks],
                          Vector (&sums)[Blocks][4]) {
    Avx2Sums low[Blocks], high[Blocks];
    add_up(at, blocks, low, high);
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) {
      low[b].in_order(sums[b][0], sums[b][1]);
      high[b].in_order(sums[b][2], sums[b][3]);
    }
  }
};

struct Avx2StepLanes {
  using Vector = __m256i;
  static constexpr std::size_t width = 16;
  static constexpr std::size_t block_queries = 2;  // 8 sums, 2 queries, a row and a product of 16 registers

  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector load(const std::int16_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static Vector load(const std::int8_t* p) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  template <class Element>
  static Vector load_first(const Element* p, std::size_t n) {
    return load(Padded<Element, width>(p, n).elements);
  }

  static Vector multiply_add(Vector a, Vector b, Vector c) {
    return _mm256_add_epi32(c, _mm256_madd_epi16(a, b));
  }

  static std::int32_t sum(Vector v) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    four = _mm_hadd_epi32(four, four);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(four, four));
  }
  static void store_sums(std::int32_t* out, Vector a, Vector b, Vector c, Vector d) {
    const __m256i halves = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), sums);
  }
};

/// Two products of a nibble and a byte, and two such pairs, hold in 16 bits.
struct Avx2CentreLanes {
  using Bytes = __m256i;
  static Bytes broadcast(std::int32_t four) { return _mm256_set1_epi32(four); }
  __m256i high = _mm256_setzero_si256(), low = high;

  void next_plane() { high = _mm256_slli_epi32(high, 4), low = _mm256_slli_epi32(low, 4); }
  void add(const std::uint8_t* codes, const Bytes (&steps)[4]) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
    const __m256i nibble = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    const __m256i first = _mm256_and_si256(bytes, nibble);
    const __m256i last = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
    const auto sum = [&](__m256i of_first, __m256i of_last) {
      return _mm256_madd_epi16(
          _mm256_add_epi16(_mm256_maddubs_epi16(first, of_first), _mm256_maddubs_epi16(last, of_last)), ones);
    };
    high = _mm256_add_epi32(high, sum(steps[0], steps[1]));
    low = _mm256_add_epi32(low, sum(steps[2], steps[3]));
  }
  __m256 to_floats(std::int32_t base) const {
    return _mm256_cvtepi32_ps(
        _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, 8), low), _mm256_set1_epi32(base)));
  }
};

}  // namespace

constinit const Kernels avx2_kernels =
    make_kernels<Avx2Lanes, Avx2StepLanes, Avx2CentreLanes, HammingByWords>("avx2");

}  // namespace lookalike
