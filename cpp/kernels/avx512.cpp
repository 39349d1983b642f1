// AVX-512 F, BW, DQ and VL (Intel servers since 2017, AMD since 2022).

#include "avx512_lanes.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

/// Two products of a nibble and a byte, and two such pairs, hold in 16 bits.
struct Avx512CentreLanes : Avx512Centres {
  __m512i high = _mm512_setzero_si512(), low = high;

  void next_plane() { high = _mm512_slli_epi32(high, 4), low = _mm512_slli_epi32(low, 4); }
  void add(const std::uint8_t* codes, const Bytes (&steps)[4]) {
    const __m512i bytes = _mm512_loadu_si512(codes), ones = _mm512_set1_epi16(1);
    const __m512i first = Avx512Bytes::low_nibbles(bytes), last = Avx512Bytes::high_nibbles(bytes);
    const auto sum = [&](__m512i of_first, __m512i of_last) {
      return _mm512_madd_epi16(
          _mm512_add_epi16(_mm512_maddubs_epi16(first, of_first), _mm512_maddubs_epi16(last, of_last)), ones);
    };
    high = _mm512_add_epi32(high, sum(steps[0], steps[1]));
    low = _mm512_add_epi32(low, sum(steps[2], steps[3]));
  }
  __m512 to_floats(std::int32_t base) const { return Avx512Centres::to_floats(high, low, base); }
};

}  // namespace

constinit const Kernels avx512_kernels =
    make_kernels<Avx512Lanes<Avx512Sums>, Avx512StepLanes, Avx512CentreLanes, HammingByWords>("avx512");

}  // namespace lookalike
