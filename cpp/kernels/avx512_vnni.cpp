// AVX-512 with VNNI, VBMI, GFNI and VPOPCNTDQ (Intel since Ice Lake, AMD since Zen 4): what took two or more
// instructions takes one.

#include "avx512_lanes.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

/// Sums of bytes in 32 bits. Each quarter of a register of bytes holds another group of the same 16 entries:
/// the four bytes of an entry are brought together (VBMI) and added up as a product with ones (VNNI).
struct VnniSums : Avx512Bytes {
  __m512i sums = zero();

  /// The bits of each byte times a matrix (GFNI): here one that shifts them.
  static Bytes high_nibbles(Bytes v) {
    return _mm512_gf2p8affine_epi64_epi8(v, _mm512_set1_epi64(0x1020408000000000), 0);
  }

  void widen_and_add(Bytes bytes) {
    const __m512i entry = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i by_entry = _mm512_add_epi32(_mm512_set1_epi32(0x30201000),
                                              _mm512_mullo_epi32(entry, _mm512_set1_epi32(0x01010101)));
    sums = _mm512_dpbusd_epi32(sums, _mm512_permutexvar_epi8(by_entry, bytes), _mm512_set1_epi8(1));
  }

  static void in_order(const VnniSums& low, const VnniSums& high, __m512 (&sums)[2]) {
    sums[0] = _mm512_cvtepi32_ps(low.sums);
    sums[1] = _mm512_cvtepi32_ps(high.sums);
  }
};

/// Products of a nibble and a byte are added up four at a time (VNNI), in two sums each so that one does not
/// wait for the other.
struct VnniCentreLanes : Avx512Centres {
  __m512i high[2]{}, low[2]{};

  void next_plane() {
    for (int i = 0; i < 2; ++i)
      high[i] = _mm512_slli_epi32(high[i], 4), low[i] = _mm512_slli_epi32(low[i], 4);
  }
  void add(const std::uint8_t* codes, const Bytes (&steps)[4]) {
    const __m512i bytes = _mm512_loadu_si512(codes);
    const __m512i nibbles[]{VnniSums::low_nibbles(bytes), VnniSums::high_nibbles(bytes)};
    for (int i = 0; i < 2; ++i) {
      high[i] = _mm512_dpbusd_epi32(high[i], nibbles[i], steps[i]);
      low[i] = _mm512_dpbusd_epi32(low[i], nibbles[i], steps[2 + i]);
    }
  }
  __m512 to_floats(std::int32_t base) const {
    return Avx512Centres::to_floats(_mm512_add_epi32(high[0], high[1]), _mm512_add_epi32(low[0], low[1]),
                                    base);
  }
};

/// 512 bits are counted at a time.
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

constinit const Kernels avx512_vnni_kernels =
    make_kernels<Avx512Lanes<VnniSums>, Avx512StepLanes, VnniCentreLanes, HammingByRegisters>("avx512_vnni");

}  // namespace lookalike
