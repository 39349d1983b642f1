// The fresh rows of a snapshot, numbered through all their chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "engine/base/bits.hpp"
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
    if (live_ == rows_) return;
    Bits living;
    for (const FreshRows& chunk : chunks_) living.append(chunk.living());
    living_ = std::make_shared<const Bits>(std::move(living));
  }

  /// The same rows, of which no others live than those of a filter: a bit for each.
  FreshTable among(Bits allowed) const {
    FreshTable made = *this;
    if (living_ != nullptr) allowed.keep_of(*living_);
    made.live_ = allowed.count();
    made.living_ = std::make_shared<const Bits>(std::move(allowed));
    return made;
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
  bool equal(const RowForm& form, std::size_t a, std::size_t b) const {
    return std::memcmp(bytes(form, a), bytes(form, b), form.bytes()) == 0;
  }
  const std::byte* bytes(const RowForm& form, std::size_t row) const {
    const auto [chunk, at] = this->at(row);
    return chunk.stored(form).row(at);
  }
  bool lives(std::size_t row) const { return living_ == nullptr || (*living_)[row]; }
  /// How many of rows [begin, end) live.
  std::size_t live(std::size_t begin, std::size_t end) const {
    return living_ == nullptr ? end - begin : living_->count(begin, end);
  }
  /// The first of [begin, end) that lives, or end.
  std::size_t next_living(std::size_t begin, std::size_t end) const {
    return living_ == nullptr ? begin : living_->next(begin, end);
  }

 private:
  std::vector<FreshRows> chunks_;
  std::vector<std::size_t> starts_;
  std::size_t rows_ = 0, live_ = 0;
  std::shared_ptr<const Bits> living_;  // null: all
};

}  // namespace lookalike
