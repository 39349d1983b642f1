// A limit that leaves about as many values as are wanted, of values of any kind.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/limit_for.hpp"

using namespace lookalike;

namespace {

constexpr float kEndless = std::numeric_limits<float>::infinity();

std::size_t below(std::vector<float> values, std::size_t least, std::size_t most, float above = kEndless) {
  const std::size_t count = values.size();
  values.resize(count + kept_slack, -kEndless);
  const float limit = limit_for({values.data(), count}, least, most, above);
  CHECK(limit <= above, limit);
  return static_cast<std::size_t>(std::count_if(values.begin(),
                                                values.begin() + static_cast<std::ptrdiff_t>(count),
                                                [=](float value) { return value < limit; }));
}

}  // namespace

TEST(a_limit_leaves_as_many_as_are_wanted) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  for (const float power : {1.0F, 4.0F, 12.0F})  // from evenly spread to a few far outliers
    for (std::size_t count = 2; count < 1000; count = count * 3 / 2 + 1) {
      std::vector<float> values(count);
      for (float& value : values)
        value = std::pow(std::abs(normal(random)), power) * (count % 2 == 0 ? 1.0F : -1.0F);
      for (const std::size_t least : {std::size_t{1}, count / 4 + 1, count - 1})
        for (const std::size_t spare : {std::size_t{0}, least / 8, least}) {
          const std::size_t left = below(values, least, least + spare);
          CHECK(left >= least && left <= least + spare, power, count, least, spare, left);
        }
    }
}

TEST(where_many_are_equal_a_limit_leaves_no_fewer_than_are_wanted) {
  for (const std::size_t equal : {0U, 5U, 50U, 99U}) {
    std::vector<float> values(equal, 2.0F);
    for (std::size_t i = equal; i < 100; ++i) values.push_back(i % 2 == 0 ? 1.0F : 3.0F);
    for (std::size_t least = 1; least < 100; ++least)
      CHECK(below(values, least, least) >= least, equal, least);
  }
  CHECK(below({1.0F, 1.0F, 1.0F}, 1, 1) == 3);
  CHECK(below({1.0F, 2.0F, 3.0F}, 3, 3, 3.5F) == 3);
}

TEST(infinite_values_do_not_keep_a_limit_from_its_end) {
  CHECK(below({-kEndless, 0.0F, 1.0F, 2.0F}, 2, 2) >= 2);
  CHECK(below({-3e38F, 0.0F, 1.0F, 3e38F}, 2, 2) >= 2);
  CHECK(below({-kEndless, -kEndless, -kEndless}, 1, 1) == 3);
}
