// The fresh rows of a snapshot, numbered through all their chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/rows/fresh_rows.hpp"

namespace lookalike {

class FreshTable {
 public:
  FreshTable() = default;
  explicit FreshTable(std::vector<FreshRows> chunks) : chunks_(std::move(chunks)) {
    for (const FreshRows& chunk : chunks_) {
      starts_.push_back(rows_);
      rows_ += chunk.size();
      live_ += chunk.live_count();
    }
  }

  const std::vector<FreshRows>& chunks() const { return chunks_; }
  std::size_t rows() const { return rows_; }
  std::size_t live() const { return live_; }
  /// The first row of a chunk.
  std::size_t start(std::size_t chunk) const { return starts_[chunk]; }

  struct At {
    const FreshRows& chunk;
    std::uint32_t row;
  };
  At at(std::size_t row) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), row);
    const auto chunk = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return {chunks_[chunk], static_cast<std::uint32_t>(row - starts_[chunk])};
  }
  bool lives(std::size_t row) const {
    const auto [chunk, at] = this->at(row);
    return chunk[at];
  }

 private:
  std::vector<FreshRows> chunks_;
  std::vector<std::size_t> starts_;
  std::size_t rows_ = 0, live_ = 0;
};

}  // namespace lookalike
