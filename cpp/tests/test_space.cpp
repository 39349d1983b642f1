#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/vectors.hpp"
#include "engine/projection/space.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kDim = 12;

std::vector<float> gaussian(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return sum;
}

std::vector<float> placed_row(const Space& space, const float* row, float scale) {
  std::vector<float> out(space.dim(), std::nanf(""));
  space.place_row(row, scale, out.data());
  return out;
}

std::vector<float> placed_query(const Space& space, const float* query, float scale) {
  std::vector<float> out(space.dim(), std::nanf(""));
  space.place_query(query, scale, out.data());
  return out;
}

double dot(const float* a, const float* b) {
  return std::inner_product(a, a + kDim, b, 0.0);
}

}  // namespace

TEST(under_the_euclidean_metrics_vectors_lie_where_they_are) {
  const auto row = gaussian(kDim, 1);
  for (const Metric metric : {Metric::euclidean, Metric::sqeuclidean}) {
    const Space space(metric, kDim, 0.0F);
    CHECK(placed_row(space, row.data(), 1.0F) == row && placed_query(space, row.data(), 1.0F) == row);
  }
}

TEST(under_cosine_squared_distances_are_twice_the_distance) {
  const Space space(Metric::cosine, kDim, 0.0F);
  const auto rows = gaussian(2 * kDim, 2);
  const float *a = rows.data(), *b = a + kDim;
  for (const float size : {1e-14F, 1.0F, 1e17F}) {
    std::vector<float> large(a, a + kDim);
    for (float& value : large) value *= size;
    const auto x = placed_row(space, large.data(), inverse_norm(large.data(), kDim));
    const auto q = placed_query(space, b, inverse_norm(b, kDim));
    const double cosine = dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
    CHECK(std::abs(squared_distance(q, x) - 2 * (1 - cosine)) < 1e-6, size);
  }
}

TEST(under_dot_the_nearest_has_the_largest_inner_product_whatever_the_norms) {
  constexpr std::size_t kRows = 200;
  auto rows = gaussian(kRows * kDim, 3);
  const auto query = gaussian(kDim, 4);
  double largest = 0;
  for (std::size_t i = 0; i < kRows; ++i) {
    const float size = std::pow(10.0F, static_cast<float>(i % 7) - 3.0F);  // from a thousandth to a thousand
    for (std::size_t j = 0; j < kDim; ++j) rows[i * kDim + j] *= size;
    largest = std::max(largest, std::sqrt(dot(rows.data() + i * kDim, rows.data() + i * kDim)));
  }
  const Space space(Metric::dot, kDim, static_cast<float>(largest));
  CHECK(space.dim() == kDim + 1);
  const double query_norm = std::sqrt(dot(query.data(), query.data()));
  for (const float times : {1.0F, 1e-15F, 1e15F}) {  // of the query, which must not matter
    std::vector<float> scaled = query;
    for (float& value : scaled) value *= times;
    const auto q = placed_query(space, scaled.data(), 1.0F);
    for (std::size_t i = 0; i < kRows; ++i) {
      const float* row = rows.data() + i * kDim;
      const auto x = placed_row(space, row, 1.0F);
      CHECK(std::abs(dot(x.data(), x.data()) + std::pow(double{x[kDim]}, 2) - 1) < 1e-5, i);
      const double expected = 2 - 2 * dot(query.data(), row) / (largest * query_norm);
      CHECK(std::abs(squared_distance(q, x) - expected) < 1e-5, i);
    }
  }
}

TEST(under_dot_vectors_of_zeros_and_the_longest_are_placed_on_the_sphere) {
  const std::vector<float> zeros(kDim);
  std::vector<float> longest(kDim);
  longest[3] = 5.0F;
  const Space space(Metric::dot, kDim, 5.0F);
  auto expected = zeros;
  expected.push_back(1.0F);
  CHECK(placed_row(space, zeros.data(), 1.0F) == expected);
  CHECK(placed_row(space, longest.data(), 1.0F)[3] == 1.0F &&
        placed_row(space, longest.data(), 1.0F)[kDim] == 0.0F);
  CHECK(placed_query(space, zeros.data(), 1.0F) == std::vector<float>(kDim + 1));
  const Space all_zeros(Metric::dot, kDim, 0.0F);
  CHECK(placed_row(all_zeros, zeros.data(), 1.0F) == expected);
}

TEST(under_dot_the_shortest_rows_stay_finite) {
  for (const float size : {1e-20F, 1e-30F, 1e-40F}) {
    const Space space(Metric::dot, kDim, size);
    std::vector<float> row(kDim);
    row[0] = size;
    for (const float value : placed_row(space, row.data(), 1.0F)) CHECK(std::isfinite(value), size);
  }
}
