// Many queries against packed rows: bounds of the keys that the usual way gives.
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/base/vectors.hpp"
#include "engine/rows/packed_queries.hpp"

using namespace lookalike;

namespace {

/// Rows, and queries of the same kind; `far` is added to each number.
struct Case {
  Case(Metric metric_, Store store, std::size_t dim_, double far, double scale = 1.0)
      : metric(metric_), dim(dim_), form(store, metric_, dim_) {
    Random random(dim);
    const auto draw = [&](std::size_t count) {
      std::vector<float> values(count * dim);
      for (float& value : values) value = static_cast<float>(scale * (random.gaussian() + far));
      return values;
    };
    rows = draw(kRows);
    queries = draw(kQueries);
    std::copy_n(rows.begin(), dim, queries.begin());  // one is stored
    store_rows();
    for (std::size_t q = 0; q < kQueries; ++q)
      scales.push_back(form.normed() ? inverse_norm(queries.data() + q * dim, dim) : 1.0F);
  }

  void store_rows() {
    bytes.resize(kRows * form.bytes());
    if (form.store == Store::float16)
      kernels().to_half(rows.data(), rows.size(), reinterpret_cast<Half*>(bytes.data()));
    else
      std::memcpy(bytes.data(), rows.data(), bytes.size());
    inverse_norms.clear();
    std::vector<float> room;
    for (std::size_t row = 0; row < kRows; ++row)
      inverse_norms.push_back(inverse_norm(form.floats(bytes.data() + row * form.bytes(), room), dim));
  }

  StoredRows stored() const {
    return {form, bytes.data(), form.normed() ? inverse_norms.data() : nullptr, kRows};
  }
  QueryBlock block() const { return {queries.data(), kQueries, dim, metric, scales.data()}; }

  static constexpr std::size_t kRows = 203, kQueries = 101;
  Metric metric;
  std::size_t dim;
  RowForm form;
  std::vector<float> rows, queries, inverse_norms, scales;
  std::vector<std::byte> bytes;
};

// Beside the usual way: bounds hold each key, and nothing is left out that is within the limit.
void check_bounds(const Case& of, std::span<const float> middle,
                  std::size_t most = Case::kQueries * Case::kRows) {
  std::vector<float> keys(Case::kQueries * Case::kRows);
  of.stored().scan(
      of.block(), [](std::size_t) { return std::numeric_limits<float>::infinity(); },
      [&](std::size_t q, std::size_t row, float key) { keys[q * Case::kRows + row] = key; });
  const PackedQueries packed(of.block(), middle);
  for (const bool all : {true, false}) {
    const auto limit = [&](std::size_t q) {  // the key of some row
      return all ? std::numeric_limits<float>::infinity() : keys[q * Case::kRows + q];
    };
    std::vector<bool> seen(keys.size());
    std::size_t visits = 0;
    packed.scan(of.stored(), limit, [&](std::size_t q, std::size_t row, PackedQueries::Bounds bounds) {
      const std::size_t at = q * Case::kRows + row;
      CHECK(!seen[at], q, row);
      seen[at] = true;
      ++visits;
      CHECK(bounds.low <= keys[at] && keys[at] <= bounds.high, of.dim, bounds.low, keys[at], bounds.high);
    });
    for (std::size_t at = 0; at < keys.size(); ++at)
      CHECK(seen[at] || keys[at] > limit(at / Case::kRows), at, keys[at]);
    CHECK(all ? visits == keys.size() : visits <= most, visits, most);
  }
}

}  // namespace

TEST(packed_queries_bound_the_keys) {
  for (const Metric metric : {Metric::euclidean, Metric::sqeuclidean, Metric::cosine, Metric::dot})
    for (const Store store : {Store::float32, Store::float16})
      for (const std::size_t dim : {1, 15, 64, 130, 1000})
        for (const double far : {0.0, 30.0}) {
          const Case of(metric, store, dim, far);
          // where the middle is theirs, hardly more pass than should
          check_bounds(
              of, std::vector<float>(dim, static_cast<float>(far)),
              far == 0.0 && dim > 1 ? Case::kQueries * Case::kRows * 3 / 5 : Case::kQueries * Case::kRows);
          check_bounds(of, std::vector<float>(dim));
        }
}

TEST(packed_queries_of_any_size_are_bounded) {
  for (const double scale : {1e-18, 1e-15, 1e15, 2e17})
    for (const Metric metric : {Metric::euclidean, Metric::dot})
      check_bounds(Case(metric, Store::float32, 40, 0.0, scale), std::vector<float>(40));
}

TEST(packed_queries_pass_what_is_beyond_float) {
  Case of(Metric::euclidean, Store::float32, 8, 0.0);
  std::fill_n(of.rows.begin(), 8, 3e30F);
  of.store_rows();
  const PackedQueries packed(of.block(), std::vector<float>(8));
  std::size_t beyond = 0;
  packed.scan(
      of.stored(), [](std::size_t) { return 1.0F; },
      [&](std::size_t, std::size_t row, PackedQueries::Bounds bounds) {
        if (row > 0) return;
        ++beyond;
        CHECK(std::isinf(bounds.low) && bounds.low < 0 && std::isinf(bounds.high) && bounds.high > 0);
      });
  CHECK(beyond == Case::kQueries, beyond);
}
