#include <algorithm>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "check.hpp"
#include "engine/base/kth.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Random = std::mt19937_64;

/// Falling, rising, equal, of few values, and with infinities and NaN.
std::vector<float> stream_of(unsigned kind, std::size_t count, Random& random) {
  const float strange[]{kNan, -kNan, kInf, -kInf, -0.0F, 0x1p-149F};
  std::vector<float> stream(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto place = static_cast<float>(i), drawn = static_cast<float>(random() % 100'000) - 30'000.0F;
    const float kinds[]{-place, place,
                        2.0F,   static_cast<float>(random() % 3),
                        drawn,  random() % 2 ? drawn : strange[random() % 6]};
    stream[i] = kinds[kind];
  }
  return stream;
}

float expected(std::vector<float> seen, std::size_t k) {
  std::erase_if(seen, [](float each) { return !(each < kInf); });
  std::sort(seen.begin(), seen.end());
  return k == 0 || seen.size() < k ? kInf : seen[k - 1];
}

}  // namespace

TEST(the_kth_is_that_of_a_sort_in_any_chunks) {
  Random random(1);
  Kth kth;
  for (const std::size_t k : {0U, 1U, 10U, 100U})
    for (unsigned kind = 0; kind < 6; ++kind)
      for (const std::size_t most_at_once : {1U, 7U, 64U, 1000U}) {
        const auto with_slack = stream_of(kind, 1500 + kept_slack, random);
        const std::span stream(with_slack.data(), 1500);
        kth.reset(k);
        CHECK(kth.k() == k && kth.value() == kInf);
        for (std::size_t begin = 0; begin < stream.size();) {
          const std::size_t end = std::min(stream.size(), begin + random() % (most_at_once + 1));
          kth.push({stream.data() + begin, end - begin});
          begin = end;
          if (random() % 4 != 0 && begin < stream.size()) continue;
          const float now = kth.value();
          CHECK(now == expected({stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(begin)}, k),
                "k", k, "kind", kind, "after", begin, now);
          CHECK(kth.value() == now, "asking changes nothing");
        }
      }
}

TEST(a_kth_without_values_is_infinite) {
  Kth kth(3);
  kth.push({});
  CHECK(kth.value() == kInf);
  const std::vector<float> none(50 + kept_slack, kNan);
  kth.push({none.data(), 50});
  CHECK(kth.value() == kInf);
}
