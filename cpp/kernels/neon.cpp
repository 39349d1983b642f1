// NEON on AArch64, where every processor has it: 4 floats, or 16 bytes of a code, at a time.

#include <arm_neon.h>

#include "float_kernels.hpp"
#include "hamming_words.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

struct NeonLanes {
  using Vector = float32x4_t;
  static constexpr std::size_t width = 4;
  static constexpr std::size_t block_queries = 4;  // 16 sums, 4 queries and a row of 32 registers

  static Vector zero() { return vdupq_n_f32(0.0F); }
  static Vector load(const float* p) { return vld1q_f32(p); }
  static Vector subtract(Vector a, Vector b) { return vsubq_f32(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }

  /// n < 4 floats, then zeros.
  static Vector load_first(const float* p, std::size_t n) {
    Vector v = vld1q_lane_f32(p, zero(), 0);
    if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
    if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
    return v;
  }

  static float sum(Vector v) { return vaddvq_f32(v); }
};

std::uint64_t hamming(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
  uint64x2_t sums = vdupq_n_u64(0);
  std::size_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    const uint8x16_t counts = vcntq_u8(veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
    sums = vpadalq_u32(sums, vpaddlq_u16(vpaddlq_u8(counts)));
  }
  return vaddvq_u64(sums) + hamming_words(a + i, b + i, bytes - i);
}

}  // namespace

constinit const Kernels neon_kernels = make_kernels<NeonLanes>("neon", hamming);

}  // namespace lookalike
