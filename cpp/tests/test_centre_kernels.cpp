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

/// Blocks of random codes and factors, and a query in random steps.
struct Centres {
  Centres(std::size_t eights_, std::size_t count_, Random& random, std::size_t planes_ = 1,
          std::size_t misaligned = 0)
      : eights(eights_),
        count(count_),
        planes(planes_),
        bytes(16 * eights),
        memory(misaligned + (count + 15) / 16 * centre_block_bytes(planes, eights)),
        blocks(memory.data() + misaligned) {
    for (std::size_t d = 0; d < 8 * eights; ++d) {
      const auto range = static_cast<unsigned>(2 * largest_step() + 1);
      set_step(d, static_cast<int>(random() % range) - largest_step());
    }
    for (std::uint8_t& byte : memory) byte = static_cast<std::uint8_t>(random());
    for (std::size_t i = 0; i < (count + 15) / 16 * 16; ++i) {
      set_factor(i, 0, static_cast<float>(random() % 4096) * 0.25F - 100.0F);
      set_factor(i, 1, static_cast<float>(random() % 4096) * 0x1.8p-10F);
    }
  }

  std::uint8_t* block(std::size_t i) const { return blocks + i / 16 * centre_block_bytes(planes, eights); }
  std::uint8_t* factor(std::size_t i, std::size_t which) const {
    return block(i) + 64 * planes * eights + (which * 16 + i % 16) * sizeof(float);
  }
  void set_factor(std::size_t i, std::size_t which, float value) { std::memcpy(factor(i, which), &value, 4); }

  /// The largest of which no sum overflows.
  int largest_step() const {
    constexpr std::size_t kMaxSum = std::numeric_limits<std::int32_t>::max();
    return static_cast<int>(
        std::min<std::size_t>(32639, kMaxSum / (128 * 8 * std::max<std::size_t>(eights, 1))));
  }
  void set_step(std::size_t d, int whole) {
    const int low = static_cast<std::int8_t>(whole & 255);
    bytes[d / 8 * 16 + d % 8] = static_cast<std::int8_t>((whole - low) / 256);
    bytes[d / 8 * 16 + d % 8 + 8] = static_cast<std::int8_t>(low);
  }
  std::int64_t step_of(std::size_t d) const {
    const std::int8_t* at = bytes.data() + d / 8 * 16 + d % 8;
    return std::int64_t{at[0]} * 256 + at[8];
  }
  std::int64_t code(std::size_t i, std::size_t d) const {
    unsigned value = 0;
    for (std::size_t plane = 0; plane < planes; ++plane) {
      const unsigned byte = block(i)[(plane * eights + d / 8) * 64 + i % 16 * 4 + d % 4];
      value = 16 * value + (d % 8 < 4 ? byte % 16 : byte / 16);
    }
    return std::int64_t{value} - (planes == 1 ? 8 : 128);
  }
  std::int32_t base() const {
    std::int64_t total = 0;
    for (std::size_t d = 0; d < 8 * eights; ++d) total -= step_of(d) * (planes == 1 ? 8 : 128);
    return static_cast<std::int32_t>(total);
  }
  std::int64_t sum(std::size_t i) const {
    std::int64_t total = 0;
    for (std::size_t d = 0; d < 8 * eights; ++d) total += step_of(d) * code(i, d);
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

  std::size_t eights, count, planes;
  float step = 0x1p-14F, offset = 1.3F;
  Guarded<std::int8_t> bytes;
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
        {list.data(), list.size(), list.size()},
        {centres.bytes.data(), centres.eights, centres.planes, centres.step, centres.base()}, limit,
        out.data(), out_numbers.data());
    CHECK(kept == keys.size(), level, "eights", centres.eights, "count", centres.count, "kept", kept);
    for (std::size_t i = 0; i < kept; ++i)
      CHECK(std::bit_cast<std::uint32_t>(out[i]) == std::bit_cast<std::uint32_t>(keys[i]) &&
                out_numbers[i] == numbers[i],
            level, "eights", centres.eights, "count", centres.count, "at", i, out[i], keys[i]);
  }
  return keys.size();
}

}  // namespace

TEST(a_scan_of_centres_keeps_the_keys_below_the_limit_for_every_count) {
  Random random(1);
  for (std::size_t count = 0; count <= 130; ++count)
    for (const std::size_t eights : {1U, 2U, 5U, 16U}) {
      const Centres centres(eights, count, random, 1 + count % 2);
      for (const float limit : {-kInf, 0.0F, 300.0F, 600.0F, kInf, kNan}) check_scan(centres, limit);
      if (count == 130) CHECK(check_scan(centres, 300.0F) > 10 && check_scan(centres, 600.0F) < 120);
    }
}

TEST(a_scan_of_centres_adds_up_any_number_of_dimensions) {
  Random random(2);
  for (const std::size_t planes : {1U, 2U}) {
    for (std::size_t eights = 0; eights <= 20; ++eights)
      check_scan(Centres(eights, 53, random, planes), kInf);
    for (std::size_t eights = 126; eights <= 130; ++eights)
      check_scan(Centres(eights, 37, random, planes), kInf);
  }
}

// The widest projection has 128 eights.
TEST(a_scan_of_centres_does_not_overflow_at_its_limits) {
  Random random(3);
  for (const std::size_t eights : {1U, 8U, 64U, 65U, 128U, 4096U})
    for (const std::size_t planes : {1U, 2U})
      for (const int sign : {-1, 1})
        for (const unsigned nibble : {0U, 15U}) {
          Centres centres(eights, 50, random, planes);
          const int step = sign * centres.largest_step();
          for (std::size_t d = 0; d < 8 * eights; ++d) centres.set_step(d, step);
          for (std::size_t i = 0; i < 50; ++i)
            std::fill_n(centres.block(i), 64 * planes * eights, static_cast<std::uint8_t>(17 * nibble));
          CHECK(std::abs(centres.sum(49)) >=
                std::int64_t{7} * centres.largest_step() * 8 * std::int64_t(eights));
          check_scan(centres, kInf);
        }
}

TEST(a_scan_of_centres_reads_blocks_at_any_address) {
  Random random(4);
  for (const std::size_t misaligned : {1U, 2U, 3U, 4U, 17U, 63U})
    check_scan(Centres(3, 70, random, 1, misaligned), 400.0F);
}

TEST(a_centre_at_the_limit_is_not_kept) {
  Random random(5);
  const Centres centres(3, 130, random);
  for (std::size_t i = 0; i < 130; ++i) check_scan(centres, centres.key(i));
}

TEST(centres_without_a_finite_key_are_kept_only_at_minus_infinity) {
  Random random(6);
  const float strange[]{kNan, kInf, -kInf};
  Centres centres(3, 128, random);
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
