// Dot and squared L2 of floats: every level of SIMD against a reference in double precision, in memory that
// ends where the arrays end.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// One metric of one level, and what it should give.
struct Metric {
  std::string name;
  Kernels::Pair pair;
  Kernels::Rows rows;
  Kernels::Gather gather;
  Kernels::Tile tile;
  double (*term)(double a, double b);
  int roundings;  // of a term; the sum adds at most one for each element
  decltype(Kernels::dot_panel) panel = nullptr;
};

std::vector<Metric> metrics() {
  std::vector<Metric> all;
  for (const auto level : available_levels()) {
    const Kernels& k = *kernels_for(level);
    const std::string name(level);
    all.push_back({name + " dot", k.dot, k.dot_rows, k.dot_gather, k.dot_tile,
                   [](double a, double b) { return a * b; }, 1, k.dot_panel});
    all.push_back({name + " squared_l2", k.squared_l2, k.squared_l2_rows, k.squared_l2_gather,
                   k.squared_l2_tile, [](double a, double b) { return (a - b) * (a - b); }, 3});
  }
  return all;
}

std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all;
  for (std::size_t n = 0; n <= 130; ++n) all.push_back(n);
  all.insert(all.end(), {255, 1000, 1280, 4099, 65537});
  return all;
}

using Random = std::mt19937_64;

void fill_integers(Guarded<float>& values, Random& random) {
  for (float& value : values) value = static_cast<float>(random() % 17) - 8.0F;
}

/// Both signs, and magnitudes from 2^-12 to 2^12.
void fill_floats(Guarded<float>& values, Random& random) {
  for (float& value : values) {
    const float fraction = static_cast<float>(random() % (1U << 24)) * 0x1p-23F - 1.0F;
    value = std::ldexp(fraction, static_cast<int>(random() % 25) - 12);
  }
}

double expected(const Metric& metric, const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += metric.term(a[i], b[i]);
  return sum;
}

/// The bound that kernels.hpp states.
double allowed_error(const Metric& metric, const float* a, const float* b, std::size_t n) {
  double magnitude = 0;
  for (std::size_t i = 0; i < n; ++i) magnitude += std::abs(metric.term(a[i], b[i]));
  return 1.01 * static_cast<double>(n + static_cast<std::size_t>(metric.roundings)) * 0x1p-24 * magnitude;
}

std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

/// Queries and rows in memory without a byte to spare; the rows are 3 floats apart, the queries 1.
struct Block {
  Block(std::size_t dim_, std::size_t n_queries_, std::size_t n_rows_, Edge edge = Edge::end)
      : dim(dim_),
        n_queries(n_queries_),
        n_rows(n_rows_),
        queries(extent(n_queries, query_stride(), dim), edge),
        rows(extent(n_rows, row_stride(), dim), edge) {
    Random random(dim);
    fill_floats(queries, random);
    fill_floats(rows, random);
  }

  static std::size_t extent(std::size_t count, std::size_t stride, std::size_t dim) {
    return count == 0 ? 0 : (count - 1) * stride + dim;
  }

  std::size_t query_stride() const { return dim + 1; }
  std::size_t row_stride() const { return dim + 3; }
  const float* query(std::size_t q) const { return queries.data() + q * query_stride(); }
  const float* row(std::size_t r) const { return rows.data() + r * row_stride(); }

  std::size_t dim, n_queries, n_rows;
  Guarded<float> queries, rows;
};

void check_tile(const Metric& metric, const Block& block) {
  Guarded<float> out(block.n_queries * block.n_rows);
  metric.tile(block.queries.data(), block.query_stride(), block.n_queries, block.rows.data(),
              block.row_stride(), block.n_rows, block.dim, out.data());
  for (std::size_t q = 0; q < block.n_queries; ++q)
    for (std::size_t r = 0; r < block.n_rows; ++r) {
      const float alone = metric.pair(block.query(q), block.row(r), block.dim);
      CHECK(bits(out[q * block.n_rows + r]) == bits(alone), metric.name, "dim", block.dim, "query", q, "row",
            r);
    }
}

void check_rows(const Metric& metric, const Block& block) {
  Guarded<float> out(block.n_rows);
  metric.rows(block.query(0), block.rows.data(), block.row_stride(), block.n_rows, block.dim, out.data());
  for (std::size_t r = 0; r < block.n_rows; ++r)
    CHECK(bits(out[r]) == bits(metric.pair(block.query(0), block.row(r), block.dim)), metric.name, "dim",
          block.dim, "row", r);
}

/// Every row once, backwards, and the last row once more.
void check_gather(const Metric& metric, const Block& block) {
  Guarded<std::uint32_t> which(block.n_rows + 1);
  for (std::size_t i = 0; i < which.size(); ++i)
    which[i] = static_cast<std::uint32_t>((2 * block.n_rows - 1 - i) % block.n_rows);
  Guarded<float> out(which.size());
  metric.gather(block.query(0), block.rows.data(), block.row_stride(), which.data(), which.size(), block.dim,
                out.data());
  for (std::size_t i = 0; i < which.size(); ++i)
    CHECK(bits(out[i]) == bits(metric.pair(block.query(0), block.row(which[i]), block.dim)), metric.name,
          "dim", block.dim, "row", which[i]);
}

/// `block` with its rows packed into one panel.
void check_panel(const Metric& dots, decltype(Kernels::dot_panel) dot_panel, const Block& block) {
  Guarded<float> panel(panel_rows * block.dim), out(block.n_queries * panel_rows), one(panel_rows);
  for (std::size_t i = 0; i < block.dim; ++i)
    for (std::size_t r = 0; r < panel_rows; ++r) panel[i * panel_rows + r] = block.row(r)[i];
  dot_panel(block.queries.data(), block.query_stride(), block.n_queries, panel.data(), block.dim, out.data());
  for (std::size_t q = 0; q < block.n_queries; ++q) {
    dot_panel(block.query(q), block.query_stride(), 1, panel.data(), block.dim, one.data());
    for (std::size_t r = 0; r < panel_rows; ++r) {
      const float found = out[q * panel_rows + r];
      const double error = std::abs(found - expected(dots, block.query(q), block.row(r), block.dim));
      CHECK(error <= allowed_error(dots, block.query(q), block.row(r), block.dim), dots.name, "dim",
            block.dim);
      CHECK(bits(found) == bits(one[r]), dots.name, "dim", block.dim, "query", q, "row", r);
    }
  }
}

}  // namespace

// Sums of small integers are exact in any order, so not one element may be missed, doubled or misplaced.
TEST(integer_values_give_the_exact_sum_at_every_length) {
  Random random(1);
  for (const std::size_t n : lengths()) {
    Guarded<float> a(n), b(n);
    fill_integers(a, random);
    fill_integers(b, random);
    for (const Metric& metric : metrics()) {
      const double exact = expected(metric, a.data(), b.data(), n);
      CHECK(metric.pair(a.data(), b.data(), n) == exact, metric.name, "n", n);
    }
  }
}

TEST(panels_give_dots_within_the_bound_and_the_same_bits_for_any_number_of_queries) {
  for (const std::size_t dim : {0, 1, 2, 17, 130, 1000})
    for (const std::size_t queries : {1, 5, 8, 31, 100}) {
      const Block block(dim, queries, panel_rows);
      for (const Metric& metric : metrics())
        if (metric.panel != nullptr) check_panel(metric, metric.panel, block);
    }
}

TEST(float_values_stay_within_the_stated_bound) {
  Random random(2);
  for (const std::size_t n : lengths()) {
    Guarded<float> a(n), b(n);
    fill_floats(a, random);
    fill_floats(b, random);
    for (const Metric& metric : metrics()) {
      const double error =
          std::abs(metric.pair(a.data(), b.data(), n) - expected(metric, a.data(), b.data(), n));
      CHECK(error <= allowed_error(metric, a.data(), b.data(), n), metric.name, "n", n, "error", error);
    }
  }
}

TEST(any_alignment_of_a_float_gives_the_same_bits) {
  Random random(3);
  Guarded<float> a(300), b(300);
  fill_floats(a, random);
  for (const Metric& metric : metrics())
    for (std::size_t from = 0; from < 17; ++from) {
      std::copy_n(a.data(), 131, b.data() + from);
      for (const std::size_t n : {1U, 4U, 15U, 16U, 33U, 131U})
        CHECK(bits(metric.pair(a.data() + 150, b.data() + from, n)) ==
                  bits(metric.pair(a.data() + 150, a.data(), n)),
              metric.name, "n", n, "from", from);
    }
}

TEST(swapping_the_arguments_changes_no_bit) {
  const Block block(1003, 1, 1);
  for (const Metric& metric : metrics())
    CHECK(bits(metric.pair(block.query(0), block.row(0), 1003)) ==
              bits(metric.pair(block.row(0), block.query(0), 1003)),
          metric.name);
}

TEST(rows_gather_and_tile_give_the_bits_of_the_lone_pair) {
  for (const Edge edge : {Edge::start, Edge::end})
    for (const std::size_t dim : lengths()) {
      if (dim > 1280) continue;
      const Block block(dim, 7, 9, edge);
      for (const Metric& metric : metrics()) {
        check_rows(metric, block);
        check_gather(metric, block);
        check_tile(metric, block);
      }
    }
}

TEST(any_number_of_queries_and_rows_gives_the_same_bits) {
  for (const std::size_t dim : {0U, 3U, 16U, 37U})
    for (std::size_t queries = 0; queries <= 9; ++queries)
      for (std::size_t rows = 0; rows <= 9; ++rows) {
        const Block block(dim, queries, rows);
        for (const Metric& metric : metrics()) {
          check_tile(metric, block);
          if (queries > 0) check_rows(metric, block);
          if (queries > 0 && rows > 0) check_gather(metric, block);
        }
      }
}

// 70,000 × 70,000 floats are more than 32 bits can count. They are only reserved, but for the last page.
TEST(gather_reaches_rows_beyond_four_billion_floats) {
  const std::size_t stride = 70'000;
  const std::uint32_t last = 70'000;
  const std::size_t bytes = (last + std::size_t{1}) * stride * sizeof(float);
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(memory != MAP_FAILED);
  const std::size_t row = last * stride * sizeof(float);
  std::byte* start = static_cast<std::byte*>(memory) + row / page * page;
  CHECK(mprotect(start, 2 * page, PROT_READ | PROT_WRITE) == 0);
  float* values = static_cast<float*>(memory) + last * stride;
  values[0] = 3.0F;
  const float query = 2.0F;
  for (const Metric& metric : metrics()) {
    float out = 0;
    metric.gather(&query, static_cast<const float*>(memory), stride, &last, 1, 1, &out);
    CHECK(out == metric.term(2, 3), metric.name);
  }
  munmap(memory, bytes);
}

TEST(nan_reaches_the_result_from_any_place_and_no_other_row) {
  for (std::size_t dim = 1; dim <= 70; ++dim)
    for (std::size_t at = 0; at < dim; ++at) {
      Block block(dim, 1, 5);
      block.rows[2 * block.row_stride() + at] = kNan;
      for (const Metric& metric : metrics()) {
        std::array<float, 5> out;
        metric.rows(block.query(0), block.rows.data(), block.row_stride(), 5, dim, out.data());
        for (std::size_t r = 0; r < 5; ++r)
          CHECK(std::isnan(out[r]) == (r == 2), metric.name, "dim", dim, "at", at);
      }
    }
}

TEST(infinity_follows_ieee_754) {
  for (std::size_t n = 1; n <= 40; ++n)
    for (const auto level : available_levels()) {
      const Kernels& k = *kernels_for(level);
      std::vector<float> a(n, 1.0F), b(n, 2.0F);
      a[n - 1] = kInf;
      CHECK(k.dot(a.data(), b.data(), n) == kInf, level, "n", n);
      CHECK(k.squared_l2(a.data(), b.data(), n) == kInf, level, "n", n);
      b[n - 1] = -2.0F;
      CHECK(k.dot(a.data(), b.data(), n) == -kInf, level, "n", n);
      b[n - 1] = 0.0F;
      CHECK(std::isnan(k.dot(a.data(), b.data(), n)), level, "n", n);
      b[n - 1] = kInf;
      CHECK(std::isnan(k.squared_l2(a.data(), b.data(), n)), level, "n", n);
      a[n - 1] = b[n - 1] = 3e38F;
      CHECK(k.dot(a.data(), b.data(), n) == kInf, level, "n", n);
    }
}

TEST(denormals_are_kept) {
  for (std::size_t n = 1; n <= 130; ++n) {
    const std::vector<float> tiny(n, 0x1p-149F), ones(n, 1.0F), small(n, 0x1p-70F), zeros(n, 0.0F);
    for (const auto level : available_levels()) {
      const Kernels& k = *kernels_for(level);
      CHECK(k.dot(tiny.data(), ones.data(), n) == static_cast<float>(n) * 0x1p-149F, level, "n", n);
      CHECK(k.squared_l2(small.data(), zeros.data(), n) == static_cast<float>(n) * 0x1p-140F, level, "n", n);
    }
  }
}

TEST(a_zero_sum_is_positive_zero) {
  for (std::size_t n = 0; n <= 130; ++n) {
    const std::vector<float> minus_zeros(n, -0.0F), values(n, 3.0F);
    for (const Metric& metric : metrics())
      CHECK(bits(metric.pair(values.data(), values.data(), 0)) == 0, metric.name);
    for (const auto level : available_levels()) {
      const Kernels& k = *kernels_for(level);
      CHECK(bits(k.dot(minus_zeros.data(), values.data(), n)) == 0, level, "n", n);
      CHECK(bits(k.squared_l2(values.data(), values.data(), n)) == 0, level, "n", n);
    }
  }
}
