// Products of matrices.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "kernels/dispatch.hpp"

namespace lookalike {

/// Of a · b the columns [begin, end), and the first rows: as many as a has, or up to the last column where
/// the product is symmetric and its upper half is enough.
struct Product {
  const float* a;
  std::size_t rows;
  std::size_t stride;  // from one row of a to the next
  std::size_t inner;   // columns of a, rows of b
  std::size_t begin;
  std::size_t end;
  bool upper_half = false;
};

/// A distance of rows of which several are read side by side: were it many times that of a power of two, all
/// would want the same places of a cache.
constexpr std::size_t unaliased(std::size_t dim) {
  return (dim + 15) / 32 * 32 + 16;
}

/// copy(i, column, n, to) copies n numbers of row i of b, from that column on; take(row, column, sums, n)
/// gets as many of the product.
template <class Copy, class Take>
void multiply(const Product& of, Copy copy, Take take) {
  constexpr std::size_t kRows = 48, kColumns = 4 * panel_rows;  // both stay in the second cache
  const std::size_t stride = unaliased(of.inner);
  std::vector<float> panels(kColumns * of.inner), some(kRows * stride);
  std::array<float, kRows * panel_rows> sums;
  for (std::size_t first = of.begin; first < of.end; first += kColumns) {
    const std::size_t last = std::min(of.end, first + kColumns);
    const auto for_panels = [&](auto use) {
      for (std::size_t at = first; at < last; at += panel_rows)
        use(at, std::min(panel_rows, last - at), panels.data() + (at - first) * of.inner);
    };
    for_panels([&](std::size_t at, std::size_t n, float* panel) {
      for (std::size_t i = 0; i < of.inner; ++i) copy(i, at, n, panel + i * panel_rows);
    });
    const std::size_t rows = of.upper_half ? std::min(of.rows, last) : of.rows;
    for (std::size_t row = 0; row < rows; row += kRows) {
      const std::size_t count = std::min(kRows, rows - row);
      for (std::size_t i = 0; i < count; ++i)
        std::copy_n(of.a + (row + i) * of.stride, of.inner, some.data() + i * stride);
      for_panels([&](std::size_t at, std::size_t n, const float* panel) {
        kernels().dot_panel(some.data(), stride, count, panel, of.inner, sums.data());
        for (std::size_t i = 0; i < count; ++i) take(row + i, at, sums.data() + i * panel_rows, n);
      });
    }
  }
}

}  // namespace lookalike
