#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLimits[]{-kInf, -0.0F, 0.0F, 3.0F, 100.0F, kInf, kNan};

using Random = std::mt19937_64;

/// Many ties, and now and then an infinity or a NaN.
float value(Random& random) {
  const float strange[]{kNan, -kNan, kInf, -kInf, -0.0F, 0x1p-149F};
  return random() % 9 == 0 ? strange[random() % 6] : static_cast<float>(random() % 9) - 2.0F;
}

}  // namespace

TEST(count_below_counts_every_value_below_and_nothing_of_the_slack) {
  Random random(1);
  for (std::size_t n = 0; n <= 130; ++n) {
    Guarded<float> values(n + kept_slack);
    for (float& each : values) each = value(random);
    for (const float limit : kLimits) {
      std::size_t below = 0;
      for (std::size_t i = 0; i < n; ++i) below += values[i] < limit;
      for (const auto level : available_levels())
        CHECK(kernels_for(level)->count_below(values.data(), n, limit) == below, level, "n", n, "limit",
              limit);
    }
  }
}

TEST(the_kth_lowest_is_that_of_a_sort) {
  Random random(4);
  for (std::size_t n = 1; n <= 70; ++n) {
    Guarded<float> values(n + kept_slack);
    for (float& each : values) each = static_cast<float>(random() % 40) - 20.0F;
    for (std::size_t i = 0; i < n; i += 7) values[i] = random() % 2 ? kInf : -kInf;
    std::vector<float> sorted(values.begin(), values.begin() + n);
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t k = 1; k <= n; ++k)
      for (const auto level : available_levels())
        CHECK(kernels_for(level)->kth_lowest(values.data(), n, k) == sorted[k - 1], level, "n", n, "k", k);
  }
}

TEST(copy_below_copies_the_values_below_in_order) {
  Random random(3);
  for (std::size_t n = 0; n <= 130; ++n) {
    Guarded<float> values(n + kept_slack);
    for (float& each : values) each = value(random);
    for (const float limit : kLimits) {
      std::vector<std::uint32_t> expected;
      for (std::size_t i = 0; i < n; ++i)
        if (values[i] < limit) expected.push_back(std::bit_cast<std::uint32_t>(values[i]));
      for (const auto level : available_levels()) {
        Guarded<float> out(n + kept_slack);
        const std::size_t kept = kernels_for(level)->copy_below(values.data(), n, limit, out.data());
        CHECK(kept == expected.size(), level, "n", n, "limit", limit, "kept", kept);
        for (std::size_t i = 0; i < kept; ++i)
          CHECK(std::bit_cast<std::uint32_t>(out[i]) == expected[i], level, "n", n, "limit", limit, "at", i);
        std::copy(values.begin(), values.end(), out.begin());  // and where they lie
        CHECK(kernels_for(level)->copy_below(out.data(), n, limit, out.data()) == expected.size());
        for (std::size_t i = 0; i < kept; ++i) CHECK(std::bit_cast<std::uint32_t>(out[i]) == expected[i]);
      }
    }
  }
}

TEST(keep_below_keeps_values_and_numbers_in_order) {
  Random random(2);
  for (std::size_t n = 0; n <= 130; ++n)
    for (const float limit : kLimits)
      for (const auto level : available_levels()) {
        Guarded<float> values(n + kept_slack);
        Guarded<std::uint32_t> numbers(n + kept_slack);
        for (float& each : values) each = value(random);
        for (std::uint32_t& each : numbers) each = static_cast<std::uint32_t>(random());
        std::vector<std::uint32_t> expected, expected_numbers;
        for (std::size_t i = 0; i < n; ++i)
          if (values[i] < limit) {
            expected.push_back(std::bit_cast<std::uint32_t>(values[i]));
            expected_numbers.push_back(numbers[i]);
          }
        const std::size_t kept = kernels_for(level)->keep_below(values.data(), numbers.data(), n, limit);
        CHECK(kept == expected.size(), level, "n", n, "limit", limit, "kept", kept);
        for (std::size_t i = 0; i < kept; ++i)
          CHECK(std::bit_cast<std::uint32_t>(values[i]) == expected[i] && numbers[i] == expected_numbers[i],
                level, "n", n, "limit", limit, "at", i);
      }
}

TEST(extremes_are_the_lowest_and_the_highest_that_are_numbers) {
  Random random(4);
  for (std::size_t n = 0; n <= 130; ++n) {
    Guarded<float> values(n);
    for (float& each : values) each = value(random);
    float low = kInf, high = -kInf;
    for (const float each : values) {
      if (each < low) low = each;
      if (each > high) high = each;
    }
    for (const auto level : available_levels()) {
      float lowest = kNan, highest = kNan;
      kernels_for(level)->extremes(values.data(), n, &lowest, &highest);
      CHECK(lowest == low && highest == high, level, "n", n, lowest, highest);
    }
  }
}
