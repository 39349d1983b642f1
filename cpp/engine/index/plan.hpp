// What a search does with one segment of an index.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/base/bits.hpp"
#include "engine/index/index.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct Index::Plan {
  const Segment* segment;
  std::optional<Bits> own_bits;  // where a filter leaves out more than what was removed
  std::size_t allowed_count;
  bool scan;
  Visit visit;
};

}  // namespace lookalike
