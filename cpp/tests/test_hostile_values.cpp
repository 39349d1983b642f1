// Segment files that hold any numbers under right checksums: nothing may crash or trip a sanitizer, neither
// on opening nor afterwards.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "segment_parts.hpp"

using namespace lookalike;

namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

}  // namespace

TEST(what_else_a_hostile_file_may_hold_is_harmless) {
  for (const float value : {kNan, -kNan, kInf, -kInf, 3e38F, -3e38F, 0.0F, 1e-45F}) {
    harmless([&](Parts& parts) { std::ranges::fill(parts.vectors, value); }, use_and_change);
    harmless([&](Parts& parts) { parts.vectors[3] = value; }, use_and_change);
    harmless([&](Parts& parts) { std::ranges::fill(parts.inverse_norms, value); }, use_and_change);
    harmless([&](Parts& parts) { std::ranges::fill(parts.projection, value); });
    harmless([&](Parts& parts) { parts.projection[5] = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.group_centres, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.centres, value); });
    harmless([&](Parts& parts) { parts.centres[6] = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.curve, value); });
    harmless([&](Parts& parts) { parts.largest_norm = value; }, use_and_change);
    harmless([&](Parts& parts) { std::ranges::fill(parts.reaches, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.bounds, value); }, use_and_change);
    harmless([&](Parts& parts) { parts.mean_residual = value; }, use_and_change);
    harmless([&](Parts& parts) { std::ranges::fill(parts.middle, value); });
    harmless([&](Parts& parts) { parts.middle[1] = value; });
    for (const std::size_t which : {0U, 1U})
      for (const std::size_t step : {1U, 3U}) {
        harmless([&](Parts& parts) {
          for (std::size_t row = 0; row < Parts::kRows; row += step) parts.set_factor(row, which, value);
        });
        harmless([&](Parts& parts) {
          for (std::size_t row = 0; row < Parts::kRows; row += step) parts.set_byte_factor(row, which, value);
        });
      }
    harmless(
        [&](Parts& parts) {
          parts.make_euclidean();
          std::ranges::fill(parts.vectors, value);
          for (std::size_t row = 0; row < Parts::kRows; row += 3) parts.set_factor(row, row % 2, value);
        },
        use_and_change);
  }
}

TEST(integers_of_a_hostile_file_that_only_spoil_answers_are_harmless) {
  harmless([](Parts& parts) { std::ranges::fill(parts.sketches, std::uint8_t{0}); });
  harmless([](Parts& parts) { std::ranges::fill(parts.sketches, std::uint8_t{0xFF}); });
  harmless([](Parts& parts) { std::ranges::fill(parts.bytes, std::uint8_t{0x80}); });
  harmless([](Parts& parts) {  // all rows in one bucket, the others empty
    std::fill(parts.starts.begin() + 1, parts.starts.end(), Parts::kRows);
    parts.sketches.resize(Parts::kRows / 32 * 320);
  });
  harmless([](Parts& parts) { parts.group_starts = {0, 0, Parts::kBuckets}; });
  harmless([](Parts& parts) { parts.left_out.push_back("note"); });
  harmless([](Parts& parts) { parts.shape[2] = ~std::uint64_t{0}; }, use_and_change);
  for (const std::uint32_t asked : {0U, 1U, 2U, 1000U, 0xFFFFFFFFU})
    harmless([&](Parts& parts) { parts.asked_buckets = asked; }, use_and_change);
}

TEST(curves_of_a_hostile_file_of_any_size_are_harmless) {
  for (const std::uint32_t probe_steps : {0U, 1U, 256U})
    for (const std::uint32_t rerank_steps : {0U, 1U, 256U})
      for (const float value : {0.97F, kNan, 1e30F})
        harmless([&](Parts& parts) {
          parts.router[5] = probe_steps, parts.router[6] = rerank_steps;
          parts.curve.assign(std::size_t{5} * probe_steps * rerank_steps, value);
        });
}

TEST(vectors_of_a_hostile_file_that_are_sealed_anew_with_principal_axes_are_harmless) {
  constexpr std::size_t kWide = 324, kMany = 600;
  for (const float value : {kNan, kInf, 1e-45F})
    for (const std::size_t every : {1U, 1000U})
      harmless(
          [&](Parts& parts) {
            parts.unhash();
            parts.make_euclidean();
            parts.asked_buckets = 6;
            parts.shape[0] = kMany, parts.shape[1] = kWide;
            parts.ids.clear(), parts.by_id.clear();
            for (std::uint32_t row = 0; row < kMany; ++row)
              parts.ids.push_back(row), parts.by_id.push_back(row);
            parts.vectors.resize(kMany * kWide);
            std::mt19937 random(2);
            std::normal_distribution<float> normal;
            for (float& each : parts.vectors) each = normal(random);
            for (std::size_t i = 0; i < parts.vectors.size(); i += every) parts.vectors[i] = value;
          },
          use_and_change);
}
