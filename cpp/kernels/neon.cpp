// NEON on AArch64, where every processor has it: 4 floats, or 16 bytes of a code, at a time.

#include <arm_neon.h>

#include "levels.hpp"
#include "make_kernels.hpp"

namespace lookalike {
namespace {

/// For each set of lanes their bytes, in order, in front.
struct KeptLanes {
  constexpr KeptLanes() {
    for (unsigned set = 0; set < 16; ++set)
      for (unsigned byte = 0, kept = 0; byte < 16; ++byte)
        if ((set >> (byte / 4) & 1U) != 0) bytes[set][kept++] = static_cast<std::uint8_t>(byte);
  }
  std::uint8_t bytes[16][16]{};
};

constexpr KeptLanes kept_lanes;

/// Sums of the 16 bytes of a group in 16 bits.
struct NeonSums {
  using Bytes = uint8x16_t;
  static constexpr std::size_t step = 16;

  uint16x8_t first = vdupq_n_u16(0), last = vdupq_n_u16(0);

  static Bytes zero() { return vdupq_n_u8(0); }
  static Bytes load(const std::uint8_t* p) { return vld1q_u8(p); }
  static Bytes add(Bytes a, Bytes b) { return vaddq_u8(a, b); }
  static Bytes low_nibbles(Bytes v) { return vandq_u8(v, vdupq_n_u8(15)); }
  static Bytes high_nibbles(Bytes v) { return vshrq_n_u8(v, 4); }
  static Bytes look_up(Bytes entries, Bytes nibbles) { return vqtbl1q_u8(entries, nibbles); }

  void widen_and_add(Bytes bytes) {
    first = vaddw_u8(first, vget_low_u8(bytes));
    last = vaddw_high_u8(last, bytes);
  }

  void store(float32x4_t* sums) const {
    sums[0] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(first)));
    sums[1] = vcvtq_f32_u32(vmovl_high_u16(first));
    sums[2] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(last)));
    sums[3] = vcvtq_f32_u32(vmovl_high_u16(last));
  }
};

struct NeonLanes {
  using Vector = float32x4_t;
  static constexpr std::size_t width = 4;
  static constexpr std::size_t block_queries = 4;  // 16 sums, 4 queries and a row of 32 registers
  static constexpr std::size_t panel_queries = 6;  // 24 sums of 32 registers

  static Vector zero() { return vdupq_n_f32(0.0F); }
  static Vector broadcast(float value) { return vdupq_n_f32(value); }
  static Vector load(const float* p) { return vld1q_f32(p); }
  static Vector load(const Half* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
  static Vector load(const std::int8_t* p) {
    std::uint32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four))))));
  }
  static Vector load_bytes(const std::uint8_t* p) { return vreinterpretq_f32_u8(vld1q_u8(p)); }
  static uint32x4_t load(const std::uint32_t* p) { return vld1q_u32(p); }

  // The first n < 4 elements, then zeros; the rest is not read.
  static Vector load_first(const float* p, std::size_t n) {
    Vector v = vld1q_lane_f32(p, zero(), 0);
    if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
    if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
    return v;
  }
  template <class Element>
  static Vector load_first(const Element* p, std::size_t n) {
    return load(Padded<Element, width>(p, n).elements);
  }

  static void store(float* p, Vector v) { vst1q_f32(p, v); }
  static void store(Half* p, Vector v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }

  static void store(std::int16_t* p, Vector v) { vst1_s16(p, vmovn_s32(vcvtnq_s32_f32(v))); }
  static void store(std::uint8_t* p, Vector v) {
    const uint16x4_t words = vmovn_u32(vcvtnq_u32_f32(v));
    vst1_lane_u32(reinterpret_cast<std::uint32_t*>(p),
                  vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
  }

  // b where either is NaN.
  static Vector min(Vector a, Vector b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static Vector max(Vector a, Vector b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

  static float lowest(Vector v) { return vminvq_f32(v); }
  static float highest(Vector v) { return vmaxvq_f32(v); }

  static Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector subtract(Vector a, Vector b) { return vsubq_f32(a, b); }
  static Vector multiply(Vector a, Vector b) { return vmulq_f32(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static float sum(Vector v) { return vaddvq_f32(v); }  // by pairs, as below
  static void store_sums(float* out, Vector a, Vector b, Vector c, Vector d) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
  }

  /// The stages of a Hadamard transform at distance 1 and 2. A product by ±1 is exact, so each multiply_add
  /// is one addition or subtraction.
  static Vector butterflies(Vector v) {
    const float by_one[4]{1, -1, 1, -1}, by_two[4]{1, 1, -1, -1};
    v = multiply_add(v, vld1q_f32(by_one), vrev64q_f32(v));
    return multiply_add(v, vld1q_f32(by_two), vextq_f32(v, v, 2));
  }

  static std::uint32_t below(Vector a, Vector b) {
    const std::uint32_t bits[4]{1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vcltq_f32(a, b), vld1q_u32(bits)));
  }

  static uint32x4_t count_from(std::uint32_t first) {
    const std::uint32_t lane[4]{0, 1, 2, 3};
    return vaddq_u32(vdupq_n_u32(first), vld1q_u32(lane));
  }

  static void store_kept(std::uint32_t keep, Vector value, float* values) {
    const uint8x16_t bytes = vld1q_u8(kept_lanes.bytes[keep]);
    vst1q_f32(values, vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(value), bytes)));
  }

  static void store_kept(std::uint32_t keep, Vector value, uint32x4_t number, float* values,
                         std::uint32_t* numbers) {
    const uint8x16_t bytes = vld1q_u8(kept_lanes.bytes[keep]);
    vst1q_f32(values, vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(value), bytes)));
    vst1q_u32(numbers, vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(number), bytes)));
  }

  template <std::size_t Blocks, class Entries>
  static void sketch_sums(const Entries& at, const std::uint8_t* const (&blocks)[Blocks],
                          Vector (&sums)[Blocks][8]) {
    NeonSums low[Blocks], high[Blocks];
    add_up(at, blocks, low, high);
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) {
      low[b].store(&sums[b][0]);
      high[b].store(&sums[b][4]);
    }
  }
};

struct NeonStepLanes {
  using Vector = int32x4_t;
  static constexpr std::size_t width = 8;
  static constexpr std::size_t block_queries = 4;

  static Vector zero() { return vdupq_n_s32(0); }
  static int16x8_t load(const std::int16_t* p) { return vld1q_s16(p); }
  static int16x8_t load(const std::int8_t* p) { return vmovl_s8(vld1_s8(p)); }
  template <class Element>
  static int16x8_t load_first(const Element* p, std::size_t n) {
    return load(Padded<Element, width>(p, n).elements);
  }

  static Vector multiply_add(int16x8_t a, int16x8_t b, Vector c) {
    return vmlal_high_s16(vmlal_s16(c, vget_low_s16(a), vget_low_s16(b)), a, b);
  }

  static std::int32_t sum(Vector v) { return vaddvq_s32(v); }
  static void store_sums(std::int32_t* out, Vector a, Vector b, Vector c, Vector d) {
    vst1q_s32(out, vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)));
  }
};

/// Two products of a nibble and a byte hold in 16 bits.
struct NeonCentreLanes {
  using Bytes = int8x16_t;
  static Bytes broadcast(std::int32_t four) { return vreinterpretq_s8_s32(vdupq_n_s32(four)); }
  int32x4_t high = vdupq_n_s32(0), low = high;

  void next_plane() { high = vshlq_n_s32(high, 4), low = vshlq_n_s32(low, 4); }
  void add(const std::uint8_t* codes, const Bytes (&steps)[4]) {
    const uint8x16_t bytes = vld1q_u8(codes);
    const int8x16_t first = vreinterpretq_s8_u8(NeonSums::low_nibbles(bytes));
    const int8x16_t last = vreinterpretq_s8_u8(NeonSums::high_nibbles(bytes));
    const auto sum = [&](int8x16_t of_first, int8x16_t of_last) {
      const int16x8_t a = vmlal_s8(vmull_s8(vget_low_s8(first), vget_low_s8(of_first)), vget_low_s8(last),
                                   vget_low_s8(of_last));
      const int16x8_t b = vmlal_high_s8(vmull_high_s8(first, of_first), last, of_last);
      return vpaddq_s32(vpaddlq_s16(a), vpaddlq_s16(b));
    };
    high = vaddq_s32(high, sum(steps[0], steps[1]));
    low = vaddq_s32(low, sum(steps[2], steps[3]));
  }
  float32x4_t to_floats(std::int32_t base) const {
    return vcvtq_f32_s32(vaddq_s32(vaddq_s32(vshlq_n_s32(high, 8), low), vdupq_n_s32(base)));
  }
};

struct NeonHamming {
  static std::uint64_t pair(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
    uint64x2_t sums = vdupq_n_u64(0);
    std::size_t i = 0;
    for (; i + 16 <= bytes; i += 16) {
      const uint8x16_t counts = vcntq_u8(veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
      sums = vpadalq_u32(sums, vpaddlq_u16(vpaddlq_u8(counts)));
    }
    return vaddvq_u64(sums) + HammingByWords::pair(a + i, b + i, bytes - i);
  }
};

}  // namespace

constinit const Kernels neon_kernels =
    make_kernels<NeonLanes, NeonStepLanes, NeonCentreLanes, NeonHamming>("neon");

}  // namespace lookalike
