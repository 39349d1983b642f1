#include <algorithm>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "check.hpp"
#include "engine/search/known_keys.hpp"

using namespace lookalike;

TEST(a_key_is_computed_once_and_found_again) {
  std::mt19937_64 random(1);
  const auto key_of = [](std::uint32_t row) { return 0.5F * static_cast<float>(row); };
  KnownKeys known;
  std::multiset<std::uint32_t> computed;
  std::set<std::uint32_t> asked;
  for (const std::size_t count : {0U, 1U, 3U, 255U, 256U, 257U, 2000U, 5U, 4000U}) {
    std::set<std::uint32_t> drawn;
    while (drawn.size() < count) drawn.insert(static_cast<std::uint32_t>(random() % 6000));
    std::vector<std::uint32_t> rows(drawn.begin(), drawn.end());
    std::ranges::shuffle(rows, random);
    asked.insert(rows.begin(), rows.end());
    std::vector<float> keys(count);
    known.find(rows, keys.data(), [&](std::span<const std::uint32_t> some, float* out) {
      for (const std::uint32_t row : some) *out++ = key_of(row);
      computed.insert(some.begin(), some.end());
    });
    CHECK(std::ranges::equal(keys, rows, {}, {}, key_of), count);
  }
  CHECK(std::ranges::equal(computed, asked), "each of them once");
}
