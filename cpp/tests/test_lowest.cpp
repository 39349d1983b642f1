#include <algorithm>
#include <vector>

#include "check.hpp"
#include "engine/base/lowest.hpp"
#include "engine/base/random.hpp"

using namespace lookalike;

TEST(the_lowest_are_those_a_sort_gives) {
  Random random(4);
  std::vector<float> distances(1000);
  for (float& value : distances) value = static_cast<float>(random.bits() % 300);
  std::vector<Ranked> expected;
  for (std::uint32_t i = 0; i < 1000; ++i) expected.emplace_back(distances[i], 5 + i);
  std::sort(expected.begin(), expected.end());
  Lowest lowest;
  for (const std::size_t wanted : {0UL, 1UL, 10UL, 63UL, 500UL, 999UL, 1000UL, 2000UL}) {
    lowest.reset(wanted);
    for (std::uint32_t i = 0; i < 1000; i += 250) lowest.add(distances.data() + i, 250, 5 + i);
    const auto found = lowest.sorted();
    CHECK(found.size() == std::min<std::size_t>(wanted, 1000));
    CHECK(std::equal(found.begin(), found.end(), expected.begin()), wanted);
  }
}
