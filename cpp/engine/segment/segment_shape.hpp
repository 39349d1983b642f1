// The first section of a segment file: what the others are measured by.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/hash/coded_family.hpp"
#include "engine/router/router_parts.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/segment_file.hpp"

namespace lookalike {

struct SegmentShape {
  std::uint64_t rows;
  std::uint64_t dim;
  std::uint64_t seed;
  std::uint64_t next_id;
  RouterHash router;  // zeros where the rows are not hashed
  std::uint32_t metric;
  std::uint32_t store;
  std::uint32_t copies;
  std::uint32_t asked_buckets;
  std::uint32_t asked_tables;
  std::uint32_t zero;
  StoredName family;  // asked for

  Shape asked() const;
};
static_assert(sizeof(SegmentShape) == 96);

/// That of a file of any version. DamagedError unless it makes sense: then every product of its numbers is
/// far from overflow; each is compared with what the file really holds. NotAnIndexError where it names what
/// only a newer lookalike knows.
SegmentShape segment_shape(const SegmentFile& file, std::string_view section = "segment");

/// The same of the router, with its rows' shape; no buckets where the rows are not hashed.
RouterShape router_shape(const SegmentFile& file, const SegmentShape& segment);

/// Version 2 had the layout of its codes in its shape.
CodeLayout codes_of_version_2(const SegmentFile& file);

}  // namespace lookalike
