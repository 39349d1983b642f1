// What rows that are sealed under their router have already: it need not be found again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/router/fresh_lists.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

/// The bucket of a row in one table, and where its sketch is.
struct CarriedEntry {
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::uint32_t bucket = kNone;
  std::uint32_t place = 0;              // in the block
  const std::uint8_t* block = nullptr;  // null: to be sketched anew
};

/// Of rows that are to be sealed, by their numbers there. The lists that it was made of must outlive it.
class Carried {
 public:
  Carried(std::uint32_t tables, std::size_t rows)
      : tables_(tables), entries_(rows * tables), sources_(rows) {}

  /// An entry for each original and table.
  static std::vector<CarriedEntry> entries_of(const Segment& segment);
  /// The same for each row of lists: only buckets, and none of rows that are in none.
  static std::vector<CarriedEntry> entries_of(const FreshLists& lists);

  /// A row has what row `other` of these has.
  void take(std::size_t row, const std::vector<CarriedEntry>& entries, std::size_t other) {
    std::copy_n(entries.data() + other * tables_, tables_, entries_.data() + row * tables_);
  }
  /// The same of an original of the segment that was added last, with its 8-bit form.
  void take_sealed(std::size_t row, const std::vector<CarriedEntry>& entries, std::uint32_t original) {
    take(row, entries, original);
    sources_[row] = {static_cast<std::uint32_t>(segments_.size() - 1), original};
  }
  void add(std::shared_ptr<const Segment> segment) { segments_.push_back(std::move(segment)); }

  bool has(std::size_t row) const { return entries_[row * tables_].bucket != CarriedEntry::kNone; }
  const CarriedEntry& entry(std::size_t row, std::size_t table) const {
    return entries_[row * tables_ + table];
  }
  /// Of a row whose sketch is there.
  const std::int8_t* bytes(std::size_t row) const {
    const auto& [number, original] = sources_[row];
    const Segment& segment = *segments_[number];
    segment.touch_bytes({&original, 1});
    return segment.byte_rows().row(original);
  }
  /// How far the rows reach whose sketches are there.
  Reach reach(std::uint32_t bucket) const {
    Reach reach;
    for (const auto& segment : segments_)
      reach.include(segment->reach(bucket).radius, segment->reach(bucket).left_out);
    return reach;
  }

 private:
  struct Source {
    std::uint32_t segment, original;
  };

  std::size_t tables_;
  std::vector<CarriedEntry> entries_;
  std::vector<Source> sources_;
  std::vector<std::shared_ptr<const Segment>> segments_;
};

}  // namespace lookalike
