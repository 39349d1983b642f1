// Sketches: each vector's residual from the centre of its bucket in 1 or 4/3 bits a dimension, and two
// floats, from which its squared distance to a query is estimated without bias (RaBitQ: Gao & Long, SIGMOD
// 2024, arXiv 2405.12497; beyond 1 bit: Gao et al., arXiv 2409.09913).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/sketch/codebook.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// With r = y − c in m dimensions that were rotated at random, and s the points of a codebook nearest to r √m
/// / ‖r‖:
///   F = 2‖r‖² / ⟨s, r⟩,  A = ‖r‖² + F⟨s, c⟩,  and  ‖q − y‖² ≈ A + ‖q − c‖² − F⟨s, q⟩.
/// Along r this is exact; what s has across it points anywhere alike, whatever the codebook, so the estimate
/// is unbiased. The standard error is at most F ‖s‖ √(1 − ip²) ‖q − c‖ / √(m − 1), ip the cosine of s and r:
/// 0.80 for signs, 0.88 for points of 3 dimensions (2405.12497, theorem 3.2).
struct Factors {
  float a = 0.0F;
  float f = 0.0F;
};

/// A block holds 32 entries: for each group of the codebook's dimensions 16 bytes of nibbles (byte j: entry j
/// below, entry j + 16 above), then 32 A, then 32 F. Groups are filled up to a multiple of 4. A short block
/// holds 16 in half the bytes: a group of the first half below, one of the second half above.
struct SketchLayout {
  static constexpr std::size_t kEntries = 32, kShort = 16;

  explicit SketchLayout(std::size_t dims, const Codebook& points = kSigns)
      : m(dims), codebook(&points), groups((dims + 4 * points.width - 1) / (4 * points.width) * 4) {}
  /// Of a block that holds so many entries, which are one of these two.
  std::size_t rows(std::size_t entries) const {
    return entries == kShort ? short_sketch_rows(groups) : groups;
  }
  std::size_t block_bytes(std::size_t entries = kEntries) const {
    return rows(entries) * 16 + entries * 2 * sizeof(float);
  }
  static std::size_t blocks_for(std::size_t entries) { return (entries + kEntries - 1) / kEntries; }

  std::size_t m;
  const Codebook* codebook;
  std::size_t groups;
};

/// Writes sketches, for one thread.
class SketchWriter {
 public:
  explicit SketchWriter(const SketchLayout& layout);

  /// Writes entry `i` of a list of blocks, which begin as zeros. `left_out` is what the projection lost of
  /// the vector's squared norm. Returns ‖r‖².
  float write(const float* y, const float* centre, float left_out, std::size_t i, std::uint8_t* blocks);

  /// The same in two steps: `make`, and `put` what was made last, into blocks of so many `entries`. Returns
  /// what `write` does.
  float make(const float* y, const float* centre, float left_out);
  const Factors& factors() const { return factors_; }
  void put(std::size_t i, std::uint8_t* blocks, std::size_t entries = SketchLayout::kEntries) const;

 private:
  SketchLayout layout_;
  Factors factors_;
  std::vector<float> unit_;  // r √m / ‖r‖, filled up
  std::vector<std::uint8_t> points_;
};

/// Copies the entry at `place` of a block, which holds `entries`, to the i-th place of a list of blocks,
/// which begin as zeros.
void copy_sketch(const SketchLayout& layout, const std::uint8_t* block, std::size_t place, std::size_t i,
                 std::uint8_t* blocks, std::size_t entries = SketchLayout::kEntries);

/// Of one entry of a block, which holds `entries`.
Factors factors_in(const std::uint8_t* block, std::size_t entry, const SketchLayout& layout,
                   std::size_t entries = SketchLayout::kEntries);

/// Makes the entries behind the first `count` of a list never match; each block holds `entries`.
void close_sketches(std::size_t count, const SketchLayout& layout, std::uint8_t* blocks,
                    std::size_t entries = SketchLayout::kEntries);

/// A query's products with the 16 points of each group, in 8 bits (André, Kermarrec & Le Scouarnec, VLDB
/// 2015).
class QueryTable {
 public:
  void make(const float* query, const SketchLayout& layout);
  SketchTable view() const { return {entries_.data(), groups_, step_, base_, kLargestEntry}; }
  float step() const { return step_; }

 private:
  static constexpr std::uint8_t kLargestEntry = 31;  // so that four may be added up in 8 bits

  std::vector<float> values_;  // the query, filled up
  std::vector<float> products_;
  std::vector<std::uint8_t> entries_;
  std::size_t groups_ = 0;
  float step_ = 0.0F;
  float base_ = 0.0F;
};

/// The sketches of a segment, bucket after bucket.
class Sketches {
 public:
  Sketches() = default;

  /// starts: the first entry of each bucket, and their number at the end.
  Sketches(const SketchLayout& layout, Column<std::uint32_t> starts, Column<std::uint8_t> blocks);

  static std::size_t bytes_for(const SketchLayout& layout, std::span<const std::uint32_t> starts);

  const SketchLayout& layout() const { return layout_; }
  std::uint32_t buckets() const { return static_cast<std::uint32_t>(starts_.size() - 1); }
  std::uint32_t first(std::uint32_t bucket) const { return starts_[bucket]; }
  std::uint32_t count(std::uint32_t bucket) const { return starts_[bucket + 1] - starts_[bucket]; }
  const std::uint8_t* blocks(std::uint32_t bucket) const {
    return blocks_.data() + first_block_[bucket] * layout_.block_bytes();
  }

  /// A bucket as a query at this squared distance from its centre scans it.
  BlockToScan bucket(std::uint32_t bucket, float key) const {
    return {blocks(bucket), key, first(bucket), count(bucket)};
  }

  /// Of the i-th entry of a bucket.
  Factors factors(std::uint32_t bucket, std::uint32_t i) const;

  std::uint32_t bucket_of(std::uint32_t entry) const {
    return static_cast<std::uint32_t>(std::upper_bound(starts().begin(), starts().end(), entry) -
                                      starts().begin()) -
           1;
  }

  std::span<const std::uint32_t> starts() const { return starts_.view(); }
  std::span<const std::uint8_t> bytes() const { return blocks_.view(); }

 private:
  SketchLayout layout_{0};
  Column<std::uint32_t> starts_;
  Column<std::uint8_t> blocks_;
  std::vector<std::size_t> first_block_;
};

}  // namespace lookalike
