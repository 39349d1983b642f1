#include <cmath>
#include <numbers>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/hash/hyperplanes.hpp"

using namespace lookalike;

TEST(random_numbers_are_gaussian) {
  Random random(3);
  constexpr int kCount = 200'000;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.gaussian();
    CHECK(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  const double error = 1 / std::sqrt(double{kCount});
  CHECK(std::abs(sum / kCount) < 5 * error, sum / kCount);
  CHECK(std::abs(squares / kCount - 1) < 5 * std::sqrt(2) * error, squares / kCount);
  CHECK(std::abs(fourth / kCount - 3) < 5 * std::sqrt(96) * error, fourth / kCount);
}

// In a plane the angle between a normal and the first axis is uniform, so every bit is its own trial.
TEST(a_bit_collides_with_probability_1_minus_angle_over_pi) {
  const Hyperplanes family(2, 256, 24, 5);
  std::vector<float> a(family.planes()), b(family.planes());
  const float origin[] = {1.0F, 0.0F};
  family.margins(origin, a.data());
  for (const double angle : {0.1, 1.0, 2.0, 3.0}) {
    const float turned[] = {static_cast<float>(7 * std::cos(angle)), static_cast<float>(7 * std::sin(angle))};
    family.margins(turned, b.data());
    double same = 0;
    for (std::size_t plane = 0; plane < family.planes(); ++plane)
      same += (a[plane] > 0) == (b[plane] > 0) ? 1 : 0;
    const double trials = 256 * 24, expected = 1 - angle / std::numbers::pi;
    CHECK(std::abs(same / trials - expected) < 5 * std::sqrt(expected * (1 - expected) / trials), angle,
          same / trials);
  }
}

TEST(a_margin_is_the_distance_from_the_hyperplane) {
  const Hyperplanes family(4, 2, 3, 8);
  const float vector[] = {1.0F, 2.0F, -3.0F, 0.5F};
  float margins[6];
  family.margins(vector, margins);
  for (std::size_t plane = 0; plane < 6; ++plane) {
    double dot = 0, square = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const double normal{family.normals()[plane * 4 + i]};
      dot += normal * double{vector[i]};
      square += normal * normal;
    }
    CHECK(std::abs(square - 1) < 1e-6, square);
    CHECK(std::abs(dot - double{margins[plane]}) < 1e-6);
  }
}

TEST(a_code_is_the_signs_of_its_margins_and_a_probe_costs_the_margins_it_crosses) {
  const Hyperplanes family(5, 3, 4, 2);
  const float vector[] = {0.3F, -1.0F, 2.0F, 0.1F, -0.4F};
  std::vector<float> margins(family.planes()), scratch;
  family.margins(vector, margins.data());
  ProbeOrder order;
  family.look(vector, scratch, order);
  for (std::uint32_t table = 0; table < 3; ++table)
    for (std::uint32_t bit = 0; bit < 4; ++bit)
      CHECK((order.own_code(table) >> bit & 1U) == (margins[table * 4 + bit] > 0 ? 1U : 0U));
  order.start();
  Probe probe{};
  double last = 0;
  std::size_t count = 0;
  for (; order.next(probe); ++count) {
    double crossed = 0;
    for (std::uint32_t bit = 0; bit < 4; ++bit)
      if (((probe.code ^ order.own_code(probe.table)) >> bit & 1U) != 0)
        crossed += std::pow(double{margins[probe.table * 4 + bit]}, 2);
    CHECK(crossed >= last - 1e-6, crossed, last);
    last = crossed;
  }
  CHECK(count == 3 * 16 && family.codes() == 16);
}
