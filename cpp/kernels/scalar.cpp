// The level every processor runs, and the reference for the others.

#include "levels.hpp"
#include "make_kernels.hpp"

namespace lookalike {
namespace {

struct ScalarLanes {
  using Vector = float;
  static constexpr std::size_t width = 1;
  static constexpr std::size_t block_queries = 4;
  static constexpr std::size_t panel_queries = 3;

  static Vector zero() { return 0.0F; }
  static Vector broadcast(float value) { return value; }
  static Vector load(const float* p) { return *p; }
  static Vector load(const Half* p) { return half_to_float(*p); }
  static Vector load(const std::int8_t* p) { return static_cast<float>(*p); }
  static std::uint32_t load(const std::uint32_t* p) { return *p; }

  // A width of 1 leaves no tail.
  template <class Element>
  static Vector load_first(const Element* p, std::size_t) {
    return load(p);
  }

  static Vector load_bytes(const std::uint8_t* p) {
    float value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
  }

  static void store(float* p, Vector v) { *p = v; }
  static void store(Half* p, Vector v) { *p = float_to_half(v); }

  static void store(std::int16_t* p, Vector v) { *p = static_cast<std::int16_t>(__builtin_lrintf(v)); }
  static void store(std::uint8_t* p, Vector v) { *p = static_cast<std::uint8_t>(__builtin_lrintf(v)); }

  // b where either is NaN.
  static Vector min(Vector a, Vector b) { return a < b ? a : b; }
  static Vector max(Vector a, Vector b) { return a > b ? a : b; }

  static float lowest(Vector v) { return v; }
  static float highest(Vector v) { return v; }

  static Vector add(Vector a, Vector b) { return a + b; }
  static Vector subtract(Vector a, Vector b) { return a - b; }
  static Vector multiply(Vector a, Vector b) { return a * b; }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  static float sum(Vector v) { return v; }
  static void store_sums(float* out, Vector a, Vector b, Vector c, Vector d) {
    out[0] = a, out[1] = b, out[2] = c, out[3] = d;
  }

  static Vector butterflies(Vector v) { return v; }
  static std::uint32_t below(Vector a, Vector b) { return a < b; }
  static std::uint32_t count_from(std::uint32_t first) { return first; }

  static void store_kept(std::uint32_t, Vector value, float* values) { *values = value; }
  static void store_kept(std::uint32_t, Vector value, std::uint32_t number, float* values,
                         std::uint32_t* numbers) {
    *values = value;
    *numbers = number;
  }

  template <std::size_t Blocks, class Entries>
  static void sketch_sums(const Entries& at, const std::uint8_t* const (&blocks)[Blocks],
                          Vector (&sums)[Blocks][sketches_per_block]) {
    for (std::size_t b = 0; b < Blocks; ++b)
      for (std::size_t i = 0; i < sketches_per_block; ++i) {
        const std::uint8_t* codes = blocks[b] + i % 16;
        unsigned sum = 0;
        for (std::size_t group = 0; group < at.bytes; group += 16)
          sum += i < 16 ? at.table[group + (codes[group] & 15U)] : at.high()[group + (codes[group] >> 4U)];
        sums[b][i] = static_cast<float>(sum);
      }
  }
};

struct ScalarStepLanes {
  using Vector = std::int32_t;
  static constexpr std::size_t width = 1;
  static constexpr std::size_t block_queries = 4;

  static Vector zero() { return 0; }
  template <class Element>
  static Vector load(const Element* p) {
    return *p;
  }
  template <class Element>
  static Vector load_first(const Element* p, std::size_t) {
    return *p;
  }

  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }

  static std::int32_t sum(Vector v) { return v; }
  static void store_sums(std::int32_t* out, Vector a, Vector b, Vector c, Vector d) {
    out[0] = a, out[1] = b, out[2] = c, out[3] = d;
  }
};

/// Unsigned, so that what overflows on the way comes back.
struct ScalarCentreLanes {
  struct Bytes {
    std::int8_t of[4];
  };
  static Bytes broadcast(std::int32_t four) {
    Bytes bytes;
    __builtin_memcpy(&bytes, &four, sizeof four);
    return bytes;
  }
  std::uint32_t sum = 0;

  void next_plane() { sum *= 16; }
  void add(const std::uint8_t* codes, const Bytes (&steps)[4]) {
    for (int i = 0; i < 4; ++i) {
      sum += static_cast<std::uint32_t>((codes[i] & 15) * (256 * steps[0].of[i] + steps[2].of[i]));
      sum += static_cast<std::uint32_t>((codes[i] >> 4) * (256 * steps[1].of[i] + steps[3].of[i]));
    }
  }
  float to_floats(std::int32_t base) const {
    return static_cast<float>(static_cast<std::int32_t>(sum + static_cast<std::uint32_t>(base)));
  }
};

}  // namespace

constinit const Kernels scalar_kernels =
    make_kernels<ScalarLanes, ScalarStepLanes, ScalarCentreLanes, HammingByWords>("scalar");

}  // namespace lookalike
