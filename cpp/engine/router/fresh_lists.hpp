// Fresh rows in the lists of a router: their sketches, found by bucket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/router/router.hpp"
#include "engine/sketch/sketches.hpp"

namespace lookalike {

/// Immutable: a version with more rows has blocks and pages of its own where rows came to, and shares all
/// others. So a search reads them while rows are added, and what nobody reads any more is freed.
class FreshLists {
 public:
  struct alignas(64) Line {
    std::array<std::uint8_t, 64> bytes{};
  };

  /// Up to 32 entries of a bucket.
  struct Block {
    std::vector<Line> sketches;
    std::array<std::uint32_t, SketchLayout::kEntries> rows{};
    std::size_t version = 0;  // that may still write here

    const std::uint8_t* bytes() const { return sketches.data()->bytes.data(); }
  };

  explicit FreshLists(std::shared_ptr<const Router> router);

  const std::shared_ptr<const Router>& router() const { return router_; }

  /// So many rows are in it, numbered as they came.
  std::size_t rows() const { return rows_; }

  /// Those of them that are unlike all that the router knows, and in no bucket; ascending.
  std::span<const std::uint32_t> unlike() const {
    return unlike_ != nullptr ? std::span<const std::uint32_t>(*unlike_) : std::span<const std::uint32_t>();
  }

  /// With the next `count` rows. Only the newest version may be continued.
  FreshLists with(const Routed& routed, std::size_t count) const;

  /// Calls visit(block, entries) for each block of a bucket.
  template <class Visit>
  void visit(std::uint32_t bucket, Visit visit) const {
    const Head& head = (*pages_[bucket / kPage])[bucket % kPage];
    if (head.count == 0) return;
    if (head.full != nullptr)
      for (const auto& block : *head.full) visit(*block, std::uint32_t{SketchLayout::kEntries});
    visit(*head.last, (head.count - 1) % std::uint32_t{SketchLayout::kEntries} + 1);
  }

 private:
  static constexpr std::size_t kPage = 32;  // buckets

  struct Head {
    std::shared_ptr<Block> last;
    std::shared_ptr<const std::vector<std::shared_ptr<const Block>>> full;  // before it; null: none
    std::uint32_t count = 0;                                                // entries of the bucket
  };
  using Page = std::array<Head, kPage>;

  Block& to_write(Head& head) const;

  std::shared_ptr<const Router> router_;
  std::vector<std::shared_ptr<const Page>> pages_;
  std::shared_ptr<const std::vector<std::uint32_t>> unlike_;  // null: none
  std::size_t rows_ = 0;
  double residuals_ = 0.0;  // of all rows
};

}  // namespace lookalike
