// What a search does with one segment of an index.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/index/index.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct Index::Plan {
  const Segment* segment;
  std::shared_ptr<const Allowed> filtered;  // where a filter leaves out more than what was removed
  std::size_t allowed_count;
  bool scan;
  Visit visit;
};

}  // namespace lookalike
