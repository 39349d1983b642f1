#include <cmath>
#include <numbers>
#include <vector>

#include "check.hpp"
#include "engine/hyperplanes.hpp"
#include "engine/random.hpp"

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
  family.margins(origin, 1.0F, a.data());
  for (const double angle : {0.1, 1.0, 2.0, 3.0}) {
    const float turned[] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
    family.margins(turned, 7.0F, b.data());
    double same = 0;
    for (std::uint32_t table = 0; table < 256; ++table) {
      const std::size_t first = std::size_t{table} * 24;
      std::uint32_t different = family.code(a.data() + first) ^ family.code(b.data() + first);
      for (int bit = 0; bit < 24; ++bit, different >>= 1) same += 1 - (different & 1U);
    }
    const double trials = 256 * 24, expected = 1 - angle / std::numbers::pi;
    CHECK(std::abs(same / trials - expected) < 5 * std::sqrt(expected * (1 - expected) / trials), angle,
          same / trials);
  }
}

TEST(hyperplanes_go_through_their_centre) {
  const std::vector<float> centre = {30.0F, -20.0F, 10.0F};
  const Hyperplanes family(3, 8, 10, 1, centre);
  std::vector<float> margins(family.planes());
  family.margins(centre.data(), 1.0F, margins.data());
  for (const float margin : margins) CHECK(std::abs(margin) < 1e-4F, margin);
  const float half[] = {15.0F, -10.0F, 5.0F};
  family.margins(half, 2.0F, margins.data());
  for (const float margin : margins) CHECK(std::abs(margin) < 1e-4F, margin);
}

TEST(a_margin_is_the_distance_from_the_hyperplane) {
  const Hyperplanes family(4, 2, 3, 8);
  const float vector[] = {1.0F, 2.0F, -3.0F, 0.5F};
  float margins[6];
  family.margins(vector, 0.5F, margins);
  for (std::size_t plane = 0; plane < 6; ++plane) {
    double dot = 0, square = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const double normal{family.normals()[plane * 4 + i]};
      dot += normal * double{vector[i]};
      square += normal * normal;
    }
    CHECK(std::abs(square - 1) < 1e-6, square);
    CHECK(std::abs(0.5 * dot - double{margins[plane]}) < 1e-6);
  }
  const std::vector<float> signs = {-1.0F, 0.0F, 0.25F};
  CHECK(family.code(signs.data()) == 0b100);
}
