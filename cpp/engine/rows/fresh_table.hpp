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
  explicit FreshTable(std::vector<FreshRows> chunks = {}) {
    Memory memory{std::move(chunks), {}};
    for (const FreshRows& chunk : memory.chunks) {
      memory.starts.push_back(rows_);
      rows_ += chunk.size();
      live_ += chunk.live_count();
    }
    memory_ = std::make_shared<const Memory>(std::move(memory));
    if (live_ == rows_) return;
    Bits living;
    for (const FreshRows& chunk : this->chunks()) living.append(chunk.living());
    living_ = std::make_shared<const Bits>(std::move(living));
  }

  /// Clears the bits of rows that do not live.
  void keep_living(Bits& rows) const {
    if (living_ != nullptr) rows.keep_of(*living_);
  }
  /// The same rows, of which only these live, so many.
  FreshTable among(std::shared_ptr<const Bits> living, std::size_t live) const {
    FreshTable made = *this;
    made.live_ = live;
    made.living_ = std::move(living);
    return made;
  }

  /// For who is to know it again without keeping it.
  std::weak_ptr<const void> memory() const { return memory_; }
  bool is_in(const std::weak_ptr<const void>& memory) const {
    return !memory.owner_before(memory_) && !memory_.owner_before(memory);
  }

  const std::vector<FreshRows>& chunks() const { return memory_->chunks; }
  std::size_t rows() const { return rows_; }
  std::size_t live() const { return live_; }
  /// The first row of a chunk.
  std::size_t start(std::size_t chunk) const { return memory_->starts[chunk]; }

  struct At {
    const FreshRows& chunk;
    std::uint32_t row;
  };
  At at(std::size_t row) const {
    const auto& [chunks, starts] = *memory_;
    const auto after = std::upper_bound(starts.begin(), starts.end(), row);
    const auto chunk = static_cast<std::size_t>(after - starts.begin()) - 1;
    return {chunks[chunk], static_cast<std::uint32_t>(row - starts[chunk])};
  }
  bool equal(const RowForm& form, std::size_t a, std::size_t b) const {
    return std::memcmp(bytes(form, a), bytes(form, b), form.bytes()) == 0;
  }
  const std::byte* bytes(const RowForm& form, std::size_t row) const {
    const auto [chunk, at] = this->at(row);
    return chunk.stored(form).row(at);
  }
  bool lives(std::size_t row) const { return living_ == nullptr || (*living_)[row]; }
  /// A bit for each row: whether it lives. Null: all do.
  const std::uint64_t* living_words() const { return living_ != nullptr ? living_->words().data() : nullptr; }
  /// How many of rows [begin, end) live.
  std::size_t live(std::size_t begin, std::size_t end) const {
    if (begin == 0 && end == rows_) return live_;
    return living_ == nullptr ? end - begin : living_->count(begin, end);
  }
  /// The first of [begin, end) that lives, or end.
  std::size_t next_living(std::size_t begin, std::size_t end) const {
    return living_ == nullptr ? begin : living_->next(begin, end);
  }

 private:
  struct Memory {
    std::vector<FreshRows> chunks;
    std::vector<std::size_t> starts;
  };

  std::shared_ptr<const Memory> memory_;
  std::size_t rows_ = 0, live_ = 0;
  std::shared_ptr<const Bits> living_;  // null: all
};

}  // namespace lookalike
