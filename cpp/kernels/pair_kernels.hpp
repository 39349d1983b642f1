// One body for every instruction set: a number for each pair (query, row), dot or squared L2, of queries of
// floats × rows of floats, halves or bytes, and of queries in 16-bit steps × rows of bytes.
//
// A level's file defines `Lanes`, a register of sums and its few operations, and gets all these kernels
// from here; elements become what the sums are made of as they are loaded. Element i of a pair goes to lane
// i % width of the pair's one accumulator, whose lanes are added up at the end in one order, be it alone or
// four accumulators at once: the order of a sum does not depend on how many pairs share the pass, so every
// form gives the same bits. (One accumulator per pair makes a lone pair wait for each addition; four rows, or
// 4 × 4, keep the processor busy.)
//
// All of it is in an anonymous namespace and uses no standard template: code compiled for AVX-512 must never
// be the copy of an inline function that the linker keeps for the rest of the program.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

/// The first n < Width elements, then zeros: what a level loads that cannot mask a load.
template <class Element, std::size_t Width>
struct Padded {
  Padded(const Element* p, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) elements[i] = p[i];
  }
  Element elements[Width]{};
};

template <class Lanes>
struct Dot {
  template <class Sum, class Terms>
  static Sum add_term(Sum sum, Terms a, Terms b) {
    return Lanes::multiply_add(a, b, sum);
  }
};

template <class Lanes>
struct SquaredL2 {
  using Vector = typename Lanes::Vector;
  static Vector add_term(Vector sum, Vector a, Vector b) {
    const Vector difference = Lanes::subtract(a, b);
    return Lanes::multiply_add(difference, difference, sum);
  }
};

template <class Lanes, template <class> class Metric, class Element, class Coordinate = float,
          class Out = float>
struct PairKernels {
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t block_queries = Lanes::block_queries;
  static constexpr std::size_t block_rows = 4;

  static Out pair(const Coordinate* a, const Element* b, std::size_t n) {
    Out result;
    block<1, 1>({a}, {b}, n, &result, 1);
    return result;
  }

  static void rows(const Coordinate* query, const Element* rows, std::size_t stride, std::size_t n_rows,
                   std::size_t dim, Out* out) {
    tile(query, 0, 1, rows, stride, n_rows, dim, out);
  }

  static void gather(const Coordinate* query, const Element* rows, std::size_t stride,
                     const std::uint32_t* which, std::size_t count, std::size_t dim, Out* out) {
    constexpr std::size_t bytes_ahead = 4096;  // on their way from the memory meanwhile
    const std::size_t ahead = bytes_ahead / (dim * sizeof(Element) + 64) + block_rows;
    const auto row = [=](std::size_t i) { return rows + which[i] * stride; };
    const auto prefetch_rows = [=](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end && i < count; ++i) prefetch(row(i), dim);
    };
    prefetch_rows(0, ahead);
    std::size_t i = 0;
    for (; i + block_rows <= count; i += block_rows) {
      prefetch_rows(i + ahead, i + ahead + block_rows);
      block<1, block_rows>({query}, {row(i), row(i + 1), row(i + 2), row(i + 3)}, dim, out + i, 0);
    }
    for (; i < count; ++i) out[i] = pair(query, row(i), dim);
  }

  static void tile(const Coordinate* queries, std::size_t query_stride, std::size_t n_queries,
                   const Element* rows, std::size_t row_stride, std::size_t n_rows, std::size_t dim,
                   Out* out) {
    std::size_t q = 0;
    for (; q + block_queries <= n_queries; q += block_queries)
      band<block_queries>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim,
                          out + q * n_rows);
    for (; q < n_queries; ++q)
      band<1>(queries + q * query_stride, query_stride, rows, row_stride, n_rows, dim, out + q * n_rows);
  }

  template <std::size_t Q>
  static void band(const Coordinate* queries, std::size_t query_stride, const Element* rows,
                   std::size_t row_stride, std::size_t n_rows, std::size_t dim, Out* out) {
    const Coordinate* query[Q];
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
  static void block(const Coordinate* const (&queries)[Q], const Element* const (&rows)[R], std::size_t dim,
                    Out* out, std::size_t out_stride) {
    Vector sums[Q][R];
#pragma GCC unroll 16
    for (std::size_t q = 0; q < Q; ++q)
#pragma GCC unroll 16
      for (std::size_t r = 0; r < R; ++r) sums[q][r] = Lanes::zero();
    std::size_t i = 0;
    for (; i + Lanes::width <= dim; i += Lanes::width)
      step<Q, R>(queries, rows, sums, [i](const auto* p) { return Lanes::load(p + i); });
    if (i < dim)
      step<Q, R>(queries, rows, sums, [i, dim](const auto* p) { return Lanes::load_first(p + i, dim - i); });
#pragma GCC unroll 16
    for (std::size_t q = 0; q < Q; ++q) store_sums(sums[q], out + q * out_stride);
  }

  template <std::size_t Q, std::size_t R, class Load>
  static void step(const Coordinate* const (&queries)[Q], const Element* const (&rows)[R],
                   Vector (&sums)[Q][R], Load load) {
    decltype(load(queries[0])) query[Q];
#pragma GCC unroll 16
    for (std::size_t q = 0; q < Q; ++q) query[q] = load(queries[q]);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r) {
      const auto row = load(rows[r]);
#pragma GCC unroll 16
      for (std::size_t q = 0; q < Q; ++q) sums[q][r] = Metric<Lanes>::add_term(sums[q][r], query[q], row);
    }
  }

  static void store_sums(const Vector (&sums)[1], Out* out) { *out = Lanes::sum(sums[0]); }
  static void store_sums(const Vector (&sums)[4], Out* out) {
    Lanes::store_sums(out, sums[0], sums[1], sums[2], sums[3]);
  }

  /// Asks for the lines of a row, and of the 8 bytes in front of a row of bytes, where its factors usually
  /// lie; beyond 24 lines the processor's own prefetcher follows.
  static void prefetch(const Element* row, std::size_t dim) {
    constexpr std::size_t line = 64, most = 24 * line, before = sizeof(Element) == 1 ? 8 : 0;
    const auto address = reinterpret_cast<std::uintptr_t>(row);
    const std::uintptr_t first = (address - before) / line * line, end = address + dim * sizeof(Element);
    for (std::uintptr_t at = first; at < end && at < first + most; at += line)
      __builtin_prefetch(reinterpret_cast<const void*>(at));
  }
};

}  // namespace
}  // namespace lookalike
