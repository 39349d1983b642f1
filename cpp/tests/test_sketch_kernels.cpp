// The sketch scan at every level against the formula of kernels.hpp, entry by entry, in memory that ends
// where the blocks, the table and the outputs end.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "guarded.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Random = std::mt19937_64;

/// Blocks, or short blocks, of random codes and factors, a random table, and the estimates that follow.
struct Sketches {
  Sketches(bool is_short_, std::size_t groups_, std::size_t count_, unsigned largest_, Random& random,
           std::size_t misaligned = 0)
      : is_short(is_short_),
        groups(groups_),
        count(count_),
        largest(largest_),
        entries(is_short ? 32 * rows : 16 * groups),
        memory(misaligned + (count + in_block - 1) / in_block * block_bytes),
        blocks(memory.data() + misaligned) {
    for (std::size_t i = 0; i < entries.size(); ++i)
      entries[i] = i < 16 * groups ? static_cast<std::uint8_t>(random() % (largest + 1)) : std::uint8_t{0};
    for (std::uint8_t& byte : memory) byte = static_cast<std::uint8_t>(random());
    for (std::size_t i = 0; i < (count + in_block - 1) / in_block * in_block; ++i) {
      set_factor(i, 0, static_cast<float>(random() % 4096) * 0.25F - 100.0F);
      set_factor(i, 1, static_cast<float>(random() % 4096) * 0x1.8p-10F);
    }
  }

  std::uint8_t* block(std::size_t i) const { return blocks + i / in_block * block_bytes; }
  std::uint8_t* factor(std::size_t i, std::size_t which) const {
    return block(i) + 16 * rows + (which * in_block + i % in_block) * sizeof(float);
  }
  void set_factor(std::size_t i, std::size_t which, float value) { std::memcpy(factor(i, which), &value, 4); }

  unsigned sum(std::size_t i) const {
    unsigned total = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      const unsigned byte = block(i)[16 * (g % rows) + i % 16];
      const bool is_high = is_short ? g >= rows : i % 32 >= 16;
      total += entries[16 * g + (is_high ? byte / 16 : byte % 16)];
    }
    return total;
  }

  /// volatile, so that no two operations become one that rounds once.
  float estimate(std::size_t i) const {
    float a, f;
    std::memcpy(&a, factor(i, 0), 4);
    std::memcpy(&f, factor(i, 1), 4);
    volatile float value = step * static_cast<float>(sum(i));
    value = value + base;
    value = f * value;
    const volatile float shifted = a + offset_of(i);
    return shifted - value;
  }

  /// Each block has an offset and a first number of its own, as if all were of different buckets.
  float offset_of(std::size_t i) const { return 1.3F + 0.7F * static_cast<float>(i / in_block); }
  std::uint32_t number_of(std::size_t i) const {
    return 4'294'967'200U + static_cast<std::uint32_t>(i / in_block * 1000 + i % in_block);
  }
  std::vector<BlockToScan> list() const {
    std::vector<BlockToScan> list;
    for (std::size_t i = 0; i < count; i += in_block)
      list.push_back({block(i), offset_of(i), number_of(i), static_cast<std::uint32_t>(count - i)});
    return list;
  }

  SketchTable table() const {
    return {entries.data(), groups, step, base, static_cast<std::uint8_t>(largest)};
  }

  std::size_t scan(std::string_view level, const BlocksToScan& some, float limit, float* out,
                   std::uint32_t* numbers) const {
    const Kernels& kernels = *kernels_for(level);
    return (is_short ? kernels.scan_short_sketches : kernels.scan_sketches)(some, table(), limit, out,
                                                                            numbers);
  }

  bool is_short;
  std::size_t groups, count;
  unsigned largest;
  std::size_t rows = is_short ? short_sketch_rows(groups) : groups;
  std::size_t in_block = is_short ? sketches_per_short_block : sketches_per_block;
  std::size_t block_bytes = is_short ? short_sketch_bytes(groups) : sketch_block_bytes(groups);
  float step = 0.0123F, base = -3.7F;
  Guarded<std::uint8_t> entries, memory;
  std::uint8_t* blocks;
};

/// Checks every level at this limit; returns how many it keeps.
std::size_t check_scan(const Sketches& sketches, float limit) {
  std::vector<float> estimates;
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i < sketches.count; ++i)
    if (const float estimate = sketches.estimate(i); estimate < limit) {
      estimates.push_back(estimate);
      numbers.push_back(sketches.number_of(i));
    }
  for (const auto level : available_levels()) {
    Guarded<float> out(estimates.size() + kept_slack);
    Guarded<std::uint32_t> out_numbers(estimates.size() + kept_slack);
    const std::vector<BlockToScan> list = sketches.list();
    const std::size_t kept =
        sketches.scan(level, {list.data(), list.size(), list.size()}, limit, out.data(), out_numbers.data());
    CHECK(kept == estimates.size(), level, "groups", sketches.groups, "count", sketches.count, "kept", kept);
    for (std::size_t i = 0; i < kept; ++i)
      CHECK(std::bit_cast<std::uint32_t>(out[i]) == std::bit_cast<std::uint32_t>(estimates[i]) &&
                out_numbers[i] == numbers[i],
            level, "groups", sketches.groups, "count", sketches.count, "at", i, out[i], estimates[i]);
  }
  return estimates.size();
}

}  // namespace

TEST(a_sketch_scan_keeps_the_estimates_below_the_limit_for_every_count) {
  Random random(1);
  for (const bool is_short : {false, true})
    for (std::size_t count = 0; count <= 130; ++count)
      for (const std::size_t groups : {4U, 32U}) {
        const Sketches sketches(is_short, groups, count, 255, random);
        for (const float limit : {-kInf, 0.0F, 300.0F, 600.0F, kInf, kNan}) check_scan(sketches, limit);
        if (count == 130) CHECK(check_scan(sketches, 300.0F) > 10 && check_scan(sketches, 600.0F) < 120);
      }
}

TEST(a_sketch_scan_adds_up_any_number_of_groups_and_any_entries) {
  Random random(2);
  for (std::size_t groups = 4; groups <= 256; groups += 4)
    for (const unsigned largest : {0U, 1U, 7U, 31U, 63U, 85U, 127U, 128U, 255U})
      for (const bool is_short : {false, true})
        check_scan(Sketches(is_short, groups, 97, largest, random), kInf);
}

TEST(a_sketch_scan_of_the_largest_entries_does_not_overflow) {
  Random random(3);
  for (const bool is_short : {false, true})
    for (const std::size_t groups : {8U, 36U, 256U})
      for (const unsigned largest : {1U, 15U, 31U, 51U, 85U, 127U, 255U}) {
        Sketches sketches(is_short, groups, 64, largest, random);
        std::fill_n(sketches.entries.data(), 16 * groups, static_cast<std::uint8_t>(largest));
        CHECK(sketches.sum(5) == groups * largest);
        check_scan(sketches, kInf);
      }
}

TEST(a_sketch_scan_reads_blocks_at_any_address) {
  Random random(4);
  for (const std::size_t misaligned : {1U, 2U, 3U, 4U, 17U, 63U})
    for (const bool is_short : {false, true})
      check_scan(Sketches(is_short, 32, 70, 255, random, misaligned), 400.0F);
}

TEST(a_sketch_at_the_limit_is_not_kept) {
  Random random(5);
  const Sketches sketches(false, 32, 130, 255, random);
  for (std::size_t i = 0; i < 130; ++i) check_scan(sketches, sketches.estimate(i));
}

TEST(sketches_without_a_finite_estimate_are_kept_only_at_minus_infinity) {
  Random random(6);
  Sketches sketches(false, 32, 128, 255, random);
  for (std::size_t i = 0; i < 128; i += 2) {
    const float strange[]{kNan, kInf, -kInf};
    sketches.set_factor(i, random() % 2, strange[random() % 3]);
  }
  for (std::size_t i = 1; i < 128; i += 8) {  // as in the unused entries of a block
    sketches.set_factor(i, 0, kInf);
    sketches.set_factor(i, 1, 0.0F);
  }
  for (const float limit : {-kInf, 300.0F, kInf, kNan}) check_scan(sketches, limit);
  CHECK(check_scan(sketches, kInf) < 128);
}

TEST(blocks_of_which_a_sketch_scan_only_knows_are_not_kept) {
  Random random(7);
  const Sketches sketches(false, 32, 20 * 32, 255, random);
  const std::vector<BlockToScan> list = sketches.list();
  for (const auto level : available_levels())
    for (std::size_t count = 0; count <= list.size(); ++count) {
      Guarded<float> estimates(32 * count + kept_slack);
      Guarded<std::uint32_t> numbers(32 * count + kept_slack);
      CHECK(sketches.scan(level, {list.data(), count, list.size()}, kInf, estimates.data(), numbers.data()) ==
            32 * count);
    }
}

TEST(products_with_points_are_those_of_the_formula) {
  Random random(8);
  for (const std::size_t width : {1U, 3U, 4U})
    for (std::size_t groups = 0; groups <= 40; ++groups) {
      Guarded<float> values(width * groups), points(16 * width);
      for (float& each : values) each = static_cast<float>(random() % 4096) * 0x1.8p-9F - 3.0F;
      for (float& each : points) each = static_cast<float>(random() % 4096) * 0x1.8p-9F - 3.0F;
      if (groups > 5) std::fill_n(values.data(), 2 * width, -0.0F);
      std::vector<float> products;
      float base = 0.0F, largest = 0.0F;
      for (std::size_t g = 0; g < groups; ++g) {
        float low = kInf;
        for (std::size_t p = 0; p < 16; ++p) {
          volatile float sum = values[width * g] * points[p];
          for (std::size_t i = 1; i < width; ++i) {
            const volatile float product = values[width * g + i] * points[16 * i + p];
            sum = sum + product;
          }
          products.push_back(float{sum});
          low = std::min(low, products.back());
        }
        base += low;
        for (std::size_t p = 0; p < 16; ++p) largest = std::max(largest, products[16 * g + p] -= low);
      }
      for (const auto level : available_levels()) {
        Guarded<float> out(16 * groups);
        float base_out, largest_out;
        kernels_for(level)->point_products(values.data(), groups, points.data(), width, out.data(), &base_out,
                                           &largest_out);
        CHECK(std::bit_cast<std::uint32_t>(base_out) == std::bit_cast<std::uint32_t>(base + 0.0F), level,
              groups);
        CHECK(largest_out == largest, level, width, groups);
        for (std::size_t i = 0; i < 16 * groups; ++i) CHECK(out[i] == products[i], level, width, groups, i);
      }
    }
}

TEST(nearest_points_are_those_of_the_formula) {
  Random random(10);
  for (const std::size_t width : {1U, 3U, 4U})
    for (std::size_t groups = 0; groups <= 40; ++groups) {
      Guarded<float> values(width * groups), points(16 * width), half_squares(16);
      for (float& each : values)
        each = static_cast<float>(random() % 16) * 0.5F - 4.0F;  // few: many are equal
      for (float& each : points) each = static_cast<float>(random() % 16) * 0.5F - 4.0F;
      for (float& each : half_squares) each = static_cast<float>(random() % 16) * 0.5F;
      for (std::size_t i = 0; i < width && groups > 0; ++i) values[i] = kNan;
      for (const auto level : available_levels()) {
        Guarded<std::uint8_t> nearest(groups);
        kernels_for(level)->nearest_points(values.data(), groups, points.data(), width, half_squares.data(),
                                           nearest.data());
        for (std::size_t g = 0; g < groups; ++g) {
          float best = -kInf;
          std::size_t last = 15;
          for (std::size_t p = 0; p < 16; ++p) {
            float near = -half_squares[p];
            for (std::size_t i = 0; i < width; ++i) near += values[width * g + i] * points[16 * i + p];
            if (near >= best) best = near, last = p;
          }
          CHECK(nearest[g] == last, level, width, groups, g);
        }
      }
    }
}

TEST(products_with_points_that_are_not_finite_have_no_finite_base) {
  Random random(9);
  for (const float strange : {kNan, kInf, -kInf, 3e38F})
    for (std::size_t at = 0; at < 4 * 9; ++at) {
      Guarded<float> values(4 * 9), points(64);
      for (float& each : values) each = static_cast<float>(random() % 4096) * 0x1p-9F - 4.0F;
      for (std::size_t i = 0; i < 64; ++i) points[i] = random() % 2 == 0 ? 2.0F : -2.0F;
      values[at] = strange;
      for (const auto level : available_levels()) {
        Guarded<float> out(16 * 9);
        float base, largest;
        kernels_for(level)->point_products(values.data(), 9, points.data(), 4, out.data(), &base, &largest);
        CHECK(!std::isfinite(base), level, strange, at);
      }
    }
}
