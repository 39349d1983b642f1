// What one searching thread needs and keeps between queries; no two threads share one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/block_list.hpp"
#include "engine/base/candidates.hpp"
#include "engine/base/fork_safety.hpp"
#include "engine/base/stop.hpp"
#include "engine/base/top_k.hpp"
#include "engine/hash/hash_family.hpp"
#include "engine/hash/hash_scratch.hpp"
#include "engine/projection/projection.hpp"
#include "engine/recall/hit_model.hpp"
#include "engine/rows/byte_rows.hpp"
#include "engine/search/known_keys.hpp"
#include "engine/search/laps.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/stages.hpp"
#include "engine/sketch/sketches.hpp"

namespace lookalike {

/// One query on its way through a segment.
struct Errand {
  const float* placed = nullptr;  // all three in the scratch
  const float* projected = nullptr;
  const float* landmarks = nullptr;
  QueryTable table;
  std::vector<Near> order;    // the buckets to visit
  std::span<const Near> now;  // of these, in the phase under way
  bool searching = false;
  float e = 0.0F;                // the k-th estimate by which it was decided last how far to go
  std::vector<float> shares;     // of the rows of the buckets in order, how many may be found
  std::vector<float> log_ranks;  // of these buckets, among those that hold such rows
  float rank = 0.0F;             // so many of them
  Stages before;                 // what other routers did
  BlockList<SketchLayout::kEntries> blocks, fresh_blocks;
  BlockList<SketchLayout::kShort> short_blocks;
  Candidates candidates;
  std::vector<RoutedSearch::FreshBlock> fresh;  // those of the scan under way

  HashQuery query() const { return {projected, landmarks}; }
};

/// What searches for one query in one segment have computed.
struct Known {
  KnownKeys of_bytes, exact;
};

struct Scratch {
  // Some queries in the space of squared distances, projected, and as the hash family sees them.
  std::vector<float> placed, projected, landmarks;
  Projection::Scratch projection;
  HashScratch hash;
  HitModel::Room hits;
  Errand errand;
  Candidates finalists;  // by 8-bit rows
  ByteRows::Room byte_rows;
  std::vector<TopK> nearest;
  std::vector<float> queries;                         // where they are not asked as they were given
  std::vector<Near> order;                            // a longer one
  std::vector<bool> visited;                          // by bucket
  std::vector<std::uint32_t> fresh, sealed, of_view;  // candidates, by where they are
  std::vector<std::uint32_t> with_heaps;              // finalists
  Known* known = nullptr;                             // null: each query is searched for once
  Laps* laps = nullptr;                               // null: nobody asks
  Stop* stop = nullptr;                               // null: it goes on to its end

  bool stopped() const { return stop != nullptr && stop->now(); }
};

class ScratchPool : private ForkSafe {
 public:
  ScratchPool() { enroll(); }
  ~ScratchPool() override { withdraw(); }

  struct Return {
    ScratchPool* pool;
    void operator()(Scratch* scratch) const { pool->give(std::unique_ptr<Scratch>(scratch)); }
  };

  std::unique_ptr<Scratch, Return> borrow() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return {new Scratch, Return{this}};
    Scratch* scratch = free_.back().release();
    free_.pop_back();
    return {scratch, Return{this}};
  }

 private:
  void give(std::unique_ptr<Scratch> scratch) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(scratch));
  }

  void before_fork() override { mutex_.lock(); }
  void after_fork_in_parent() override { mutex_.unlock(); }
  void after_fork_in_child() override { new (&mutex_) std::mutex(); }

  std::mutex mutex_;  // over free_, never held for long
  std::vector<std::unique_ptr<Scratch>> free_;
};

}  // namespace lookalike
