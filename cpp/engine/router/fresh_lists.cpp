#include "engine/router/fresh_lists.hpp"

#include <algorithm>
#include <utility>

#include "engine/tuning.hpp"

namespace lookalike {
namespace {

std::uint32_t* rows_before(std::uint8_t* sketches, std::size_t room) {
  return reinterpret_cast<std::uint32_t*>(sketches) - room;
}

}  // namespace

FreshLists::FreshLists(std::shared_ptr<const Router> router) : router_(std::move(router)) {
  const auto none = std::make_shared<const Page>();
  pages_.assign((router_->buckets() + kPage - 1) / kPage, none);
}

FreshLists FreshLists::with(const Routed& routed, std::size_t count, const Equal& equal) const {
  FreshLists made = *this;
  if (slabs_ == nullptr) made.slabs_ = std::make_shared<Slabs>(expected_bytes());
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
    auto original = equal_in(first, page, sketches.factors(), row, equal);
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
      if (to == nullptr) to = std::allocate_shared<Page>(InSlabs<Page>(made.slabs_), *pages_[bucket / kPage]);
      Head& head = to->heads[bucket % kPage];
      std::uint8_t* const bytes = made.to_write(head, to->owned[bucket % kPage]);
      const std::uint32_t at = head.count++ % kEntries;
      const std::size_t room = room_for(at + std::size_t{1});
      sketches.put(at, bytes, room);
      rows_before(bytes, room)[at] = row;
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
    made.heaps_ = std::make_shared<const std::vector<std::uint32_t>>(made.find_heaps(rows_ + count));
  }
  made.rows_ += count;
  return made;
}

std::vector<std::uint32_t> FreshLists::find_heaps(std::size_t rows) const {
  Heaps heaps(rows);
  const auto apart = unlike();
  for (auto copy = copies().begin(); copy != copies().end();) {
    const std::uint32_t original = copy->original;
    const auto end = std::partition_point(copy, copies().end(),
                                          [&](const Copy& each) { return each.original == original; });
    if (!std::ranges::binary_search(apart, original))
      heaps.add(original, static_cast<std::size_t>(end - copy));
    copy = end;
  }
  return std::move(heaps).take();
}

// Equal rows have equal factors, and hardly any others have. Of a bucket that is very full the last blocks
// are looked through: what is a copy of a row before them is listed once more.
std::optional<std::uint32_t> FreshLists::equal_in(std::uint32_t bucket, const Page& page,
                                                  const Factors& factors, std::uint32_t row,
                                                  const Equal& equal) const {
  const auto find = [&](const Entries& entries) -> std::optional<std::uint32_t> {
    for (std::size_t i = 0; i < entries.count; ++i) {
      const Factors other = factors_in(entries.sketches, i, router_->layout(), room_for(entries.count));
      if (other.a == factors.a && other.f == factors.f && equal(entries.rows[i], row)) return entries.rows[i];
    }
    return std::nullopt;
  };
  const auto& [last, count] = page.heads[bucket % kPage];
  if (count == 0) return std::nullopt;
  if (const auto found = find(entries_of(last, (count - 1) % kEntries + 1))) return found;
  const auto& before = page.owned[bucket % kPage].full;
  const std::size_t full = before != nullptr ? before->size() : 0;
  for (std::size_t i = full; i-- > full - std::min(full, tuning::kBlocksForCopy);)
    if (const auto found = find(entries_of((*before)[i]->sketches(kEntries), kEntries))) return found;
  return std::nullopt;
}

// Of those that came last.
std::optional<std::uint32_t> FreshLists::equal_among(std::span<const std::uint32_t> unlike, std::uint32_t row,
                                                     const Equal& equal) {
  const auto last = unlike.last(std::min(unlike.size(), tuning::kUnlikeForCopy));
  const auto found = std::ranges::find_if(last, [&](std::uint32_t other) { return equal(other, row); });
  return found != last.end() ? std::optional(*found) : std::nullopt;
}

FreshLists FreshLists::with(const StoredRows& rows, const Equal& equal) const {
  FreshLists made = *this;
  for (std::size_t begin = 0; begin < rows.count; begin += tuning::kSealAfter) {
    const StoredRows some = rows.part(begin, std::min(rows.count, begin + tuning::kSealAfter));
    made = made.with(route_all(*router_, some), some.count, equal);
  }
  return made;
}

// Of most buckets there will be a block, and versions that are read keep some more.
std::size_t FreshLists::expected_bytes() const {
  return tuning::kSpareRoom * router_->buckets() * router_->layout().block_bytes(SketchLayout::kShort);
}

// The last block, if this version made it and it has room; a copy, if another did, or it is a short one and
// full; else a new one behind it. All that it may ever hold matches nothing until it is written.
std::uint8_t* FreshLists::to_write(Head& head, Owned& owned) const {
  const std::size_t version = rows_ + 1;
  const std::uint32_t at = head.count % kEntries;
  if (at == SketchLayout::kShort) {
    auto wide = block_of(kEntries);
    std::uint8_t* const sketches = wide->sketches(kEntries);
    for (std::size_t i = 0; i < at; ++i) copy_sketch(router_->layout(), head.last, i, i, sketches, at);
    std::copy_n(entries_of(head.last, at).rows, at, rows_before(sketches, kEntries));
    owned.last = std::move(wide);
  } else if (at != 0) {
    if (owned.last->version != version) owned.last = std::make_shared<Block>(*owned.last);
  } else {
    if (owned.last != nullptr) {
      std::vector<std::shared_ptr<Block>> full;
      if (owned.full != nullptr) full = *owned.full;
      full.push_back(owned.last);
      owned.full = std::make_shared<const std::vector<std::shared_ptr<Block>>>(std::move(full));
    }
    owned.last = block_of(SketchLayout::kShort);
  }
  owned.last->version = version;
  std::uint8_t* const sketches = owned.last->sketches(room_for(at + 1));
  head.last = sketches;
  return sketches;
}

std::shared_ptr<FreshLists::Block> FreshLists::block_of(std::size_t room) const {
  auto block = std::make_shared<Block>(slabs_);
  const SketchLayout& layout = router_->layout();
  block->lines.resize(lines_of_rows(room) + (layout.block_bytes(room) + sizeof(Line) - 1) / sizeof(Line));
  close_sketches(1, layout, block->sketches(room), room);
  return block;
}

}  // namespace lookalike
