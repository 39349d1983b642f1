// Floats to steps and bytes, and inner products of queries in 16-bit steps with rows of bytes: exact at every
// level, in memory that ends where the arrays end.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

using Random = std::mt19937_64;

/// Queries dim + 1 apart and rows dim + 3 apart, without a byte to spare.
struct Block {
  Block(std::size_t dim_, std::size_t n_queries_, std::size_t n_rows_, Edge edge)
      : dim(dim_),
        n_queries(n_queries_),
        n_rows(n_rows_),
        queries(extent(n_queries, dim + 1), edge),
        rows(extent(n_rows, dim + 3), edge) {}

  std::size_t extent(std::size_t count, std::size_t stride) const {
    return count == 0 ? 0 : (count - 1) * stride + dim;
  }

  std::int64_t exact(std::size_t q, std::size_t r) const {
    std::int64_t sum = 0;
    for (std::size_t d = 0; d < dim; ++d)
      sum += std::int64_t{queries[q * (dim + 1) + d]} * rows[r * (dim + 3) + d];
    return sum;
  }

  void check() const {
    for (const auto level : available_levels()) {
      Guarded<std::int32_t> out(n_queries * n_rows);
      kernels_for(level)->dot_steps_tile(queries.data(), dim + 1, n_queries, rows.data(), dim + 3, n_rows,
                                         dim, out.data());
      for (std::size_t q = 0; q < n_queries; ++q)
        for (std::size_t r = 0; r < n_rows; ++r)
          CHECK(out[q * n_rows + r] == exact(q, r), level, "dim", dim, "query", q, "row", r);
    }
  }

  std::size_t dim, n_queries, n_rows;
  Guarded<std::int16_t> queries;
  Guarded<std::int8_t> rows;
};

/// The largest step of which 128 · Σ|step| stays below 2^31.
std::int16_t largest_step(std::size_t dim) {
  constexpr std::size_t kMaxSum = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int16_t>(
      std::min<std::size_t>(32767, kMaxSum / (128 * std::max<std::size_t>(dim, 1))));
}

float nearest(float value, float least, float most) {
  return std::nearbyint(value != value ? most : std::clamp(value, least, most));
}

}  // namespace

TEST(products_of_steps_and_bytes_are_exact) {
  Random random(1);
  const auto check = [&](std::size_t dim, std::size_t n_queries, std::size_t n_rows, Edge edge) {
    Block block(dim, n_queries, n_rows, edge);
    const int limit = largest_step(dim);
    for (std::int16_t& step : block.queries)
      step = static_cast<std::int16_t>(static_cast<int>(random() % (2 * static_cast<unsigned>(limit) + 1)) -
                                       limit);
    for (std::int8_t& byte : block.rows) byte = static_cast<std::int8_t>(random() % 256 - 128);
    block.check();
  };
  for (const Edge edge : {Edge::start, Edge::end})
    for (std::size_t dim = 0; dim <= 130; ++dim)
      for (const std::size_t n_queries : {0U, 1U, 7U})
        for (const std::size_t n_rows : {0U, 1U, 10U}) check(dim, n_queries, n_rows, edge);
  for (const std::size_t dim : {1000, 1280, 4096}) check(dim, 6, 9, Edge::end);
}

TEST(products_of_steps_and_bytes_do_not_overflow_at_their_limits) {
  for (const std::size_t dim : {1, 2, 31, 64, 130, 512, 1280, 4096})
    for (const int sign : {-1, 1})
      for (const int byte : {-128, 127}) {
        Block block(dim, 5, 5, Edge::end);
        for (std::int16_t& step : block.queries) step = static_cast<std::int16_t>(sign * largest_step(dim));
        for (std::int8_t& each : block.rows) each = static_cast<std::int8_t>(byte);
        block.check();
      }
}

TEST(gathered_products_of_steps_and_bytes_are_exact) {
  Random random(6);
  for (std::size_t dim = 1; dim <= 130; ++dim) {
    const std::size_t n_rows = 1 + dim % 23;
    Block block(dim, 1, n_rows, Edge::end);
    for (auto& each : block.queries) each = static_cast<std::int16_t>(random() % 65535 - 32767);
    for (auto& each : block.rows) each = static_cast<std::int8_t>(random());
    std::vector<std::uint32_t> which;
    for (std::size_t i = 0; i < dim % 40; ++i) which.push_back(static_cast<std::uint32_t>(random() % n_rows));
    for (const auto level : available_levels()) {
      Guarded<std::int32_t> out(which.size());
      kernels_for(level)->dot_steps_gather(block.queries.data(), block.rows.data(), dim + 3, which.data(),
                                           which.size(), dim, out.data());
      for (std::size_t i = 0; i < which.size(); ++i)
        CHECK(out[i] == block.exact(0, which[i]), level, "dim", dim, "row", which[i]);
    }
  }
}

TEST(floats_become_the_nearest_steps_and_bytes) {
  constexpr float kInf = std::numeric_limits<float>::infinity(),
                  kNan = std::numeric_limits<float>::quiet_NaN();
  const float strange[]{kInf, -kInf, kNan, -kNan, 0.5F, 1.5F, -0.5F, -2.5F, 1e30F, -0.0F};
  Random random(7);
  for (std::size_t n = 0; n <= 130; ++n)
    for (const float most : {32767.0F, 1000.0F}) {
      const float scale = n % 2 == 0 ? 1.0F : 0.37F;
      Guarded<float> values(n);
      for (float& each : values)
        each = random() % 4 == 0 ? strange[random() % std::size(strange)]
                                 : static_cast<float>(random() % 100'000) * 0.77F - 38'000.0F;
      for (const auto level : available_levels()) {
        Guarded<std::int16_t> out(n);
        kernels_for(level)->to_steps(values.data(), n, scale, most, out.data());
        Guarded<std::uint8_t> bytes(n);
        kernels_for(level)->to_bytes(values.data(), n, scale * 0x1p-8F, 31.0F, bytes.data());
        for (std::size_t i = 0; i < n; ++i) {
          CHECK(out[i] == static_cast<std::int16_t>(nearest(values[i] * scale, -most, most)), level, "n", n,
                "value", values[i]);
          CHECK(bytes[i] == static_cast<std::uint8_t>(nearest(values[i] * (scale * 0x1p-8F), 0.0F, 31.0F)),
                level, "n", n, "value", values[i]);
        }
      }
    }
}
