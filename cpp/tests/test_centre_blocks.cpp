// Centres in 4 and in 8 bits: their keys against exact distances, and what a block holds against the centres.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/block_list.hpp"
#include "engine/hash/centre_blocks.hpp"

using namespace lookalike;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kRounding = 0x1p-24;

struct Groups {
  /// Of 1, 0, 16, 17 and 40 centres around places about `offset` from the origin in every dimension.
  Groups(std::size_t dim_, float offset, float width) : dim(dim_) {
    const auto around = [&](float middle, float spread) { return middle + spread * normal(random); };
    for (std::size_t group = 0; group < 5; ++group) {
      for (std::size_t i = 0; i < dim; ++i) middles.push_back(around(offset, 1.0F));
      for (std::uint32_t centre = starts[group]; centre < starts[group + 1]; ++centre)
        for (std::size_t i = 0; i < dim; ++i) centres.push_back(around(middle(group)[i], width));
    }
    for (std::size_t i = 0; i < dim; ++i) query.push_back(around(offset, 1.0F));
  }

  float* middle(std::size_t group) { return middles.data() + group * dim; }
  float* centre(std::size_t bucket) { return centres.data() + bucket * dim; }
  CentreBlocks blocks() const { return {dim, middles, starts, centres}; }

  template <class Body>
  void each_centre(Body body) {
    for (std::size_t group = 0; group < 5; ++group)
      for (std::uint32_t bucket = starts[group]; bucket < starts[group + 1]; ++bucket) body(group, bucket);
  }
  void round(std::size_t planes) {
    each_centre([&](std::size_t group, std::size_t bucket) {
      CentreBlocks::round(middle(group), dim, planes, centre(bucket));
    });
  }

  std::size_t dim;
  std::vector<std::uint32_t> starts{0, 1, 1, 17, 34, 74};
  std::vector<float> middles, centres, query;
  std::mt19937 random{5};
  std::normal_distribution<float> normal;
};

/// One key of each bucket, infinite where the scan kept none.
std::vector<float> keys_of(Groups& groups, const CentreBlocks& blocks) {
  CentreBlocks::Room room;
  const CentreQuery query = blocks.query(groups.query.data(), room);
  std::vector<float> keys(groups.starts.back(), kInf), some(40 + kept_slack);
  std::vector<std::uint32_t> numbers(40 + kept_slack);
  for (std::size_t group = 0; group < 5; ++group) {
    const float offset = kernels().squared_l2(groups.query.data(), groups.middle(group), groups.dim);
    BlockList<centres_per_block> list;
    list.start(blocks.block_bytes());
    list.add({blocks.blocks(group), offset, groups.starts[group],
              groups.starts[group + 1] - groups.starts[group]});
    const std::size_t kept =
        kernels().scan_centres(list.part(0, list.count()), query, kInf, some.data(), numbers.data());
    for (std::size_t i = 0; i < kept; ++i) keys.at(numbers[i]) = some[i];
  }
  return keys;
}

/// What Spheres::order promises, and the rounding of the operations in float.
double largest_error(Groups& groups, std::size_t group, std::size_t bucket) {
  double largest = 0, sum = 0, size = 0;
  for (std::size_t i = 0; i < groups.dim; ++i) {
    const double q = groups.query[i], g = groups.middle(group)[i], c = groups.centre(bucket)[i];
    largest = std::max(largest, std::abs(q));
    sum += std::abs(c - g);
    size += (q - g) * (q - g) + 2 * std::abs(g * (c - g)) + (c - g) * (c - g) + 2 * std::abs(q * (c - g)) +
            8 * std::abs(q - c) * (std::abs(g) + std::abs(c)) / static_cast<double>(groups.dim);
  }
  const double divisor = std::min(32639.0, std::floor(16909320.0 / static_cast<double>(groups.dim)));
  return largest * sum / divisor + kRounding * static_cast<double>(groups.dim + 4) * size;
}

/// How far a few roundings move a coordinate: the largest residual sets the scale of all.
double ulps(Groups& groups, std::size_t group, std::size_t bucket) {
  float largest = 0;
  for (std::size_t i = 0; i < groups.dim; ++i)
    largest = std::max(largest, std::abs(groups.middle(group)[i]) + std::abs(groups.centre(bucket)[i]));
  return 4 * kRounding * double{largest};
}

/// What a block holds of a centre.
struct Held {
  Held(const CentreBlocks& blocks, std::size_t group, std::size_t place, std::size_t dim) : codes(dim) {
    const std::uint8_t* block = blocks.blocks(group) + place / 16 * blocks.block_bytes();
    const std::size_t plane_bytes = (dim + 7) / 8 * 64;
    for (std::size_t i = 0; i < dim; ++i) {
      for (std::size_t plane = 0; plane < blocks.planes(); ++plane) {
        const unsigned byte = block[plane * plane_bytes + i / 8 * 64 + place % 16 * 4 + i % 4];
        codes[i] = 16 * codes[i] + static_cast<int>(i % 8 < 4 ? byte % 16 : byte / 16);
      }
      codes[i] -= blocks.planes() == 1 ? 8 : 128;
    }
    const std::uint8_t* factors = block + blocks.block_bytes() - 128 + place % 16 * 4;
    std::memcpy(&a, factors, 4);
    std::memcpy(&f, factors + 64, 4);
  }
  double residual(std::size_t i) const { return double{f} / 2 * codes[i]; }

  std::vector<int> codes;
  float a = 0, f = 0;
};

constexpr std::size_t kDims[]{1, 2, 3, 24, 128, 1024};
constexpr float kOffsets[]{0.0F, 3.0F, 1000.0F};
constexpr float kWidths[]{1e-3F, 1.0F, 30.0F};

template <class Body>
void each_kind(Body body) {
  for (const std::size_t dim : kDims)
    for (const float offset : kOffsets)
      for (const float width : kWidths)
        for (const std::size_t planes : {1U, 2U}) {
          Groups groups(dim, offset, width);
          groups.round(planes);
          body(groups, planes);
        }
}

}  // namespace

TEST(keys_of_rounded_centres_are_squared_distances) {
  each_kind([](Groups& groups, std::size_t) {
    const auto keys = keys_of(groups, groups.blocks());
    groups.each_centre([&](std::size_t group, std::size_t bucket) {
      double exact = 0;
      for (std::size_t i = 0; i < groups.dim; ++i)
        exact += std::pow(double{groups.query[i]} - double{groups.centre(bucket)[i]}, 2);
      CHECK(std::abs(double{keys[bucket]} - exact) <= largest_error(groups, group, bucket), "dim", groups.dim,
            "bucket", bucket, keys[bucket], exact, largest_error(groups, group, bucket));
    });
  });
}

TEST(a_block_holds_a_rounded_centre_as_it_is) {
  each_kind([](Groups& groups, std::size_t) {
    const CentreBlocks blocks = groups.blocks();
    groups.each_centre([&](std::size_t group, std::size_t bucket) {
      const Held held(blocks, group, bucket - groups.starts[group], groups.dim);
      double a = 0, size = 0;
      const double error = ulps(groups, group, bucket);
      for (std::size_t i = 0; i < groups.dim; ++i) {
        const float g = groups.middle(group)[i], c = groups.centre(bucket)[i];
        const double r = held.residual(i);
        CHECK(std::abs(double{g} + r - double{c}) <= error, "dim", groups.dim, "bucket", bucket, "at", i, g,
              r, c);
        a += r * r + 2 * double{g} * r;
        size += r * r + 2 * std::abs(double{g} * r);
      }
      CHECK(std::abs(double{held.a} - a) <= kRounding * static_cast<double>(groups.dim + 4) * size,
            groups.dim, bucket, held.a, a);
    });
  });
}

TEST(a_centre_is_rounded_once) {
  each_kind([](Groups& groups, std::size_t planes) {
    const auto once = groups.centres;
    groups.round(planes);
    groups.each_centre([&](std::size_t group, std::size_t bucket) {
      const double error = ulps(groups, group, bucket);
      for (std::size_t i = 0; i < groups.dim; ++i) {
        const float before = once[bucket * groups.dim + i], now = groups.centre(bucket)[i];
        CHECK(std::abs(double{now} - double{before}) <= error, "dim", groups.dim, "bucket", bucket, before,
              now);
      }
    });
  });
}

TEST(a_centre_is_rounded_by_half_a_step_at_most) {
  for (const std::size_t dim : kDims)
    for (const std::size_t planes : {1U, 2U}) {
      Groups groups(dim, 3.0F, 1.0F);
      const auto exact = groups.centres;
      groups.round(planes);
      groups.each_centre([&](std::size_t group, std::size_t bucket) {
        const float *c = exact.data() + bucket * dim, *g = groups.middle(group);
        double largest = 0;
        for (std::size_t i = 0; i < dim; ++i)
          largest = std::max(largest, std::abs(double{c[i]} - double{g[i]}));
        for (std::size_t i = 0; i < dim; ++i)
          CHECK(std::abs(double{groups.centre(bucket)[i]} - double{c[i]}) <=
                largest / (planes == 1 ? 14 : 254) + ulps(groups, group, bucket));
      });
    }
}

TEST(centres_that_one_plane_does_not_hold_have_two) {
  for (const std::size_t dim : kDims) {
    Groups groups(dim, 3.0F, 1.0F);
    CHECK(groups.blocks().planes() == (dim == 1 ? 1 : 2), dim);  // one coordinate is always the largest
    groups.round(2);
    CHECK(groups.blocks().planes() == (dim == 1 ? 1 : 2), dim);
    groups.round(1);
    CHECK(groups.blocks().planes() == 1, dim);
  }
}

TEST(centres_that_equal_that_of_their_group_have_its_distance) {
  for (const std::size_t dim : kDims) {
    Groups groups(dim, 1000.0F, 0.0F);
    const auto before = groups.centres;
    groups.round(1);
    CHECK(groups.centres == before);
    const auto keys = keys_of(groups, groups.blocks());
    groups.each_centre([&](std::size_t group, std::size_t bucket) {
      CHECK(keys[bucket] == kernels().squared_l2(groups.query.data(), groups.middle(group), dim), dim,
            bucket);
    });
  }
}

TEST(a_query_in_steps_is_off_by_half_a_step_and_within_the_kernels_limit) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  CentreBlocks::Room room;
  for (const std::size_t dim : {1U, 2U, 3U, 24U, 517U, 518U, 519U, 1024U})
    for (const float size : {0.0F, 1e-30F, 1.0F, 1e18F, kInf, kNan}) {
      const CentreBlocks blocks(dim, std::vector<float>(dim), std::vector<std::uint32_t>{0, 1},
                                std::vector<float>(dim));
      std::vector<float> query(dim);
      for (float& each : query) each = size * (random() % 2 == 0 ? 1.0F : normal(random));
      const CentreQuery in_steps = blocks.query(query.data(), room);
      CHECK(in_steps.eights == (dim + 7) / 8 && room.bytes.size() == 16 * in_steps.eights);
      std::int64_t sum = 0, sizes = 0;
      for (std::size_t i = 0; i < 8 * in_steps.eights; ++i) {
        const std::int8_t* bytes = in_steps.bytes + i / 8 * 16 + i % 8;
        const int step = 256 * bytes[0] + bytes[8];
        sum += step, sizes += std::abs(step);
        if (i >= dim) CHECK(step == 0, dim, i);
        if (i < dim && size < kInf)
          CHECK(std::abs(double{query[i]} - double{in_steps.step} * step) <= 0.501 * double{in_steps.step},
                dim, size, i);
      }
      CHECK(sizes * 127 < std::int64_t{1} << 31, dim, size);
      CHECK(in_steps.base == -8 * sum && in_steps.planes == 1, dim, size);
    }
}

TEST(centres_beyond_float_are_harmless) {
  for (const float strange : {kNan, kInf, -kInf, 3e38F, -3e38F, 1e-45F})
    for (const std::size_t dim : {1U, 3U, 24U}) {
      Groups groups(dim, 1.0F, 1.0F);
      for (const std::size_t bucket : {0U, 5U, 20U}) *groups.centre(bucket) = strange;
      *groups.middle(4) = strange;
      const auto keys = keys_of(groups, groups.blocks());
      for (const std::size_t bucket : {1U, 2U, 30U}) CHECK(std::isfinite(keys[bucket]), strange, bucket);
      groups.round(1);
      std::ranges::fill(groups.query, strange);
      keys_of(groups, groups.blocks());
    }
}
