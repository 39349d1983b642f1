#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/rank_in.hpp"

using namespace lookalike;

TEST(a_number_belongs_behind_those_that_are_at_most_it) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 70; ++size) {
    std::vector<float> ascending(size);
    for (float& each : ascending) each = static_cast<float>(random() % 20);
    std::ranges::sort(ascending);
    if (size % 3 == 1) ascending.back() = std::numeric_limits<float>::infinity();
    std::vector<float> values = ascending;
    for (int i = -1; i <= 20; ++i) values.push_back(static_cast<float>(i) + 0.5F);
    for (const float special :
         {0.0F, -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()})
      values.push_back(special);
    for (const float value : values) {
      const auto above = std::upper_bound(ascending.begin(), ascending.end(), value);
      CHECK(rank_in(ascending, value) == static_cast<std::size_t>(above - ascending.begin()), size, value);
    }
  }
}
