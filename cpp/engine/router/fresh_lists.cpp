#include "engine/router/fresh_lists.hpp"

#include <algorithm>
#include <utility>

namespace lookalike {

FreshLists::FreshLists(std::shared_ptr<const Router> router) : router_(std::move(router)) {
  const auto none = std::make_shared<const Page>();
  pages_.assign((router_->buckets() + kPage - 1) / kPage, none);
}

FreshLists FreshLists::with(const Routed& routed, std::size_t count, const Equal& equal) const {
  FreshLists made = *this;
  std::vector<std::shared_ptr<Page>> own(pages_.size());
  SketchWriter sketches(router_->layout());
  const std::size_t tables = router_->tables(), m = router_->m();
  std::vector<std::uint32_t> unlike;
  std::vector<Copy> copies;
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = static_cast<std::uint32_t>(rows_ + i);
    const auto make = [&](std::uint32_t bucket) {
      sketches.make(routed.projected.data() + i * m, router_->family().centre(bucket), routed.left_out[i]);
    };
    const std::uint32_t first = routed.bucket_of[i * tables];
    make(first);
    const Page& page = own[first / kPage] != nullptr ? *own[first / kPage] : *pages_[first / kPage];
    auto original = equal_in(page[first % kPage], sketches.factors(), row, equal);
    if (!original) original = equal_among(unlike, row, equal);
    if (!original) original = equal_among(this->unlike(), row, equal);
    if (original) {
      copies.push_back({*original, row});
      continue;
    }
    bool apart = router_->unlike(routed, i);
    if (!apart) {
      made.residuals_ += double{routed.residuals[i]};
      apart = router_->drifted(made.residuals_, ++made.like_);
    }
    if (apart) {
      unlike.push_back(row);
      continue;
    }
    for (std::size_t table = 0; table < tables; ++table) {
      const std::uint32_t bucket = routed.bucket_of[i * tables + table];
      if (table > 0) make(bucket);
      std::shared_ptr<Page>& to = own[bucket / kPage];
      if (to == nullptr) to = std::make_shared<Page>(*pages_[bucket / kPage]);
      Head& head = (*to)[bucket % kPage];
      const auto& [block, bytes] = to_write(head);
      const std::uint32_t at = head.count++ % SketchLayout::kEntries;
      sketches.put(at, bytes, room_for(at + std::size_t{1}));
      block->rows[at] = row;
    }
  }
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i] != nullptr) made.pages_[i] = std::move(own[i]);
  if (!unlike.empty()) {
    unlike.insert(unlike.begin(), this->unlike().begin(), this->unlike().end());
    made.unlike_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(unlike));
  }
  if (!copies.empty()) {
    std::vector<Copy> all(this->copies().size() + copies.size());
    std::sort(copies.begin(), copies.end());
    std::ranges::merge(this->copies(), copies, all.begin());
    made.copies_ = std::make_shared<const std::vector<Copy>>(std::move(all));
  }
  made.rows_ += count;
  return made;
}

// Equal rows have equal factors, and hardly any others have. Of a bucket that is very full the last blocks
// are looked through: what is a copy of a row before them is listed once more.
std::optional<std::uint32_t> FreshLists::equal_in(const Head& head, const Factors& factors, std::uint32_t row,
                                                  const Equal& equal) const {
  constexpr std::size_t kMostBlocks = 16;
  const auto find = [&](const Held& held, std::size_t entries) -> std::optional<std::uint32_t> {
    for (std::size_t i = 0; i < entries; ++i) {
      const Factors other = factors_in(held.sketches, i, router_->layout(), room_for(entries));
      if (other.a == factors.a && other.f == factors.f && equal(held.block->rows[i], row))
        return held.block->rows[i];
    }
    return std::nullopt;
  };
  if (head.count == 0) return std::nullopt;
  if (const auto found = find(head.last, (head.count - 1) % SketchLayout::kEntries + 1)) return found;
  const std::size_t full = head.full != nullptr ? head.full->size() : 0;
  for (std::size_t i = full; i-- > full - std::min(full, kMostBlocks);)
    if (const auto found = find((*head.full)[i], SketchLayout::kEntries)) return found;
  return std::nullopt;
}

// Of those that came last.
std::optional<std::uint32_t> FreshLists::equal_among(std::span<const std::uint32_t> unlike, std::uint32_t row,
                                                     const Equal& equal) {
  constexpr std::size_t kMost = 8;
  const auto last = unlike.last(std::min(unlike.size(), kMost));
  const auto found = std::ranges::find_if(last, [&](std::uint32_t other) { return equal(other, row); });
  return found != last.end() ? std::optional(*found) : std::nullopt;
}

FreshLists FreshLists::with(const StoredRows& rows, const Equal& equal) const {
  constexpr std::size_t kAtOnce = 16384;
  FreshLists made = *this;
  for (std::size_t begin = 0; begin < rows.count; begin += kAtOnce) {
    const StoredRows some = rows.part(begin, std::min(rows.count, begin + kAtOnce));
    made = made.with(route_all(*router_, some), some.count, equal);
  }
  return made;
}

// The last block, if this version made it and it has room; a copy, if another did, or it is a short one and
// full; else a new one behind it. All that it may ever hold matches nothing until it is written.
const FreshLists::Held& FreshLists::to_write(Head& head) const {
  const std::size_t version = rows_ + 1, at = head.count % SketchLayout::kEntries;
  if (at == SketchLayout::kShort) {
    auto wide = block_of(SketchLayout::kEntries);
    const Held& before = head.last;
    for (std::size_t i = 0; i < at; ++i)
      copy_sketch(router_->layout(), before.sketches, i, i, wide->sketches.data()->bytes.data(), at);
    std::copy_n(before.block->rows.begin(), at, wide->rows.begin());
    head.last = hold(std::move(wide));
  } else if (at != 0) {
    if (head.last.block->version != version) head.last = hold(std::make_shared<Block>(*head.last.block));
  } else {
    if (head.last.block != nullptr) {
      std::vector<Held> full;
      if (head.full != nullptr) full = *head.full;
      full.push_back(head.last);
      head.full = std::make_shared<const std::vector<Held>>(std::move(full));
    }
    head.last = hold(block_of(SketchLayout::kShort));
  }
  head.last.block->version = version;
  return head.last;
}

std::shared_ptr<FreshLists::Block> FreshLists::block_of(std::size_t room) const {
  auto block = std::make_shared<Block>();
  const SketchLayout& layout = router_->layout();
  block->sketches.resize((layout.block_bytes(room) + sizeof(Line) - 1) / sizeof(Line));
  std::uint8_t* const bytes = block->sketches.data()->bytes.data();
  close_sketches(1, layout, bytes, room);
  return block;
}

FreshLists::Held FreshLists::hold(std::shared_ptr<Block> block) {
  std::uint8_t* const sketches = block->sketches.data()->bytes.data();
  return {std::move(block), sketches};
}

}  // namespace lookalike
