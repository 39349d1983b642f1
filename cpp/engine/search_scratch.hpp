// What one searching thread needs and keeps between queries; no two threads share one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/distances.hpp"
#include "engine/probes.hpp"
#include "engine/top_k.hpp"

namespace lookalike {

struct QueryBlock {
  const float* vectors;  // count × dim
  std::size_t count;
  std::array<float, kQueriesAtOnce> scales;

  const float* vector(std::size_t q, std::size_t dim) const { return vectors + q * dim; }
};

struct Scratch {
  std::array<TopK, kQueriesAtOnce> nearest;
  std::array<std::uint32_t, kQueriesAtOnce> candidates{};
  ProbeOrder order;
  std::vector<float> margins;
  std::vector<std::uint32_t> gathered;

  void start(std::size_t k, float max_key) {
    for (TopK& top : nearest) top.reset(k, max_key);
    candidates.fill(0);
  }

  // A stamp for each row costs one store for a query where clearing would cost one for every row.
  void forget_seen(std::size_t rows) {
    gathered.clear();
    if (stamps_.size() != rows || ++stamp_ == 0) {
      stamps_.assign(rows, 0);
      stamp_ = 1;
    }
  }

  bool first_sight(std::uint32_t row) { return std::exchange(stamps_[row], stamp_) != stamp_; }

 private:
  std::vector<std::uint32_t> stamps_;
  std::uint32_t stamp_ = 0;
};

class ScratchPool {
 public:
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

  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

}  // namespace lookalike
