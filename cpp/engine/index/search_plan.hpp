// What a search does with one segment.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/index/snapshot.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct Snapshot::Plan {
  const Segment* segment;
  std::shared_ptr<const Allowed> allowed;  // null: every row
  std::size_t allowed_count;
  bool scan;
  Visit visit;
};

}  // namespace lookalike
