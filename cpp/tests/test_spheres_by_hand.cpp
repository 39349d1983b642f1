// Spheres whose columns are written by hand.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/hash/hash_scratch.hpp"
#include "engine/hash/spheres.hpp"

using namespace lookalike;

namespace {

std::vector<std::uint32_t> ordered(const Spheres& spheres, const float* query, std::size_t want) {
  HashScratch scratch;
  std::vector<Near> nearest;
  spheres.order(query, want, scratch, nearest);
  std::vector<std::uint32_t> buckets;
  for (const Near& near : nearest) buckets.push_back(near.bucket);
  return buckets;
}

/// 10 groups of 30 centres, of which 10 lie at −1, 10 at 0 and 10 at 1 (times `size`) from that of their
/// group, in no order of their numbers.
Spheres spheres_of_equals(float size) {
  std::vector<float> group_centres, centres;
  std::vector<std::uint32_t> starts{0};
  for (std::uint32_t group = 0; group < 10; ++group) {
    group_centres.push_back(size * 10 * static_cast<float>(group * 7 % 10));
    for (std::uint32_t i = 0; i < 30; ++i)
      centres.push_back(group_centres.back() + size * (static_cast<float>(i * 7 % 3) - 1));
    starts.push_back(30 * (group + 1));
  }
  return {1, Column<float>(group_centres), Column<std::uint32_t>(starts), Column<float>(centres)};
}

}  // namespace

TEST(equally_near_buckets_come_by_number) {
  const std::vector<float> centres = {1, -1, 1, -1, 3, 1};
  const Spheres spheres(1, Column(Array<float>{0, 0}), Column(Array<std::uint32_t>{0, 4, 6}),
                        Column<float>(centres));
  const float query = 0;
  CHECK(ordered(spheres, &query, 6) == std::vector<std::uint32_t>({0, 1, 2, 3, 5, 4}));
}

TEST(part_of_an_order_is_by_number_where_many_are_equally_near) {
  for (const float size : {1.0F, 1e-12F, 1e-19F, 1e15F}) {  // squares of 1e-19 are next to nothing
    const Spheres spheres = spheres_of_equals(size);
    const float query = -3 * size;
    const auto all = ordered(spheres, &query, 300);
    for (std::size_t want : {1U, 5U, 10U, 11U, 64U, 150U, 299U})
      CHECK(ordered(spheres, &query, want) == std::vector<std::uint32_t>(all.begin(), all.begin() + want),
            size, want);
  }
}

TEST(an_order_with_keys_beyond_float_names_different_buckets) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const float strange : {kInf, -kInf, kNan, 3e38F, -3e38F, 1e-45F, 1e19F, -2e19F})
    for (const std::size_t every : {1U, 2U, 30U, 299U})
      for (const float query : {0.0F, -3.0F, 2e19F, 3e38F, -kInf, kNan}) {
        const Spheres usual = spheres_of_equals(1);
        std::vector<float> group_centres(usual.group_centres().begin(), usual.group_centres().end());
        std::vector<float> centres(usual.centres().begin(), usual.centres().end());
        for (std::size_t i = 0; i < 300; i += every) centres[i] = strange;
        for (std::size_t i = 0; i < 10; i += every) group_centres[i] = strange;
        for (const auto& middles : {group_centres, std::vector<float>(10)})
          for (const std::size_t want : {1U, 40U, 299U, 300U}) {
            auto order = ordered(Spheres(1, Column<float>(middles), Column<std::uint32_t>(usual.starts()),
                                         Column<float>(centres)),
                                 &query, want);
            std::sort(order.begin(), order.end());
            CHECK(order.size() == want && order.back() < 300, strange, every, query, want, order.size());
            CHECK(std::adjacent_find(order.begin(), order.end()) == order.end(), strange, every, query, want);
          }
      }
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
