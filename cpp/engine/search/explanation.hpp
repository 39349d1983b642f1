// Why a search found what it found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/search/laps.hpp"
#include "engine/search/stages.hpp"

namespace lookalike {

/// The last stage that an id reached.
enum class Reached : std::uint32_t {
  nothing,    // it is not in the index
  filter,     // the filter leaves it out
  probe,      // its bucket was not visited
  scan,       // too many sketches were estimated nearer
  narrow,     // too many 8-bit rows were nearer
  rerank,     // its exact distance was too large for a place
  neighbours  // it was found
};

/// What became of one row in a segment.
struct Trace {
  Reached reached = Reached::nothing;
  std::uint32_t bucket_rank = 0;  // its bucket is so many-th in the order of visiting, from 1
  std::uint32_t visited = 0;      // so many buckets were visited
  std::uint32_t nearer = 0;       // so many of their entries are estimated nearer
  std::uint32_t kept = 0;         // so many became candidates
  float key = std::numeric_limits<float>::infinity();
};

struct Explanation {
  std::size_t segments = 0;        // searched by buckets
  std::size_t compared_whole = 0;  // rows compared one by one: fresh ones, and of segments that were scanned
  Stages stages;
  Laps laps;
  double other_seconds = 0.0;  // for the rows compared one by one
  bool level = false;  // some rows may not be found: the recall is that of queries least like the rows
  Trace trace;
};

}  // namespace lookalike
