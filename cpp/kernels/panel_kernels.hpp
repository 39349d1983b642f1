// Dots of queries and rows that are packed into panels: a lane holds one row, and a coordinate of a query
// goes to all lanes, so nothing is added across lanes. (The packed matrix product of Goto & van de Geijn, ACM
// TOMS 34 (3), 2008.) In an anonymous namespace for the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>

#include "kernels.hpp"

namespace lookalike {
namespace {

template <class Lanes>
struct DotPanel {
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t parts = panel_rows / Lanes::width;
  static constexpr std::size_t many = Lanes::panel_queries, some = many / 3;

  static void tile(const float* queries, std::size_t query_stride, std::size_t n_queries, const float* panel,
                   std::size_t dim, float* out) {
    std::size_t q = 0;
    const auto blocks = [&]<std::size_t Q>(Count<Q>) {
      for (; q + Q <= n_queries; q += Q)
        block<Q>(queries + q * query_stride, query_stride, panel, dim, out + q * panel_rows);
    };
    blocks(Count<many>());
    blocks(Count<some>());
    blocks(Count<1>());
  }

  template <std::size_t>
  struct Count {};

  template <std::size_t Q>
  static void block(const float* queries, std::size_t query_stride, const float* panel, std::size_t dim,
                    float* out) {
    Vector sums[Q][parts];
#pragma GCC unroll 32
    for (std::size_t q = 0; q < Q; ++q)
#pragma GCC unroll 16
      for (std::size_t part = 0; part < parts; ++part) sums[q][part] = Lanes::zero();
    for (std::size_t i = 0; i < dim; ++i) {
      Vector rows[parts];
#pragma GCC unroll 16
      for (std::size_t part = 0; part < parts; ++part)
        rows[part] = Lanes::load(panel + i * panel_rows + part * Lanes::width);
#pragma GCC unroll 32
      for (std::size_t q = 0; q < Q; ++q) {
        const Vector query = Lanes::broadcast(queries[q * query_stride + i]);
#pragma GCC unroll 16
        for (std::size_t part = 0; part < parts; ++part)
          sums[q][part] = Lanes::multiply_add(query, rows[part], sums[q][part]);
      }
    }
#pragma GCC unroll 32
    for (std::size_t q = 0; q < Q; ++q)
#pragma GCC unroll 16
      for (std::size_t part = 0; part < parts; ++part)
        Lanes::store(out + q * panel_rows + part * Lanes::width, sums[q][part]);
  }
};

}  // namespace
}  // namespace lookalike
