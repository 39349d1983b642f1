// The scan of centres at every level against the formula of kernels.hpp, centre by centre, in memory that
// ends where the blocks, the steps and the outputs end.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
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
constexpr std::uint32_t kFirst = 4'294'967'200U;  // the numbers pass 2^32

using Random = std::mt19937_64;

/// The largest step of which 127 · Σ|step| stays below 2^31.
int largest_step(std::size_t pairs) {
  constexpr std::size_t kMaxSum = std::numeric_limits<std::int32_t>::max();
  return static_cast<int>(
      std::min<std::size_t>(32767, kMaxSum / (127 * std::max<std::size_t>(2 * pairs, 1))));
}

/// Blocks of random codes and factors, and a query in random steps.
struct Centres {
  Centres(std::size_t pairs_, std::size_t count_, Random& random, std::size_t misaligned = 0)
      : pairs(pairs_),
        count(count_),
        steps(2 * pairs),
        memory(misaligned + (count + 15) / 16 * centre_block_bytes(pairs)),
        blocks(memory.data() + misaligned) {
    const int largest = largest_step(pairs);
    for (std::int16_t& each : steps)
      each = static_cast<std::int16_t>(static_cast<int>(random() % (2 * static_cast<unsigned>(largest) + 1)) -
                                       largest);
    for (std::uint8_t& byte : memory) byte = static_cast<std::uint8_t>(random() % 255 - 127);
    for (std::size_t i = 0; i < (count + 15) / 16 * 16; ++i) {
      set_factor(i, 0, static_cast<float>(random() % 4096) * 0.25F - 100.0F);
      set_factor(i, 1, static_cast<float>(random() % 4096) * 0x1.8p-10F);
    }
    step = 100.0F / (127.0F * static_cast<float>(largest));
  }

  std::uint8_t* block(std::size_t i) const { return blocks + i / 16 * centre_block_bytes(pairs); }
  std::uint8_t* factor(std::size_t i, std::size_t which) const {
    return block(i) + 32 * pairs + (which * 16 + i % 16) * sizeof(float);
  }
  void set_factor(std::size_t i, std::size_t which, float value) { std::memcpy(factor(i, which), &value, 4); }

  std::int64_t sum(std::size_t i) const {
    std::int64_t total = 0;
    for (std::size_t d = 0; d < 2 * pairs; ++d)
      total += std::int64_t{steps[d]} * static_cast<std::int8_t>(block(i)[d / 2 * 32 + i % 16 * 2 + d % 2]);
    return total;
  }

  /// volatile, so that no two operations become one that rounds once.
  float key(std::size_t i) const {
    float a, f;
    std::memcpy(&a, factor(i, 0), 4);
    std::memcpy(&f, factor(i, 1), 4);
    volatile float value = step * static_cast<float>(sum(i));
    value = f * value;
    const volatile float shifted = a + offset_of(i);
    return shifted - value;
  }

  /// Each block has an offset and a first number of its own, as if all were of different groups.
  float offset_of(std::size_t i) const { return offset + 0.7F * static_cast<float>(i / 16); }
  static std::uint32_t number_of(std::size_t i) {
    return kFirst + static_cast<std::uint32_t>(i / 16 * 1000 + i % 16);
  }
  std::vector<BlockToScan> list() const {
    std::vector<BlockToScan> list;
    for (std::size_t i = 0; i < count; i += 16)
      list.push_back({block(i), offset_of(i), number_of(i), static_cast<std::uint32_t>(count - i)});
    return list;
  }

  std::size_t pairs, count;
  float step, offset = 1.3F;
  Guarded<std::int16_t> steps;
  Guarded<std::uint8_t> memory;
  std::uint8_t* blocks;
};

/// Checks every level at this limit; returns how many it keeps.
std::size_t check_scan(const Centres& centres, float limit) {
  std::vector<float> keys;
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < centres.count; ++i)
    if (const float key = centres.key(i); key < limit) {
      keys.push_back(key);
      numbers.push_back(Centres::number_of(i));
    }
  for (const auto level : available_levels()) {
    Guarded<float> out(keys.size() + kept_slack);
    Guarded<std::uint32_t> out_numbers(keys.size() + kept_slack);
    const std::vector<BlockToScan> list = centres.list();
    const std::size_t kept = kernels_for(level)->scan_centres(
        {list.data(), list.size(), list.size()}, {centres.steps.data(), centres.pairs, centres.step}, limit,
        out.data(), out_numbers.data());
    CHECK(kept == keys.size(), level, "pairs", centres.pairs, "count", centres.count, "kept", kept);
    for (std::size_t i = 0; i < kept; ++i)
      CHECK(std::bit_cast<std::uint32_t>(out[i]) == std::bit_cast<std::uint32_t>(keys[i]) &&
                out_numbers[i] == numbers[i],
            level, "pairs", centres.pairs, "count", centres.count, "at", i, out[i], keys[i]);
  }
  return keys.size();
}

}  // namespace

TEST(a_scan_of_centres_keeps_the_keys_below_the_limit_for_every_count) {
  Random random(1);
  for (std::size_t count = 0; count <= 130; ++count)
    for (const std::size_t pairs : {1U, 2U, 13U, 64U}) {
      const Centres centres(pairs, count, random);
      for (const float limit : {-kInf, 0.0F, 300.0F, 600.0F, kInf, kNan}) check_scan(centres, limit);
      if (count == 130) CHECK(check_scan(centres, 300.0F) > 10 && check_scan(centres, 600.0F) < 120);
    }
}

TEST(a_scan_of_centres_adds_up_any_number_of_pairs) {
  Random random(2);
  for (std::size_t pairs = 0; pairs <= 70; ++pairs) check_scan(Centres(pairs, 53, random), kInf);
  for (std::size_t pairs = 505; pairs <= 515; ++pairs) check_scan(Centres(pairs, 37, random), kInf);
}

TEST(a_scan_of_centres_does_not_overflow_at_its_limits) {
  Random random(3);
  for (const std::size_t pairs : {1U, 32U, 258U, 259U, 512U, 515U})
    for (const int sign : {-1, 1})
      for (const int code : {-127, 127}) {
        Centres centres(pairs, 50, random);
        const int step = sign * largest_step(pairs);
        std::ranges::fill(centres.steps, static_cast<std::int16_t>(step));
        for (std::size_t i = 0; i < 50; ++i)
          std::fill_n(centres.block(i), 32 * pairs, static_cast<std::uint8_t>(code));
        CHECK(centres.sum(49) == std::int64_t{step} * code * static_cast<std::int64_t>(2 * pairs));
        check_scan(centres, kInf);
      }
}

TEST(a_scan_of_centres_reads_blocks_at_any_address) {
  Random random(4);
  for (const std::size_t misaligned : {1U, 2U, 3U, 4U, 17U, 63U})
    check_scan(Centres(12, 70, random, misaligned), 400.0F);
}

TEST(a_centre_at_the_limit_is_not_kept) {
  Random random(5);
  const Centres centres(12, 130, random);
  for (std::size_t i = 0; i < 130; ++i) check_scan(centres, centres.key(i));
}

TEST(centres_without_a_finite_key_are_kept_only_at_minus_infinity) {
  Random random(6);
  const float strange[]{kNan, kInf, -kInf};
  Centres centres(12, 128, random);
  for (std::size_t i = 0; i < 128; i += 2) centres.set_factor(i, random() % 2, strange[random() % 3]);
  for (const float limit : {-kInf, 300.0F, kInf, kNan}) check_scan(centres, limit);
  CHECK(check_scan(centres, kInf) < 128);
  for (const float each : strange) {
    centres.offset = each;
    check_scan(centres, kInf);
    centres.offset = 0.0F, centres.step = each;
    check_scan(centres, kInf);
  }
}
