// The centres of buckets in 8 bits, relative to the centre of their group, as queries are compared with them.
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
#include "engine/rows/byte_rows.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// With g the centre of a group and c ≈ g + scale · code,
///   ‖q − c‖² = ‖q − g‖² + A − F⟨q, code⟩,   A = ‖c − g‖² + 2⟨g, c − g⟩,   F = 2 scale.
class CentreBlocks {
 public:
  CentreBlocks() = default;

  /// group_centres: groups × dim; centres: those of group i are starts[i] to starts[i + 1].
  CentreBlocks(std::size_t dim, std::span<const float> group_centres, std::span<const std::uint32_t> starts,
               std::span<const float> centres)
      : pairs_((dim + 1) / 2) {
    for (std::size_t group = 0; group + 1 < starts.size(); ++group) {
      first_block_.push_back(bytes_.size());
      const std::size_t count = starts[group + 1] - starts[group];
      bytes_.resize(bytes_.size() + (count + centres_per_block - 1) / centres_per_block * block_bytes());
      const float* middle = group_centres.data() + group * dim;
      for (std::size_t i = 0; i < count; ++i)
        write(middle, centres.data() + (starts[group] + i) * dim, dim, i,
              bytes_.data() + first_block_.back());
    }
  }

  /// Rounds a centre to what a block will hold of it.
  static void round(const float* group_centre, std::size_t dim, float* centre) {
    const Residual rounded(group_centre, centre, dim);
    for (std::size_t i = 0; i < dim; ++i) centre[i] = group_centre[i] + rounded.values[i];
  }

  /// The query in whole steps, kept in `steps`.
  CentreQuery query(const float* query, std::size_t dim, std::vector<std::int16_t>& steps) const {
    const float step = make_steps(query, dim, steps);
    return {steps.data(), pairs_, step};
  }

  const std::uint8_t* blocks(std::size_t group) const { return bytes_.data() + first_block_[group]; }
  std::size_t block_bytes() const { return centre_block_bytes(pairs_); }

 private:
  /// Of a centre from that of its group, in 8 bits.
  struct Residual {
    Residual(const float* middle, const float* centre, std::size_t dim)
        : values(dim), row(ByteRows::stride(dim)) {
      for (std::size_t i = 0; i < dim; ++i) values[i] = centre[i] - middle[i];
      ByteRows::write(values.data(), dim, row.data());
      ByteRows::read(row.data(), dim, values.data());
    }
    std::vector<float> values;  // as rounded
    std::vector<std::int8_t> row;
  };

  void write(const float* middle, const float* centre, std::size_t dim, std::size_t i,
             std::uint8_t* blocks) const {
    const Residual rounded(middle, centre, dim);
    const auto [scale, square] = ByteRows::factors(rounded.row.data());
    const float a = square + 2.0F * kernels().dot(middle, rounded.values.data(), dim), f = 2.0F * scale;
    std::uint8_t* block = blocks + i / centres_per_block * block_bytes();
    const std::size_t lane = i % centres_per_block;
    for (std::size_t d = 0; d < dim; ++d)
      block[d / 2 * 2 * centres_per_block + 2 * lane + d % 2] =
          static_cast<std::uint8_t>(ByteRows::codes(rounded.row.data())[d]);
    std::uint8_t* factors = block + 2 * centres_per_block * pairs_ + lane * sizeof(float);
    std::memcpy(factors, &a, sizeof a);
    std::memcpy(factors + centres_per_block * sizeof(float), &f, sizeof f);
  }

  std::size_t pairs_ = 0;
  std::vector<std::size_t> first_block_;  // of each group, in bytes
  Array<std::uint8_t> bytes_;
};

}  // namespace lookalike
