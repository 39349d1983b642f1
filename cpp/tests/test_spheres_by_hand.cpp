// Spheres whose columns are written by hand.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/hash/spheres.hpp"

using namespace lookalike;

namespace {

std::vector<std::uint32_t> ordered(const Spheres& spheres, const float* query, std::size_t want) {
  SpheresScratch scratch;
  std::vector<Near> nearest;
  spheres.order(query, want, scratch, nearest);
  std::vector<std::uint32_t> buckets;
  for (const Near& near : nearest) buckets.push_back(near.bucket);
  return buckets;
}

}  // namespace

TEST(equally_near_buckets_come_by_number) {
  const std::vector<float> centres = {1, -1, 1, -1, 3, 1};
  const Spheres spheres(1, Column(Array<float>{0, 0}), Column(Array<std::uint32_t>{0, 4, 6}),
                        Column<float>(centres));
  const float query = 0;
  CHECK(ordered(spheres, &query, 6) == std::vector<std::uint32_t>({0, 1, 2, 3, 5, 4}));
}

TEST(an_order_reaches_groups_beyond_a_small_one) {
  std::vector<float> group_centres, centres;
  std::vector<std::uint32_t> starts{0};
  for (std::uint32_t group = 0; group < 100; ++group) {  // 99 groups of one bucket, then one of 901
    group_centres.push_back(static_cast<float>(group));
    centres.resize(centres.size() + (group < 99 ? 1 : 901), static_cast<float>(group));
    starts.push_back(static_cast<std::uint32_t>(centres.size()));
  }
  const Spheres spheres(1, Column<float>(group_centres), Column<std::uint32_t>(starts),
                        Column<float>(centres));
  const float query = 0;
  CHECK(ordered(spheres, &query, 99).back() == 98);
  CHECK(ordered(spheres, &query, 500).size() == 500);
}

TEST(columns_that_do_not_fit_are_told) {
  const auto problem = [](std::size_t group_values, std::vector<std::uint32_t> starts, std::size_t values) {
    return Spheres(2, Column<float>(std::vector<float>(group_values)),
                   Column<std::uint32_t>(std::move(starts)), Column<float>(std::vector<float>(values)))
        .problem();
  };
  CHECK(problem(4, {0, 3, 5}, 10).empty());
  CHECK(!problem(2, {0, 3, 5}, 10).empty());
  CHECK(!problem(4, {0, 3, 5}, 9).empty());
  CHECK(!problem(4, {0, 6, 5}, 10).empty());
  CHECK(!problem(4, {1, 3, 5}, 10).empty());
  CHECK(!problem(0, {0}, 0).empty() && !problem(0, {}, 0).empty() && !problem(2, {0, 0}, 0).empty());
  CHECK(Spheres().buckets() == 0 && Spheres().groups() == 0);
}

TEST(the_number_of_buckets_grows_with_the_rows) {
  CHECK(buckets_for(0) == 1 && buckets_for(1) == 1 && buckets_for(4'096) == 40);
  CHECK(buckets_for(1'000'000) == 8'000 && buckets_for(100'000'000) == 80'000);
  std::uint32_t before = 0;
  for (std::size_t rows = 1; rows < 1UL << 32; rows *= 2) {
    CHECK(buckets_for(rows) >= before && buckets_for(rows) <= std::max<std::size_t>(1, rows / 64), rows);
    before = buckets_for(rows);
  }
}
