// Ids that alone may be found, asked for by many searches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <vector>

#include "engine/base/fork_safety.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/fresh_table.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

/// Which rows of a segment have these ids is found out by the first search.
/// Safe from many threads.
class Filter : private ForkSafe {
 public:
  /// In any order; those of no vector do no harm.
  explicit Filter(std::span<const std::int64_t> ids);
  ~Filter() override { withdraw(); }

  bool admits(std::int64_t id) const { return std::binary_search(ids_.begin(), ids_.end(), id); }

  /// Those of the segment's rows that live; null: all.
  std::shared_ptr<const Allowed> among(const std::shared_ptr<const Segment>& segment,
                                       const std::shared_ptr<const Allowed>& live) const;
  /// Fresh rows of which no others live.
  FreshTable among(const FreshTable& fresh) const;

 private:
  struct Known {
    std::weak_ptr<const Segment> segment;
    std::shared_ptr<const Bits> rows;   // those with the ids
    std::weak_ptr<const Allowed> live;  // of the segment's rows, if not all
    bool all_live = false;
    std::shared_ptr<const Allowed> allowed;
  };

  struct KnownChunk {
    std::weak_ptr<const Rows> memory;
    std::shared_ptr<const Bits> rows;  // those with the ids, whether they live or not
  };
  using KnownChunks = std::vector<KnownChunk>;
  struct KnownTable {
    std::weak_ptr<const void> memory;
    std::shared_ptr<const Bits> living;  // those with the ids
    std::size_t live = 0;
  };

  Known known(const std::shared_ptr<const Segment>& segment) const;

  void before_fork() override { mutex_.lock(); }
  void after_fork_in_parent() override { mutex_.unlock(); }
  void after_fork_in_child() override { new (&mutex_) std::mutex(); }

  std::vector<std::int64_t> ids_;  // ascending
  mutable std::vector<Known> known_;
  mutable std::shared_ptr<const KnownChunks> known_chunks_ = std::make_shared<const KnownChunks>();
  mutable KnownTable known_table_;
  mutable std::mutex mutex_;  // over these three, never held for long
};

}  // namespace lookalike
