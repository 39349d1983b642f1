// The centres of buckets in 4 or 8 bits, relative to the centre of their group, as queries are compared with
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/base/array.hpp"
#include "engine/base/steps.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// With g the centre of a group and c ≈ g + scale · code, codes from −7 to 7 (one plane of nibbles) or from
/// −127 to 127 (two),
///   ‖q − c‖² = ‖q − g‖² + A − F⟨q, code⟩,   A = ‖c − g‖² + 2⟨g, c − g⟩,   F = 2 scale.
class CentreBlocks {
 public:
  /// What `query` works in.
  struct Room {
    std::vector<std::int16_t> steps;
    std::vector<std::int8_t> bytes;
  };

  CentreBlocks() = default;

  /// group_centres: groups × dim; centres: those of group i are starts[i] to starts[i + 1]. One plane if all
  /// of them were rounded to one.
  CentreBlocks(std::size_t dim, std::span<const float> group_centres, std::span<const std::uint32_t> starts,
               std::span<const float> centres)
      : dim_(dim), eights_((dim + 7) / 8) {
    while (!fill(group_centres, starts, centres)) ++planes_;
  }

  /// Rounds a centre to what a block of so many planes will hold of it.
  static void round(const float* of_group, std::size_t dim, std::size_t planes, float* centre) {
    const Residual rounded({of_group, centre}, dim, planes);
    for (std::size_t i = 0; i < dim; ++i) centre[i] = of_group[i] + rounded.value(i);
  }

  /// The query in whole steps, kept in `room`.
  CentreQuery query(const float* query, Room& room) const {
    const float step = make_steps(query, dim_, room.steps);
    room.bytes.assign(16 * eights_, 0);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < dim_; ++i) {
      const int whole = room.steps[i], low = static_cast<std::int8_t>(whole & 255);
      std::int8_t* bytes = room.bytes.data() + i / 8 * 16 + i % 8;
      bytes[0] = static_cast<std::int8_t>((whole - low) / 256);
      bytes[8] = static_cast<std::int8_t>(low);
      sum += static_cast<std::uint32_t>(whole);
    }
    const auto base = static_cast<std::int32_t>(0U - static_cast<std::uint32_t>(zero_value(planes_)) * sum);
    return {room.bytes.data(), eights_, planes_, step, base};
  }

  const std::uint8_t* blocks(std::size_t group) const { return bytes_.data() + first_block_[group]; }
  std::size_t block_bytes() const { return centre_block_bytes(planes_, eights_); }
  std::size_t planes() const { return planes_; }

 private:
  struct Pair {
    const float* of_group;
    const float* centre;
  };

  static constexpr int largest_code(std::size_t planes) { return planes == 1 ? 7 : 127; }
  static constexpr int zero_value(std::size_t planes) { return planes == 1 ? 8 : 128; }

  /// Of a centre from that of its group, rounded.
  struct Residual {
    Residual(Pair pair, std::size_t dim, std::size_t planes) : codes(dim) {
      constexpr float kSmallest = 1e-30F;  // all below is zero: its scale has no inverse
      float largest = 0.0F;
      for (std::size_t i = 0; i < dim; ++i)
        largest = std::max(largest, std::abs(pair.centre[i] - pair.of_group[i]));
      if (largest > kSmallest) scale = largest / static_cast<float>(largest_code(planes));
      const float to_code = scale > 0.0F ? 1.0F / scale : 0.0F;
      for (std::size_t i = 0; i < dim; ++i) {
        const float code = std::nearbyint((pair.centre[i] - pair.of_group[i]) * to_code);
        if (std::abs(code) <= 127.0F) codes[i] = static_cast<std::int8_t>(code);  // else no number
      }
    }
    float value(std::size_t i) const { return scale * static_cast<float>(codes[i]); }
    std::vector<std::int8_t> codes;
    float scale = 0.0F;
  };

  /// Returns whether the planes hold the centres; two hold any.
  bool fill(std::span<const float> group_centres, std::span<const std::uint32_t> starts,
            std::span<const float> centres) {
    first_block_.clear();
    bytes_.clear();
    for (std::size_t group = 0; group + 1 < starts.size(); ++group) {
      first_block_.push_back(bytes_.size());
      const std::size_t count = starts[group + 1] - starts[group];
      bytes_.resize(bytes_.size() + (count + centres_per_block - 1) / centres_per_block * block_bytes());
      const float* of_group = group_centres.data() + group * dim_;
      for (std::size_t i = 0; i < count; ++i) {
        const Pair pair{of_group, centres.data() + (starts[group] + i) * dim_};
        const Residual rounded(pair, dim_, planes_);
        if (planes_ == 1 && !is_exact(rounded, pair)) return false;
        write(rounded, of_group, i, bytes_.data() + first_block_.back());
      }
    }
    return true;
  }

  /// Whether the centre is what rounding made of it, but for the rounding of a few operations.
  bool is_exact(const Residual& rounded, Pair pair) const {
    constexpr float kRounding = 0x1p-22F;
    float size = 0.0F;
    for (std::size_t i = 0; i < dim_; ++i)
      size = std::max(size, std::abs(pair.of_group[i]) + std::abs(pair.centre[i]));
    for (std::size_t i = 0; i < dim_; ++i)
      if (!(std::abs(pair.of_group[i] + rounded.value(i) - pair.centre[i]) <= kRounding * size)) return false;
    return true;
  }

  void write(const Residual& rounded, const float* of_group, std::size_t i, std::uint8_t* blocks) const {
    std::vector<float> values(dim_);
    std::uint8_t* block = blocks + i / centres_per_block * block_bytes();
    const std::size_t lane = i % centres_per_block, plane_bytes = 4 * centres_per_block * eights_;
    float square = 0.0F;
    for (std::size_t d = 0; d < dim_; ++d) {
      values[d] = rounded.value(d);
      square += values[d] * values[d];
      const int value = rounded.codes[d] + zero_value(planes_), shift = d % 8 < 4 ? 0 : 4;
      std::uint8_t* byte = block + d / 8 * 4 * centres_per_block + 4 * lane + d % 4;
      for (std::size_t plane = 0; plane < planes_; ++plane, byte += plane_bytes) {
        const int nibble = plane + 1 < planes_ ? value / 16 : value % 16;
        *byte = static_cast<std::uint8_t>(*byte | nibble << shift);
      }
    }
    const float a = square + 2.0F * kernels().dot(of_group, values.data(), dim_);
    const float f = 2.0F * rounded.scale;
    std::uint8_t* factors = block + planes_ * plane_bytes + lane * sizeof(float);
    std::memcpy(factors, &a, sizeof a);
    std::memcpy(factors + centres_per_block * sizeof(float), &f, sizeof f);
  }

  std::size_t dim_ = 0, eights_ = 0, planes_ = 1;
  std::vector<std::size_t> first_block_;  // of each group, in bytes
  Array<std::uint8_t> bytes_;
};

}  // namespace lookalike
