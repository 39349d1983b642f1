// Rows of halves and of bytes: at every level the same bits as the rows of floats they stand for, in memory
// that ends where the rows end.

#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

using Random = std::mt19937_64;

/// `n_rows` narrow rows, `stride` elements apart, and the same as floats.
template <class Element>
struct Rows {
  Rows(std::size_t dim_, std::size_t n_rows_, Edge edge, Random& random)
      : dim(dim_),
        n_rows(n_rows_),
        stride(dim + 3),
        narrow(extent(), edge),
        floats(extent()),
        queries(7 * (dim + 1)) {
    for (std::size_t i = 0; i < narrow.size(); ++i) set(narrow[i], floats[i], random);
    for (float& value : queries) value = static_cast<float>(random() % (1U << 24)) * 0x1p-20F - 8.0F;
  }

  std::size_t extent() const { return n_rows == 0 ? 0 : (n_rows - 1) * stride + dim; }

  static void set(std::int8_t& element, float& value, Random& random) {
    element = static_cast<std::int8_t>(random() % 256 - 128);
    value = static_cast<float>(element);
  }

  /// Denormals too; no infinity and no NaN.
  static void set(Half& element, float& value, Random& random) {
    do element = static_cast<Half>(random());
    while ((element & 0x7C00U) == 0x7C00U);
    kernels_for("scalar")->from_half(&element, 1, &value);
  }

  std::size_t dim, n_rows, stride;
  Guarded<Element> narrow;
  Guarded<float> floats;
  Guarded<float> queries;  // 7, dim + 1 apart
};

void check_same(const Guarded<float>& out, const Guarded<float>& expected, const std::string& name,
                std::size_t dim) {
  for (std::size_t i = 0; i < out.size(); ++i)
    CHECK(std::bit_cast<std::uint32_t>(out.data()[i]) == std::bit_cast<std::uint32_t>(expected.data()[i]),
          name, "dim", dim, "at", i, out.data()[i], expected.data()[i]);
}

template <class Element>
void check_rows(const Rows<Element>& rows, Kernels::RowsOf<Element> kernel, Kernels::Rows reference,
                const std::string& name) {
  Guarded<float> out(rows.n_rows), expected(rows.n_rows);
  kernel(rows.queries.data(), rows.narrow.data(), rows.stride, rows.n_rows, rows.dim, out.data());
  reference(rows.queries.data(), rows.floats.data(), rows.stride, rows.n_rows, rows.dim, expected.data());
  check_same(out, expected, name + "_rows", rows.dim);
}

template <class Element>
void check_gather(const Rows<Element>& rows, Kernels::GatherOf<Element> kernel, Kernels::Gather reference,
                  const std::string& name) {
  Guarded<std::uint32_t> which(rows.n_rows);
  for (std::size_t i = 0; i < which.size(); ++i)
    which[i] = static_cast<std::uint32_t>((3 * i + 1) % rows.n_rows);
  Guarded<float> out(rows.n_rows), expected(rows.n_rows);
  kernel(rows.queries.data(), rows.narrow.data(), rows.stride, which.data(), which.size(), rows.dim,
         out.data());
  reference(rows.queries.data(), rows.floats.data(), rows.stride, which.data(), which.size(), rows.dim,
            expected.data());
  check_same(out, expected, name + "_gather", rows.dim);
}

template <class Element>
void check_tile(const Rows<Element>& rows, Kernels::TileOf<Element> kernel, Kernels::Tile reference,
                const std::string& name) {
  Guarded<float> out(7 * rows.n_rows), expected(7 * rows.n_rows);
  kernel(rows.queries.data(), rows.dim + 1, 7, rows.narrow.data(), rows.stride, rows.n_rows, rows.dim,
         out.data());
  reference(rows.queries.data(), rows.dim + 1, 7, rows.floats.data(), rows.stride, rows.n_rows, rows.dim,
            expected.data());
  check_same(out, expected, name + "_tile", rows.dim);
}

template <class Check>
void for_each_shape(Check check) {
  for (const Edge edge : {Edge::start, Edge::end})
    for (std::size_t dim = 0; dim <= 130; ++dim)
      for (const std::size_t n_rows : {0U, 1U, 4U, 10U}) check(dim, n_rows, edge);
  check(1280, 10, Edge::end);
}

}  // namespace

TEST(rows_of_halves_give_the_bits_of_rows_of_floats) {
  Random random(1);
  for_each_shape([&](std::size_t dim, std::size_t n_rows, Edge edge) {
    const Rows<Half> rows(dim, n_rows, edge, random);
    for (const auto level : available_levels()) {
      const Kernels& k = *kernels_for(level);
      const std::string name(level);
      check_rows(rows, k.dot_half_rows, k.dot_rows, name + " dot_half");
      check_gather(rows, k.dot_half_gather, k.dot_gather, name + " dot_half");
      check_tile(rows, k.dot_half_tile, k.dot_tile, name + " dot_half");
      check_rows(rows, k.squared_l2_half_rows, k.squared_l2_rows, name + " squared_l2_half");
      check_gather(rows, k.squared_l2_half_gather, k.squared_l2_gather, name + " squared_l2_half");
      check_tile(rows, k.squared_l2_half_tile, k.squared_l2_tile, name + " squared_l2_half");
    }
  });
}

TEST(rows_of_bytes_give_the_bits_of_rows_of_floats) {
  Random random(2);
  for_each_shape([&](std::size_t dim, std::size_t n_rows, Edge edge) {
    const Rows<std::int8_t> rows(dim, n_rows, edge, random);
    for (const auto level : available_levels()) {
      const Kernels& k = *kernels_for(level);
      check_rows(rows, k.dot_bytes_rows, k.dot_rows, std::string(level) + " dot_bytes");
      check_gather(rows, k.dot_bytes_gather, k.dot_gather, std::string(level) + " dot_bytes");
    }
  });
}
