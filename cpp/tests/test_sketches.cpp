// Sketches against the mathematics of the paper (RaBitQ, arXiv 2405.12497), in double.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/block_list.hpp"
#include "engine/projection/rotation.hpp"
#include "engine/sketch/sketches.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

using Floats = std::vector<float>;

Floats gaussian(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Floats values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double dot(const Floats& a, const Floats& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

Floats minus(const Floats& a, const Floats& b) {
  Floats out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = a[i] - b[i];
  return out;
}

/// One entry read back from its block: what was coded of its direction.
struct Entry {
  Floats coded;
  Factors factors;

  Entry(const std::uint8_t* blocks, const SketchLayout& layout, std::size_t i) : coded(layout.m) {
    const std::uint8_t* block = blocks + i / 32 * layout.block_bytes();
    const std::size_t width = layout.codebook->width;
    for (std::size_t j = 0; j < layout.m; ++j) {
      const unsigned byte = block[j / width * 16 + i % 16];
      coded[j] = layout.codebook->coordinates[j % width][i % 32 < 16 ? byte % 16 : byte / 16];
    }
    std::memcpy(&factors.a, block + layout.groups * 16 + i % 32 * 4, 4);
    std::memcpy(&factors.f, block + layout.groups * 16 + (32 + i % 32) * 4, 4);
  }

  double estimate(const Floats& query, const Floats& centre) const {
    const Floats from_centre = minus(query, centre);
    return double{factors.a} + dot(from_centre, from_centre) - double{factors.f} * dot(coded, query);
  }
};

std::vector<std::uint8_t> blocks_for(std::size_t entries, const SketchLayout& layout) {
  return std::vector<std::uint8_t>(SketchLayout::blocks_for(entries) * layout.block_bytes());
}

Entry sketch(const Floats& y, const Floats& centre, float left_out = 0.0F,
             const Codebook& codebook = kSigns) {
  const SketchLayout layout(y.size(), codebook);
  auto blocks = blocks_for(1, layout);
  SketchWriter(layout).write(y.data(), centre.data(), left_out, 0, blocks.data());
  return {blocks.data(), layout, 0};
}

}  // namespace

TEST(a_sketch_is_the_signs_of_the_residual_and_its_two_factors) {
  for (const std::size_t m : {1U, 4U, 16U, 20U, 36U, 100U, 1024U}) {
    constexpr std::size_t kEntries = 70;  // three blocks, the last one not full
    auto blocks = blocks_for(kEntries, SketchLayout(m));
    const Floats centre = gaussian(m, 1);
    for (unsigned i = 0; i < kEntries; ++i) {
      const Floats y = gaussian(m, i + 2), r = minus(y, centre);
      CHECK(std::abs(
                double{SketchWriter(SketchLayout(m)).write(y.data(), centre.data(), 0.5F, i, blocks.data())} /
                    dot(r, r) -
                1) < 1e-6);
    }
    close_sketches(kEntries, SketchLayout(m), blocks.data());
    for (unsigned i = 0; i < kEntries; ++i) {
      const Floats r = minus(gaussian(m, i + 2), centre);
      const Entry entry(blocks.data(), SketchLayout(m), i);
      double sum = 0;
      for (std::size_t j = 0; j < m; ++j) {
        CHECK((entry.coded[j] > 0) == (r[j] >= 0), m, i, j);
        sum += std::abs(double{r[j]});
      }
      const double f = 2 * dot(r, r) / sum, a = dot(r, r) + f * dot(entry.coded, centre) + 0.5;
      CHECK(std::abs(double{entry.factors.f} - f) <= 1e-6 * f, m, i);
      CHECK(std::abs(double{entry.factors.a} - a) <= 1e-6 * (1 + dot(r, r) + f * static_cast<double>(m)), m,
            i);
    }
    for (unsigned i = kEntries; i < 96; ++i) {
      const Entry unused(blocks.data(), SketchLayout(m), i);
      CHECK(std::isinf(unused.factors.a) && unused.factors.a > 0 && unused.factors.f == 0.0F);
    }
  }
}

TEST(a_vector_on_its_centre_is_estimated_exactly) {
  const Floats centre = gaussian(64, 1), query = gaussian(64, 2);
  const Entry entry = sketch(centre, centre);
  CHECK(entry.factors.f == 0.0F && entry.factors.a == 0.0F);
  const Floats difference = minus(query, centre);
  CHECK(entry.estimate(query, centre) == dot(difference, difference));
}

TEST(what_the_projection_left_out_is_added) {
  const Floats centre = gaussian(64, 1), y = gaussian(64, 2);
  const Entry without = sketch(y, centre), with = sketch(y, centre, 3.0F);
  CHECK(std::abs(with.factors.a - without.factors.a - 3.0F) < 1e-4F && with.factors.f == without.factors.f);
}

// With q − c split into what lies along r and b across it, the error is −F b ⟨s, e⟩, and ⟨s, e⟩ is a
// coordinate of a uniformly turned vector of length ‖s‖ √(1 − ip²) in m − 1 dimensions (there, lemma B.1).
TEST(estimates_are_unbiased_and_as_far_off_as_the_paper_says) {
  constexpr unsigned kRotations = 6000;
  for (const Codebook* codebook : {&kSigns, &kPointsOf3})
    for (const std::size_t m : {20U, 64U, 96U, 256U}) {
      const Floats centre(m), across = gaussian(m, 3);
      Floats y = gaussian(m, 4), query(m);
      y[0] += 3.0F;  // no random direction: only the rotation is random
      for (std::size_t j = 0; j < m; ++j) query[j] = 0.5F * y[j] + across[j];
      const double b = std::sqrt(dot(query, query) - std::pow(dot(query, y), 2) / dot(y, y));
      const Floats difference = minus(query, y);
      double sum = 0, squares = 0;
      unsigned beyond_two = 0, beyond_four = 0;
      for (unsigned seed = 0; seed < kRotations; ++seed) {
        const Rotation rotation(m, seed);
        Floats turned = y, turned_query = query;
        rotation.apply(turned.data());
        rotation.apply(turned_query.data());
        const Entry entry = sketch(turned, centre, 0.0F, *codebook);
        const double error = entry.estimate(turned_query, centre) - dot(difference, difference);
        // F = 2 |r| / (|s| ip)
        const double length = std::sqrt(dot(entry.coded, entry.coded));
        const double ip = 2 * std::sqrt(dot(y, y)) / length / double{entry.factors.f};
        const auto n = static_cast<double>(m);
        const double standard = double{entry.factors.f} * b * length * std::sqrt((1 - ip * ip) / (n - 1));
        const double z = error / standard;
        sum += z;
        squares += z * z;
        beyond_two += std::abs(z) > 2;
        beyond_four += std::abs(z) > 4;
      }
      const double mean = sum / kRotations, variance = squares / kRotations;
      CHECK(std::abs(mean) < 4 / std::sqrt(double{kRotations}), m, mean);
      CHECK(std::abs(variance - 1) < 0.08, m, variance);
      CHECK(std::abs(beyond_two / double{kRotations} - 0.0455) < 0.015, m, beyond_two);
      CHECK(beyond_four <= 4, m, beyond_four);  // 0.4 expected
    }
}

TEST(the_table_of_a_query_gives_its_product_with_any_signs) {
  std::mt19937 random(5);
  for (const std::size_t m : {1U, 4U, 6U, 16U, 20U, 100U, 1024U})
    for (const float size : {1.0F, 1e-30F, 1e16F}) {
      Floats query = gaussian(m, static_cast<unsigned>(m));
      for (float& value : query) value *= size;
      QueryTable table;
      table.make(gaussian(2 * m, 9).data(), SketchLayout(2 * m));  // nothing of an earlier query remains
      table.make(query.data(), SketchLayout(m));
      const SketchTable view = table.view();
      CHECK(view.groups == SketchLayout(m).groups && view.groups % 4 == 0);
      const double half_steps = static_cast<double>(m + 3) / 4 * 0.5 + 1e-3 * static_cast<double>(m);
      for (int round = 0; round < 200; ++round) {
        double product = 0, sum = 0;
        for (std::size_t g = 0; g < view.groups; ++g) {
          const std::size_t pattern = random() % 16;
          for (std::size_t bit = 0; bit < 4 && 4 * g + bit < m; ++bit)
            product += (pattern >> bit & 1U) != 0 ? double{query[4 * g + bit]} : -double{query[4 * g + bit]};
          sum += view.entries[16 * g + pattern];
        }
        CHECK(
            std::abs(double{view.step} * sum + double{view.base} - product) <= half_steps * double{view.step},
            m, size);
      }
      for (std::size_t i = (m + 3) / 4 * 16; i < view.groups * 16; ++i) CHECK(view.entries[i] == 0, m, i);
    }
}

TEST(the_points_of_a_sketch_are_the_nearest_and_closer_than_signs) {
  for (const std::size_t m : {1U, 2U, 3U, 12U, 13U, 100U, 1024U}) {
    const SketchLayout layout(m, kPointsOf3);
    CHECK(layout.groups >= (m + 2) / 3 && layout.groups < (m + 2) / 3 + 4 && layout.groups % 4 == 0, m);
    const Floats centre = gaussian(m, 1), y = gaussian(m, 2);
    Floats r = minus(y, centre);
    const Entry entry = sketch(y, centre, 0.5F, kPointsOf3);
    const double square = dot(r, r), f = 2 * square / dot(entry.coded, r);
    CHECK(std::abs(double{entry.factors.f} - f) <= 1e-5 * f, m);
    CHECK(std::abs(double{entry.factors.a} - (square + f * dot(entry.coded, centre) + 0.5)) <=
              1e-5 * (1 + square + f * static_cast<double>(m)),
          m);
    for (float& value : r) value *= static_cast<float>(std::sqrt(static_cast<double>(m) / square));
    for (std::size_t j = 0; j + 3 <= m; j += 3) {
      const auto squared_to = [&](auto coordinate) {
        double sum = 0;
        for (std::size_t i = 0; i < 3; ++i) sum += std::pow(double{r[j + i]} - double{coordinate(i)}, 2);
        return sum;
      };
      const double coded = squared_to([&](std::size_t i) { return entry.coded[j + i]; });
      for (std::size_t p = 0; p < 16; ++p)
        CHECK(coded <= squared_to([&](std::size_t i) { return kPointsOf3.coordinates[i][p]; }) + 1e-5, m, j,
              p);
    }
    const auto cosine = [&](const Entry& of) {
      return dot(of.coded, r) / std::sqrt(dot(of.coded, of.coded) * dot(r, r));
    };
    if (m >= 100) CHECK(cosine(entry) > 0.86 && cosine(entry) > cosine(sketch(y, centre)) + 0.03, m);
  }
}

TEST(strange_residuals_have_harmless_sketches) {
  constexpr float kLarge = 3e38F, kNan = std::numeric_limits<float>::quiet_NaN();
  for (const Codebook* codebook : {&kSigns, &kPointsOf3})
    for (const float value : {0.0F, 1e-45F, 1e-30F, kLarge, std::numeric_limits<float>::infinity(), kNan}) {
      const Entry entry = sketch(Floats(20, value), Floats(20), 0.0F, *codebook);
      CHECK(entry.factors.f >= 0 && std::isnan(entry.factors.a) == std::isnan(value), value);
      QueryTable table;
      table.make(Floats(20, value).data(), SketchLayout(20, *codebook));
      for (std::size_t i = 0; i < 16 * table.view().groups; ++i)
        CHECK(table.view().entries[i] <= 31, value, i);
    }
}

TEST(the_table_of_a_query_of_zeros_or_of_next_to_nothing_is_finite) {
  for (const float value : {0.0F, -0.0F, 1e-45F, 1e-42F, -1e-40F}) {
    const Floats query(20, value);
    QueryTable table;
    table.make(query.data(), SketchLayout(20));
    const SketchTable view = table.view();
    CHECK(std::isfinite(view.step) && std::isfinite(view.base));
    for (std::size_t i = 0; i < 16 * view.groups; ++i)
      CHECK(std::abs(view.step * static_cast<float>(view.entries[i]) + view.base) <= 1e-38F);
  }
}

TEST(a_scan_of_written_sketches_estimates_squared_distances) {
  constexpr std::size_t kEntries = 77;
  for (const Codebook* codebook : {&kSigns, &kPointsOf3})
    for (const std::size_t m : {4U, 20U, 64U, 132U, 1024U}) {
      const SketchLayout layout(m, *codebook);
      const Floats centre = gaussian(m, 1), query = gaussian(m, 2);
      auto blocks = blocks_for(kEntries, layout);
      for (unsigned i = 0; i < kEntries; ++i) {
        const Floats y = gaussian(m, 3 + i);
        SketchWriter(layout).write(y.data(), centre.data(), 0.0F, i, blocks.data());
      }
      close_sketches(kEntries, layout, blocks.data());
      QueryTable table;
      table.make(query.data(), layout);
      const Floats difference = minus(query, centre);
      const auto key = static_cast<float>(dot(difference, difference));
      Floats estimates(kEntries + kept_slack);
      std::vector<std::uint32_t> numbers(kEntries + kept_slack);
      BlockList<SketchLayout::kEntries> list;
      list.start(layout.block_bytes());
      list.add({blocks.data(), key, 1000, kEntries});
      const std::size_t kept =
          kernels().scan_sketches(list.part(0, list.count()), table.view(),
                                  std::numeric_limits<float>::infinity(), estimates.data(), numbers.data());
      CHECK(kept == kEntries);
      for (std::size_t i = 0; i < kEntries; ++i) {
        const Entry entry(blocks.data(), layout, i);
        const double rounding =
            double{entry.factors.f} * double{table.step()} * static_cast<double>(layout.groups) / 2;
        CHECK(numbers[i] == 1000 + i);
        CHECK(std::abs(double{estimates[i]} - entry.estimate(query, centre)) <
                  rounding + 1e-4 * static_cast<double>(m),
              m, i);
      }
    }
}

TEST(sketches_of_buckets_lie_behind_each_other_empty_ones_too) {
  const std::vector<std::uint32_t> starts = {0, 0, 33, 33, 65, 66, 66};
  constexpr std::size_t kM = 20;
  const std::size_t block = SketchLayout(kM).block_bytes();
  CHECK(block == 8 * 16 + 256);  // 5 groups, filled up to 8
  CHECK(Sketches::bytes_for(SketchLayout(kM), starts) == (2 + 1 + 1) * block);
  const Sketches sketches{SketchLayout(kM), Column(std::vector<std::uint32_t>(starts)),
                          Column(std::vector<std::uint8_t>(Sketches::bytes_for(SketchLayout(kM), starts)))};
  CHECK(sketches.buckets() == 6);
  const std::size_t first_block[]{0, 0, 2, 2, 3, 4};
  for (std::uint32_t bucket = 0; bucket < 6; ++bucket) {
    CHECK(sketches.first(bucket) == starts[bucket] &&
          sketches.count(bucket) == starts[bucket + 1] - starts[bucket]);
    CHECK(sketches.blocks(bucket) == sketches.bytes().data() + first_block[bucket] * block);
    for (std::uint32_t entry = starts[bucket]; entry < starts[bucket + 1]; ++entry)
      CHECK(sketches.bucket_of(entry) == bucket, entry);
  }
}
