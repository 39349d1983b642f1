// Fresh rows in the lists of a router: their sketches, found by bucket.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/slabs.hpp"
#include "engine/router/router.hpp"
#include "engine/rows/copies.hpp"
#include "engine/sketch/sketches.hpp"

namespace lookalike {

/// Immutable: a version with more rows has blocks and pages of its own where rows came to, and shares all
/// others. So a search reads them while rows are added; what nobody reads any more is used again, and freed
/// with the last version that has rows.
class FreshLists {
 public:
  /// Up to 32 entries of a bucket: their sketches, and their rows. Up to 16 are in a short block.
  struct Entries {
    const std::uint8_t* sketches;
    const std::uint32_t* rows;
    std::uint32_t count;
    bool is_short;
  };

  explicit FreshLists(std::shared_ptr<const Router> router);

  const std::shared_ptr<const Router>& router() const { return router_; }

  /// So many rows are in it, numbered as they came.
  std::size_t rows() const { return rows_; }

  /// Those of them that are unlike all that the router knows, and in no bucket; ascending, without copies.
  std::span<const std::uint32_t> unlike() const {
    return unlike_ != nullptr ? std::span<const std::uint32_t>(*unlike_) : std::span<const std::uint32_t>();
  }

  /// A row that is in no bucket itself, because it equals one that came before it.
  struct Copy {
    std::uint32_t original;
    std::uint32_t row;
    auto operator<=>(const Copy&) const = default;
  };
  /// Ascending; nearly all there are.
  std::span<const Copy> copies() const {
    return copies_ != nullptr ? std::span<const Copy>(*copies_) : std::span<const Copy>();
  }
  /// The originals with very many copies (copies.hpp) that are in a bucket, ascending.
  std::span<const std::uint32_t> heaps() const {
    return heaps_ != nullptr ? std::span<const std::uint32_t>(*heaps_) : std::span<const std::uint32_t>();
  }
  std::span<const Copy> copies_of(std::uint32_t original) const {
    const auto [first, last] = std::ranges::equal_range(copies(), original, {}, &Copy::original);
    return {first, last};
  }

  /// Whether two of the rows, those to come among them, are equal.
  using Equal = std::function<bool(std::uint32_t, std::uint32_t)>;

  /// With the next `count` rows. Only the newest version may be continued, by one thread at a time.
  FreshLists with(const Routed& routed, std::size_t count, const Equal& equal) const;
  /// The same, routed here, some thousands at a time: so what it takes beside the lists is bounded.
  FreshLists with(const StoredRows& rows, const Equal& equal) const;

  /// Calls visit(entries) for each block of a bucket. No block is read for it: it may lie anywhere.
  template <class Visit>
  void visit(std::uint32_t bucket, Visit visit) const {
    const Page& page = *pages_[bucket / kPage];
    const auto& [last, count] = page.heads[bucket % kPage];
    if (count == 0) return;
    if (count > kEntries)
      for (const auto& block : *page.owned[bucket % kPage].full)
        visit(entries_of(block->sketches(kEntries), kEntries));
    visit(entries_of(last, (count - 1) % kEntries + 1));
  }
  /// Asks for what `visit` reads.
  void prefetch(std::uint32_t bucket) const {
    __builtin_prefetch(pages_[bucket / kPage]->heads.data() + bucket % kPage);
  }

 private:
  static constexpr std::uint32_t kEntries = SketchLayout::kEntries;
  static constexpr std::size_t kPage = 32;  // buckets

  struct alignas(64) Line {
    std::array<std::uint8_t, 64> bytes{};
  };
  /// The rows of its entries, in lines of their own, and behind them the sketches: who has the address of
  /// these needs no other.
  struct Block {
    explicit Block(const std::shared_ptr<Slabs>& slabs) : lines(InSlabs<Line>(slabs)) {}

    std::vector<Line, InSlabs<Line>> lines;
    std::size_t version = 0;  // that may still write here

    std::uint8_t* sketches(std::size_t room) { return lines[lines_of_rows(room)].bytes.data(); }
  };
  /// What searches read of a bucket.
  struct alignas(16) Head {
    const std::uint8_t* last = nullptr;  // the sketches of its last block
    std::uint32_t count = 0;             // its entries
  };
  struct Owned {
    std::shared_ptr<Block> last;
    std::shared_ptr<const std::vector<std::shared_ptr<Block>>> full;  // before it; null: none
  };
  struct alignas(64) Page {
    std::array<Head, kPage> heads;
    std::array<Owned, kPage> owned;
  };

  /// For how many entries a block has room in which so many are.
  static constexpr std::size_t room_for(std::size_t entries) {
    return entries <= SketchLayout::kShort ? SketchLayout::kShort : kEntries;
  }
  static constexpr std::size_t lines_of_rows(std::size_t room) {
    return room * sizeof(std::uint32_t) / sizeof(Line);
  }
  static Entries entries_of(const std::uint8_t* sketches, std::uint32_t count) {
    const std::size_t room = room_for(count);
    return {sketches, reinterpret_cast<const std::uint32_t*>(sketches) - room, count, room < kEntries};
  }

  std::optional<std::uint32_t> equal_in(std::uint32_t bucket, const Page& page, const Factors& factors,
                                        std::uint32_t row, const Equal& equal) const;
  static std::optional<std::uint32_t> equal_among(std::span<const std::uint32_t> unlike, std::uint32_t row,
                                                  const Equal& equal);
  std::vector<std::uint32_t> find_heaps(std::size_t rows) const;
  std::size_t expected_bytes() const;
  std::uint8_t* to_write(Head& head, Owned& owned) const;
  std::shared_ptr<Block> block_of(std::size_t room) const;

  std::shared_ptr<const Router> router_;
  std::shared_ptr<Slabs> slabs_;  // where blocks and pages are, of all versions; null: none
  std::vector<std::shared_ptr<const Page>> pages_;
  std::shared_ptr<const std::vector<std::uint32_t>> unlike_;  // null: none
  std::shared_ptr<const std::vector<Copy>> copies_;           // null: none
  std::shared_ptr<const std::vector<std::uint32_t>> heaps_;   // null: none
  std::size_t rows_ = 0, like_ = 0;  // those that are different, and like what the router knows
  double residuals_ = 0.0;           // of these
};

}  // namespace lookalike
