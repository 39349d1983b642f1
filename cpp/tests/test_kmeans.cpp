#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <set>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/hash/kmeans.hpp"

using namespace lookalike;

TEST(k_means_finds_clusters_that_lie_far_apart) {
  Random random(1);
  std::vector<float> rows;
  for (int i = 0; i < 600; ++i)
    for (int j = 0; j < 2; ++j)
      rows.push_back(static_cast<float>(100 * (i % 6) * (j + 1) + random.gaussian()));
  std::vector<float> centres = k_means(rows.data(), 600, 2, 6, 5, 1, {});
  CHECK(centres.size() == 12, centres.size());
  std::set<long> found;
  for (std::size_t c = 0; c < 6; ++c) {
    found.insert(std::lround(centres[2 * c] / 100));
    CHECK(std::abs(centres[2 * c + 1] - 2 * centres[2 * c]) < 2);
  }
  CHECK(found == std::set<long>({0, 1, 2, 3, 4, 5}));
}

TEST(k_means_gives_every_different_row_a_centre_where_it_can) {
  std::vector<float> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back(i < 990 ? 0.0F : static_cast<float>(i % 4));
  std::vector<float> centres = k_means(rows.data(), 1000, 1, 50, 3, 1, {});
  std::sort(centres.begin(), centres.end());
  CHECK(centres == std::vector<float>({0, 1, 2, 3}), centres.size());
}

TEST(the_nearest_centre_is_the_first_of_equal_ones) {
  const std::vector<float> centres = {5, 1, -1, 1, 9}, rows = {0, 1, 7, 100};
  std::vector<float> squared(4);
  std::vector<std::uint32_t> nearest(4);
  nearest_centres(rows.data(), 4, 1, centres.data(), 5, squared.data(), nearest.data());
  CHECK(nearest == std::vector<std::uint32_t>({1, 1, 0, 4}));
  CHECK(squared == std::vector<float>({1, 0, 4, 91 * 91}));
}

TEST(drawn_numbers_are_different_ascend_and_cover_the_range) {
  Random random(2);
  for (const std::size_t count : {1UL, 2UL, 10UL, 4294967295UL})
    for (const std::size_t wanted : {1UL, 9UL, 10UL, 11UL}) {
      const auto drawn = draw(count, wanted, random);
      CHECK(drawn.size() == std::min(count, wanted));
      CHECK(drawn.back() < count);
      CHECK(std::is_sorted(drawn.begin(), drawn.end(), std::less_equal<>()));
      if (wanted > 1 && count > 1) CHECK(drawn.front() < count / 2 && drawn.back() >= count / 2);
    }
}

TEST(a_partition_lists_every_row_once) {
  const std::vector<std::uint32_t> part_of_row = {2, 0, 2, 3, 0, 2};
  const Partition partition(part_of_row, 5);
  const auto holds = [&](std::uint32_t part, std::initializer_list<std::uint32_t> rows) {
    return std::equal(partition[part].begin(), partition[part].end(), rows.begin(), rows.end());
  };
  CHECK(partition.parts() == 5);
  CHECK(holds(0, {1, 4}) && holds(1, {}) && holds(2, {0, 2, 5}) && holds(3, {3}) && holds(4, {}));
}
