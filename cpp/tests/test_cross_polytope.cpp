#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/hash/cross_polytope.hpp"
#include "engine/projection/rotation.hpp"

using namespace lookalike;

namespace {

std::vector<std::uint32_t> codes_of(const CrossPolytope& functions, const float* vector) {
  std::vector<float> scratch;
  ProbeOrder order;
  functions.look(vector, scratch, order);
  std::vector<std::uint32_t> codes;
  for (std::uint32_t table = 0; table < functions.tables(); ++table) codes.push_back(order.own_code(table));
  return codes;
}

}  // namespace

TEST(a_shape_has_about_as_many_codes_as_asked_for_and_never_more) {
  for (const std::size_t dim : {1U, 2U, 4U, 17U, 100U, 1024U})
    for (const std::size_t codes : {2U, 3U, 7U, 8U, 100U, 5000U, 1U << 24}) {
      const PolytopeShape shape = PolytopeShape::for_codes(dim, codes);
      CHECK(shape.width >= dim && shape.width < dim + 4 && shape.width % 4 == 0);
      CHECK(shape.digits >= 1 && shape.last_width >= 1 && shape.last_width <= shape.width);
      CHECK(shape.codes() <= codes && 2 * std::size_t{shape.codes()} > codes, dim, codes, shape.codes());
    }
  CHECK(PolytopeShape({1024, 8, 1024}).codes() == UINT32_MAX);
}

// A rotation turns the vertices into columns that are perpendicular: the vertex itself has the code, its
// opposite the neighbouring one, and all 2 · width of them have different codes.
TEST(vertices_have_codes_of_their_own) {
  constexpr std::uint32_t kWidth = 12;
  const CrossPolytope functions(kWidth, 1, {kWidth, 1, kWidth}, 7);
  const Rotation rotation = [] {
    Random random(7);
    return Rotation(kWidth, random.bits());
  }();
  std::vector<std::vector<float>> columns(kWidth, std::vector<float>(kWidth));
  for (std::size_t i = 0; i < kWidth; ++i) {
    std::vector<float> axis(kWidth);
    axis[i] = 1.0F;
    rotation.apply(axis.data());
    for (std::size_t j = 0; j < kWidth; ++j) columns[j][i] = axis[j];  // the inverse: rotation's row j
  }
  for (std::uint32_t j = 0; j < kWidth; ++j) {
    CHECK(codes_of(functions, columns[j].data())[0] == 2 * j, j);
    for (float& value : columns[j]) value *= -3.0F;
    CHECK(codes_of(functions, columns[j].data())[0] == 2 * j + 1, j);
  }
}

TEST(near_vectors_share_more_codes_than_far_ones) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const CrossPolytope functions(20, 64, PolytopeShape::for_codes(20, 60), 1);
  std::vector<std::size_t> shared;
  for (const float noise : {0.0F, 0.2F, 0.6F, 2.0F}) {
    std::size_t same = 0;
    for (int pair = 0; pair < 50; ++pair) {
      std::vector<float> a(20), b(20);
      for (std::size_t i = 0; i < 20; ++i) a[i] = normal(random), b[i] = a[i] + noise * normal(random);
      const auto of_a = codes_of(functions, a.data()), of_b = codes_of(functions, b.data());
      for (std::size_t table = 0; table < 64; ++table) same += of_a[table] == of_b[table] ? 1U : 0U;
    }
    shared.push_back(same);
  }
  CHECK(shared[0] == 64 * 50 && std::ranges::is_sorted(shared, std::greater()), shared[1], shared[2],
        shared[3]);
  CHECK(shared[1] > 2 * shared[3], shared[1], shared[3]);
}

TEST(lengths_do_not_matter_and_the_seed_decides) {
  const PolytopeShape shape = PolytopeShape::for_codes(5, 60);
  const CrossPolytope one(5, 8, shape, 1), same(5, 8, shape, 1), other(5, 8, shape, 2);
  std::vector<float> vector = {1, 0.5F, -2, 0.25F, 3};
  const auto codes = codes_of(one, vector.data());
  for (float& value : vector) value *= 100.0F;
  CHECK(codes_of(same, vector.data()) == codes);
  CHECK(codes_of(other, vector.data()) != codes);
}

// What a probe leaves of the rotated vector's largest coordinates, squared, ascends.
TEST(probes_come_by_what_they_leave_of_the_largest_coordinates) {
  const CrossPolytope functions(8, 2, {8, 2, 3}, 5);
  const std::vector<float> vector = {1, -2, 0.5F, 3, -0.1F, 0.7F, 2.2F, -1};
  std::vector<float> scratch;
  ProbeOrder order;
  functions.look(vector.data(), scratch, order);
  Random random(5);
  std::vector<std::vector<float>> turned;
  for (int i = 0; i < 4; ++i) Rotation(8, random.bits()).apply(turned.emplace_back(vector).data());
  const auto left = [](const std::vector<float>& x, std::size_t width, std::uint32_t vertex) {
    double most = 0;
    for (std::size_t i = 0; i < width; ++i) most = std::max(most, std::abs(double{x[i]}));
    return std::pow(most - (vertex % 2 == 0 ? 1 : -1) * double{x[vertex / 2]}, 2.0);
  };
  order.start();
  Probe probe{};
  double last = 0;
  std::size_t count = 0;
  for (; order.next(probe); ++count) {
    CHECK(probe.code < functions.codes());
    const double now = left(turned[2 * probe.table], 8, probe.code % 16) +
                       left(turned[2 * probe.table + 1], 3, probe.code / 16);
    CHECK(now >= last - 1e-4, now, last);
    last = now;
  }
  CHECK(count == 2 * functions.codes() && functions.codes() == 16 * 6);
}
