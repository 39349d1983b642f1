// The first section of a segment file: what all others are measured by.
#pragma once

#include <array>
#include <cstdint>

#include "engine/recall/margins.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/segment_file.hpp"

namespace lookalike {

struct StoredShape {
  std::uint64_t rows;
  std::uint64_t dim;
  std::uint64_t seed;
  std::uint64_t next_id;
  std::uint32_t metric;
  std::uint32_t asked_buckets;
  std::uint32_t groups;  // 0 where the rows are not hashed
  std::uint32_t buckets;
  std::uint32_t m;
  std::uint32_t projection;
  std::uint32_t probe_steps;
  std::uint32_t rerank_steps;
  float largest_norm;
  std::uint32_t store;
  std::uint32_t family;
  std::uint32_t asked_tables;
  std::uint32_t tables;
  std::uint32_t digits;  // of a code, where the family has codes
  std::uint32_t last_width;
  float narrowing;
  std::array<std::uint32_t, kMeasuredAt.size()> margins;  // steps of each level
  std::uint32_t copies;
  std::uint32_t sketch_width;  // dimensions of a nibble
  float mean_residual;         // of the rows from the centres of their buckets, squared; 0: not known

  Shape asked() const;
};
static_assert(sizeof(StoredShape) == 128);

/// The shape in a file of any version. DamagedError unless it makes sense: then every product of its numbers
/// is far from overflow; each is compared with what the file really holds.
StoredShape stored_shape(const SegmentFile& file, Section which = Section::shape);

}  // namespace lookalike
