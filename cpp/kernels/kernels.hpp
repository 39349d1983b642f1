// The inner loops of lookalike: plain pointers in, numbers out.
//
// Promises, the same for every instruction set:
//   - Reads exactly the elements named, never a byte beyond them, at any alignment of float or uint8_t.
//   - One level adds up a pair (query, row) in one fixed order, so `dot`, `dot_rows`, `dot_gather` and
//     `dot_tile` give the same bits for the same pair. Two levels may differ in the last bits.
//   - With u = 2^-24 and n·u < 0.01, against the exact value and short of overflow and underflow:
//       |dot error|        <= 1.01 (n + 1) u · Σ|a_i b_i|
//       |squared_l2 error| <= 1.01 (n + 3) u · Σ(a_i - b_i)²
//     for any order of the sum (Higham, Accuracy and Stability of Numerical Algorithms, §3.1).
//   - A term or partial sum beyond FLT_MAX becomes infinite; inf and NaN propagate; denormals are kept.
//   - Hamming distances are exact; n == 0 gives 0; nothing here allocates, throws or has state.
//
// Strides are counted in floats between the starts of consecutive rows, stride >= dim.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// One implementation of every kernel: what a level of SIMD offers.
struct Kernels {
  const char* name;  ///< the word that LOOKALIKE_SIMD takes: "scalar", "avx2", "avx512" or "neon"

  using Pair = float (*)(const float* a, const float* b, std::size_t n);

  /// out[i] = f(query, rows + i * stride), i < n_rows
  using Rows = void (*)(const float* query, const float* rows, std::size_t stride, std::size_t n_rows,
                        std::size_t dim, float* out);

  /// out[i] = f(query, rows + which[i] * stride), i < count; later rows are prefetched
  using Gather = void (*)(const float* query, const float* rows, std::size_t stride,
                          const std::uint32_t* which, std::size_t count, std::size_t dim, float* out);

  /// out[q * n_rows + r] = f(queries + q * query_stride, rows + r * row_stride), q < n_queries, r < n_rows
  using Tile = void (*)(const float* queries, std::size_t query_stride, std::size_t n_queries,
                        const float* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
                        float* out);

  Pair dot;
  Rows dot_rows;
  Gather dot_gather;
  Tile dot_tile;

  Pair squared_l2;
  Rows squared_l2_rows;
  Gather squared_l2_gather;
  Tile squared_l2_tile;

  /// The number of bits in which two codes of `bytes` bytes differ.
  std::uint64_t (*hamming)(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes);
};

}  // namespace lookalike
