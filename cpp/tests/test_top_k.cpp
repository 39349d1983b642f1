#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/top_k.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<Found> nearest(std::vector<Found> all, std::size_t k, float max_key) {
  std::erase_if(all, [&](const Found& found) { return !(found.key <= max_key); });
  std::sort(all.begin(), all.end());
  all.resize(std::min(k, all.size()));
  return all;
}

bool same(const std::vector<Found>& a, const std::vector<Found>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Found& x, const Found& y) { return x.key == y.key && x.id == y.id; });
}

}  // namespace

TEST(top_k_keeps_what_a_sort_would_put_first_in_any_order_of_arrival) {
  std::mt19937 random(1);
  TopK top;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Found> all(random() % 40);
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {static_cast<float>(random() % 8), static_cast<std::int64_t>(i)};
    std::shuffle(all.begin(), all.end(), random);
    const std::size_t k = 1 + random() % 12;
    const float max_key = random() % 3 == 0 ? static_cast<float>(random() % 8) : kInf;
    top.reset(k, max_key);
    for (const Found& found : all) top.push(found.key, found.id);
    CHECK(same(top.sorted(), nearest(all, k, max_key)), "k", k, "of", all.size(), "up to", max_key);
  }
}

TEST(of_many_neighbours_the_nearest_are_kept_in_any_order_of_arrival) {
  std::mt19937 random(2);
  TopK top;
  for (int round = 0; round < 300; ++round) {
    std::vector<Found> all(random() % 1000);
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {static_cast<float>(random() % 200), static_cast<std::int64_t>(i)};
    std::shuffle(all.begin(), all.end(), random);
    const std::size_t k = 60 + random() % 100;
    const float max_key = random() % 3 == 0 ? static_cast<float>(random() % 200) : kInf;
    top.reset(k, max_key);
    for (const Found& found : all) top.push(found.key, found.id);
    const std::vector<Found> right = nearest(all, k, max_key);
    CHECK(top.kept().size() == right.size(), "k", k, "of", all.size());
    if (right.size() == k && all.size() > 2 * k && max_key == kInf) CHECK(!top.push(kInf, 1), "k", k);
    CHECK(same(top.sorted(), right), "k", k, "of", all.size(), "up to", max_key);
  }
}

TEST(a_run_of_many_equals_with_ascending_ids_ends_early) {
  TopK top;
  top.reset(100, kInf);
  std::int64_t pushed = 0;
  while (top.push(1.0F, pushed)) ++pushed;
  CHECK(pushed == 200, pushed);
  CHECK(top.sorted().size() == 100 && top.sorted().back().id == 99);
}

TEST(top_k_drops_nan_and_admits_what_is_equal_to_the_limit) {
  TopK top;
  top.reset(3, 1.0F);
  top.push(std::nanf(""), 1);
  top.push(1.0F, 2);
  top.push(std::nextafter(1.0F, 2.0F), 3);
  top.push(-kInf, 4);
  CHECK(same(top.sorted(), {{-kInf, 4}, {1.0F, 2}}));
  top.reset(1, kInf);
  top.push(kInf, 7);
  CHECK(same(top.sorted(), {{kInf, 7}}));
}
