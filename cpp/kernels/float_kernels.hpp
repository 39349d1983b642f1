// One body for every instruction set: dot and squared L2 of queries × rows.
//
// A level's file defines `Lanes`, a register of floats and its few operations, and gets all float kernels
// from here. Element i of a pair goes to lane i % width of the pair's one accumulator, whose lanes are added
// up at the end: the order of a sum does not depend on how many pairs share the pass, so every form gives the
// same bits. (One accumulator per pair makes a lone pair wait for each addition; four rows, or 4 × 4, keep
// the processor busy.)
//
// All of it is in an anonymous namespace and uses no standard template: code compiled for AVX-512 must never
// be the copy of an inline function that the linker keeps for the rest of the program.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

template <class Lanes>
struct Dot {
  using Vector = typename Lanes::Vector;
  static Vector add_term(Vector sum, Vector a, Vector b) { return Lanes::multiply_add(a, b, sum); }
};

template <class Lanes>
struct SquaredL2 {
  using Vector = typename Lanes::Vector;
  static Vector add_term(Vector sum, Vector a, Vector b) {
    const Vector difference = Lanes::subtract(a, b);
    return Lanes::multiply_add(difference, difference, sum);
  }
};

template <class Lanes, template <class> class Metric>
struct FloatKernels {
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t block_queries = Lanes::block_queries;
  static constexpr std::size_t block_rows = 4;

  static float pair(const float* a, const float* b, std::size_t n) {
    float result;
    block<1, 1>({a}, {b}, n, &result, 1);
    return result;
  }

  static void rows(const float* query, const float* rows, std::size_t stride, std::size_t n_rows,
                   std::size_t dim, float* out) {
    tile(query, 0, 1, rows, stride, n_rows, dim, out);
  }

  static void gather(const float* query, const float* rows, std::size_t stride, const std::uint32_t* which,
                     std::size_t count, std::size_t dim, float* out) {
    const auto row = [=](std::size_t i) { return rows + which[i] * stride; };
    std::size_t i = 0;
    for (; i + block_rows <= count; i += block_rows) {
      for (std::size_t next = i + block_rows; next < i + 2 * block_rows && next < count; ++next)
        prefetch(row(next), dim);
      block<1, block_rows>({query}, {row(i), row(i + 1), row(i + 2), row(i + 3)}, dim, out + i, 0);
    }
    for (; i < count; ++i) out[i] = pair(query, row(i), dim);
  }

  static void tile(const float* queries, std::size_t query_stride, std::size_t n_queries, const float* rows,
                   std::size_t row_stride, std::size_t n_rows, std::size_t dim, float* out) {
    std::size_t q = 0;
    for (; q + block_queries <= n_queries; q += block_queries)
      band<block_queries>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                          out + q * n_rows);
    for (; q < n_queries; ++q)
      band<1>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim, out + q * n_rows);
  }

  template <std::size_t Q>
  static void band(const float* queries, std::size_t query_stride, const float* rows, std::size_t row_stride,
                   std::size_t n_rows, std::size_t dim, float* out) {
    const float* query[Q];
    for (std::size_t q = 0; q < Q; ++q) query[q] = queries + q * query_stride;
    const auto row = [=](std::size_t r) { return rows + r * row_stride; };
    std::size_t r = 0;
    for (; r + block_rows <= n_rows; r += block_rows)
      block<Q, block_rows>(query, {row(r), row(r + 1), row(r + 2), row(r + 3)}, dim, out + r, n_rows);
    for (; r < n_rows; ++r) block<Q, 1>(query, {row(r)}, dim, out + r, n_rows);
  }

  /// Q queries × R rows in one pass: each load of a query serves R rows, each load of a row Q queries.
  /// The loops over Q and R must unroll for the sums to live in registers; GCC needs to be told.
  template <std::size_t Q, std::size_t R>
  static void block(const float* const (&queries)[Q], const float* const (&rows)[R], std::size_t dim,
                    float* out, std::size_t out_stride) {
    Vector sums[Q * R];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < Q * R; ++i) sums[i] = Lanes::zero();
    std::size_t i = 0;
    for (; i + Lanes::width <= dim; i += Lanes::width)
      step<Q, R>(queries, rows, sums, [i](const float* p) { return Lanes::load(p + i); });
    if (i < dim)
      step<Q, R>(queries, rows, sums, [i, dim](const float* p) { return Lanes::load_first(p + i, dim - i); });
#pragma GCC unroll 16
    for (std::size_t q = 0; q < Q; ++q)
#pragma GCC unroll 16
      for (std::size_t r = 0; r < R; ++r) out[q * out_stride + r] = Lanes::sum(sums[q * R + r]);
  }

  template <std::size_t Q, std::size_t R, class Load>
  static void step(const float* const (&queries)[Q], const float* const (&rows)[R], Vector (&sums)[Q * R],
                   Load load) {
    Vector query[Q];
#pragma GCC unroll 16
    for (std::size_t q = 0; q < Q; ++q) query[q] = load(queries[q]);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r) {
      const Vector row = load(rows[r]);
#pragma GCC unroll 16
      for (std::size_t q = 0; q < Q; ++q)
        sums[q * R + r] = Metric<Lanes>::add_term(sums[q * R + r], query[q], row);
    }
  }

  /// Asks for the start of a row; the processor's own prefetcher follows from there.
  static void prefetch(const float* row, std::size_t dim) {
    constexpr std::size_t line = 64 / sizeof(float);
    for (std::size_t i = 0; i < dim && i < 4 * line; i += line) __builtin_prefetch(row + i);
  }
};

/// The table of a level: all float kernels made from its `Lanes`, and its own Hamming distance.
template <class Lanes>
constexpr Kernels make_kernels(const char* name, decltype(Kernels::hamming) hamming) {
  using D = FloatKernels<Lanes, Dot>;
  using L = FloatKernels<Lanes, SquaredL2>;
  return {.name = name,
          .dot = D::pair,
          .dot_rows = D::rows,
          .dot_gather = D::gather,
          .dot_tile = D::tile,
          .squared_l2 = L::pair,
          .squared_l2_rows = L::rows,
          .squared_l2_gather = L::gather,
          .squared_l2_tile = L::tile,
          .hamming = hamming};
}

}  // namespace
}  // namespace lookalike
