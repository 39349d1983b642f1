// The candidates against a sort of the whole stream.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/base/bits.hpp"
#include "engine/base/candidates.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
using Random = std::mt19937_64;
using Stream = std::vector<std::pair<float, std::uint32_t>>;  // estimates and numbers

/// What the scan of a bucket does: appends those below the limit.
std::size_t append_below_limit(Candidates& candidates, const Stream& stream, std::size_t begin,
                               std::size_t end) {
  float* estimates = candidates.estimates(end - begin);
  std::uint32_t* numbers = candidates.numbers();
  const float limit = candidates.limit();
  std::size_t appended = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (!(stream[i].first < limit)) continue;
    estimates[appended] = stream[i].first;
    numbers[appended++] = stream[i].second;
  }
  return appended;
}

Stream best_of(Stream stream, std::size_t keep) {
  std::erase_if(stream,
                [](const auto& one) { return !(one.first < kInf); });  // infinity is no estimate, nor NaN
  std::sort(stream.begin(), stream.end());
  stream.resize(std::min(keep, stream.size()));
  return stream;
}

Stream kept_by(const Candidates& candidates) {
  Stream kept;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    kept.emplace_back(candidates.kept_estimates()[i], candidates.kept()[i]);
  std::sort(kept.begin(), kept.end());
  return kept;
}

void feed(Candidates& candidates, const Stream& stream, std::size_t keep, std::size_t most_at_once,
          Random& random, const Bits* allowed = nullptr) {
  candidates.start(keep);
  for (std::size_t begin = 0; begin < stream.size();) {
    const std::size_t end = std::min<std::size_t>(stream.size(), begin + random() % (most_at_once + 1));
    const std::size_t appended = append_below_limit(candidates, stream, begin, end);
    allowed != nullptr ? candidates.take(appended, [&](std::uint32_t i) { return (*allowed)[i]; })
                       : candidates.take(appended);
    CHECK(candidates.size() < 4 * keep + Candidates::kSlack);
    begin = end;
  }
  candidates.finish();
}

Stream stream_of(std::size_t count, Random& random, const std::function<float(std::size_t)>& estimate) {
  Stream stream;
  for (std::uint32_t i = 0; i < count; ++i) stream.emplace_back(estimate(i), i);
  for (std::size_t i = count; i > 1; --i) std::swap(stream[i - 1].second, stream[random() % i].second);
  return stream;
}

std::vector<Stream> streams_of(std::size_t count, Random& random) {
  const auto draw = [&] { return static_cast<float>(random() % 100'000) - 30'000.0F; };
  std::vector<Stream> streams;
  streams.push_back(stream_of(count, random, [&](std::size_t) { return draw(); }));
  streams.push_back(stream_of(count, random, [&](std::size_t i) { return static_cast<float>(i); }));
  streams.push_back(stream_of(count, random, [&](std::size_t i) { return -static_cast<float>(i); }));
  streams.push_back(stream_of(count, random, [&](std::size_t) { return 1.5F; }));
  streams.push_back(stream_of(count, random, [&](std::size_t) { return random() % 4 != 0 ? 7.0F : draw(); }));
  streams.push_back(stream_of(count, random, [&](std::size_t) { return static_cast<float>(random() % 3); }));
  streams.push_back(stream_of(
      count, random, [&](std::size_t) { return 1.0F + 0x1p-23F * static_cast<float>(random() % 2); }));
  streams.push_back(
      stream_of(count, random, [&](std::size_t) { return 0x1p-149F * static_cast<float>(random() % 5); }));
  streams.push_back(stream_of(count, random, [&](std::size_t) {
    const float strange[]{kInf, -kInf, std::numeric_limits<float>::quiet_NaN(), 3.4e38F, -3.4e38F,
                          0.0F, -0.0F};
    return random() % 2 != 0 ? strange[random() % 7] : draw();
  }));
  return streams;
}

}  // namespace

TEST(candidates_are_the_first_of_the_sorted_stream) {
  Random random(1);
  Candidates candidates;
  for (const std::size_t count : {0U, 1U, 31U, 200U, 3000U})
    for (const Stream& stream : streams_of(count, random))
      for (const std::size_t keep : {1U, 2U, 10U, 100U, 1000U, 5000U}) {
        feed(candidates, stream, keep, 300, random);
        CHECK(kept_by(candidates) == best_of(stream, keep), "count", count, "keep", keep);
      }
}

TEST(candidates_are_the_same_in_any_order_of_the_stream) {
  Random random(2);
  Candidates candidates;
  for (Stream stream : streams_of(2000, random)) {
    const Stream expected = best_of(stream, 50);
    for (int order = 0; order < 5; ++order) {
      std::shuffle(stream.begin(), stream.end(), random);
      feed(candidates, stream, 50, 64, random);
      CHECK(kept_by(candidates) == expected);
    }
  }
}

TEST(candidates_are_only_rows_that_are_allowed) {
  Random random(3);
  Candidates candidates;
  for (const unsigned one_in : {1U, 2U, 50U, 5000U})
    for (const Stream& stream : streams_of(3000, random)) {
      Bits allowed(3000, false);
      for (std::size_t i = 0; i < 3000; ++i)
        if (random() % one_in == 0) allowed.set(i);
      Stream those;
      for (const auto& one : stream)
        if (allowed[one.second]) those.push_back(one);
      feed(candidates, stream, 20, 300, random, &allowed);
      CHECK(kept_by(candidates) == best_of(those, 20), one_in);
    }
}

TEST(the_limit_never_excludes_one_of_the_best) {
  Random random(4);
  Candidates candidates;
  for (const Stream& stream : streams_of(3000, random)) {
    candidates.start(40);
    for (std::size_t begin = 0; begin < stream.size(); begin += 100) {
      candidates.take(append_below_limit(candidates, stream, begin, begin + 100));
      const Stream best =
          best_of(Stream(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(begin + 100)), 40);
      if (!best.empty()) CHECK(best.back().first < candidates.limit());
    }
  }
}

TEST(candidates_may_be_those_that_miss_so_large_a_share_of_the_k_nearest) {
  Random random(5);
  Candidates candidates;
  constexpr std::size_t kCount = 3000, kAtOnce = 100;
  constexpr float kError = 500.0F;
  for (const std::size_t k : {1U, 10U, 100U})
    for (const float missed : {1.0F, 0.4F, 0.05F, 1e-5F})
      for (const std::size_t since : {std::size_t{0}, std::size_t{1000}, kCount}) {
        const Stream stream = stream_of(
            kCount, random, [&](std::size_t) { return static_cast<float>(random() % 100'000) - 30'000.0F; });
        candidates.start(kCount, k);
        for (std::size_t begin = 0; begin < kCount; begin += kAtOnce) {
          if (begin >= since) candidates.keep_within(kError, missed);
          candidates.take(append_below_limit(candidates, stream, begin, begin + kAtOnce));
        }
        candidates.keep_within(kError, missed);
        candidates.finish();
        const Stream all = best_of(stream, kCount);
        const float kth = all[k - 1].first;
        const auto within = [&](float limit) {
          return static_cast<std::size_t>(
              std::ranges::count_if(all, [=](const auto& one) { return one.first < limit; }));
        };
        const float beyond = kError * Crowd(within(kth + kError), k).errors_beyond(missed);
        const std::size_t wanted = within(std::max(kth + beyond, std::nextafter(kth, kInf)));
        const Stream kept = kept_by(candidates);
        CHECK(kept == best_of(stream, kept.size()) && kept.size() <= wanted, k, missed, since, wanted);
        // Where more are near in the end than in between, the last of them were left out there; none within
        // an error.
        const std::size_t least = since == kCount ? wanted : within(kth + beyond - 0.5F * kError);
        CHECK(kept.size() >= std::max(least, k), k, missed, since, wanted, kept.size());
        CHECK(kept.size() >= within(kth + std::min(beyond, kError)), k, missed, since, wanted, kept.size());
      }
}
