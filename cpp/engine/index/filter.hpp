// Ids that alone may be found, asked for by many searches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/rows/allowed.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

/// Which rows of a segment have these ids is found out by the first search, and once more after a removal.
/// Safe from many threads.
class Filter {
 public:
  /// In any order; those of no vector do no harm.
  explicit Filter(std::span<const std::int64_t> ids);

  bool admits(std::int64_t id) const { return std::binary_search(ids_.begin(), ids_.end(), id); }

  /// Those of the segment's live rows, of which there were never fewer.
  std::shared_ptr<const Allowed> among(const std::shared_ptr<const Segment>& segment,
                                       const Allowed& live) const;

 private:
  struct Known {
    std::weak_ptr<const Segment> segment;
    std::size_t live;  // how many rows of the segment were
    std::shared_ptr<const Allowed> allowed;
  };

  std::vector<std::int64_t> ids_;  // ascending
  mutable std::vector<Known> known_;
  mutable std::mutex mutex_;  // over known_; taken by who holds an index's
};

}  // namespace lookalike
