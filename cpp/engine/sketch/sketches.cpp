#include "engine/sketch/sketches.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace lookalike {
namespace {

struct Place {
  std::uint8_t* nibbles;  // of the entry's block
  std::uint8_t* factors;
  std::size_t in_block;

  Place(std::uint8_t* blocks, std::size_t m, std::size_t i) : in_block(i % SketchLayout::kEntries) {
    const SketchLayout layout(m);
    nibbles = blocks + i / SketchLayout::kEntries * layout.block_bytes();
    factors = nibbles + layout.groups * 16;
  }

  void set(Factors values) const {
    std::memcpy(factors + in_block * sizeof(float), &values.a, sizeof(float));
    std::memcpy(factors + (SketchLayout::kEntries + in_block) * sizeof(float), &values.f, sizeof(float));
  }
};

}  // namespace

float write_sketch(const float* y, const float* centre, std::size_t m, float left_out, std::size_t i,
                   std::uint8_t* blocks) {
  const Place place(blocks, m, i);
  const unsigned shift = place.in_block < 16 ? 0 : 4;
  double square = 0.0, sum = 0.0, along_centre = 0.0;
  for (std::size_t j = 0; j < m; ++j) {
    const float r = y[j] - centre[j];
    square += double{r} * double{r};
    sum += std::abs(double{r});
    along_centre += r >= 0 ? double{centre[j]} : -double{centre[j]};
    if (r >= 0)
      place.nibbles[j / 4 * 16 + place.in_block % 16] |= static_cast<std::uint8_t>(1U << (j % 4 + shift));
  }
  // A vector that lies on the centre has no residual: its estimate is exact.
  const double f = sum > 0 ? 2.0 * square / sum : 0.0;
  place.set({static_cast<float>(square + f * along_centre + double{left_out}), static_cast<float>(f)});
  return static_cast<float>(square);
}

void close_sketches(std::size_t entries, std::size_t m, std::uint8_t* blocks) {
  for (std::size_t i = entries; i % SketchLayout::kEntries != 0; ++i)
    Place(blocks, m, i).set({std::numeric_limits<float>::infinity(), 0.0F});
}

void QueryTable::make(const float* query, std::size_t m) {
  groups_ = SketchLayout(m).groups;
  entries_.assign(groups_ * 16, 0);
  float largest = 0.0F, sum = 0.0F;
  for (std::size_t j = 0; j < m; j += 4) {
    float of_group = 0.0F;
    for (std::size_t b = j; b < std::min(j + 4, m); ++b) of_group += std::abs(query[b]);
    largest = std::max(largest, 2.0F * of_group);
    sum += of_group;
  }
  base_ = -sum;
  step_ = largest / static_cast<float>(kLargestEntry);
  const float to_steps = step_ > 0 ? 1.0F / step_ : 0.0F;  // a step of 0, or not finite: a table of zeros
  if (!std::isfinite(to_steps) || !std::isfinite(sum)) return;
  for (std::size_t j = 0; j < m; j += 4) {
    float sums[16] = {0.5F};  // so that cutting off rounds
    float steps[4] = {};
    for (std::size_t b = 0; b < std::min<std::size_t>(4, m - j); ++b) {
      steps[b] = query[j + b] * to_steps;
      sums[0] += std::abs(steps[b]) - steps[b];
    }
    for (std::size_t b = 0, bit = 1; b < 4; ++b, bit *= 2)
      for (std::size_t pattern = 0; pattern < bit; ++pattern)
        sums[pattern + bit] = sums[pattern] + 2.0F * steps[b];
    for (std::size_t pattern = 0; pattern < 16; ++pattern)
      entries_[j * 4 + pattern] =
          static_cast<std::uint8_t>(std::clamp(sums[pattern], 0.0F, static_cast<float>(kLargestEntry)));
  }
}

Sketches::Sketches(std::size_t m, Column<std::uint32_t> starts, Column<std::uint8_t> blocks)
    : layout_(m), starts_(std::move(starts)), blocks_(std::move(blocks)) {
  first_block_.reserve(starts_.size());
  std::size_t block = 0;
  for (std::uint32_t bucket = 0; bucket < buckets(); ++bucket) {
    first_block_.push_back(block);
    block += SketchLayout::blocks_for(count(bucket));
  }
}

Factors Sketches::factors(std::uint32_t bucket, std::uint32_t i) const {
  const std::uint8_t* of_block =
      blocks(bucket) + i / SketchLayout::kEntries * layout_.block_bytes() + layout_.groups * 16;
  const std::size_t in_block = i % SketchLayout::kEntries;
  Factors factors;
  std::memcpy(&factors.a, of_block + in_block * sizeof(float), sizeof(float));
  std::memcpy(&factors.f, of_block + (SketchLayout::kEntries + in_block) * sizeof(float), sizeof(float));
  return factors;
}

std::size_t Sketches::bytes_for(std::size_t m, std::span<const std::uint32_t> starts) {
  std::size_t blocks = 0;
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    blocks += SketchLayout::blocks_for(starts[i + 1] - starts[i]);
  return blocks * SketchLayout(m).block_bytes();
}

}  // namespace lookalike
