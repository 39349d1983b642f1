#include "engine/router/fresh_lists.hpp"

#include <algorithm>
#include <utility>

namespace lookalike {

FreshLists::FreshLists(std::shared_ptr<const Router> router) : router_(std::move(router)) {
  const auto none = std::make_shared<const Page>();
  pages_.assign((router_->buckets() + kPage - 1) / kPage, none);
}

FreshLists FreshLists::with(const Routed& routed, std::size_t count) const {
  FreshLists made = *this;
  std::vector<std::shared_ptr<Page>> own(pages_.size());
  SketchWriter sketches(router_->layout());
  const std::size_t tables = router_->tables(), m = router_->m();
  std::vector<std::uint32_t> unlike;
  for (std::size_t i = 0; i < count; ++i) {
    made.residuals_ += double{routed.residuals[i]};
    if (router_->unlike(routed, i) || router_->drifted(made.residuals_, rows_ + i + 1)) {
      unlike.push_back(static_cast<std::uint32_t>(rows_ + i));
      continue;
    }
    for (std::size_t table = 0; table < tables; ++table) {
      const std::uint32_t bucket = routed.bucket_of[i * tables + table];
      std::shared_ptr<Page>& page = own[bucket / kPage];
      if (page == nullptr) page = std::make_shared<Page>(*pages_[bucket / kPage]);
      Head& head = (*page)[bucket % kPage];
      const auto& [block, bytes] = to_write(head);
      const std::uint32_t at = head.count++ % SketchLayout::kEntries;
      sketches.write(routed.projected.data() + i * m, router_->family().centre(bucket), routed.left_out[i],
                     at, bytes);
      if (at == 0) close_sketches(1, router_->layout(), bytes);
      block->rows[at] = static_cast<std::uint32_t>(rows_ + i);
    }
  }
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i] != nullptr) made.pages_[i] = std::move(own[i]);
  if (!unlike.empty()) {
    unlike.insert(unlike.begin(), this->unlike().begin(), this->unlike().end());
    made.unlike_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(unlike));
  }
  made.rows_ += count;
  return made;
}

FreshLists FreshLists::with(const StoredRows& rows) const {
  constexpr std::size_t kAtOnce = 16384;
  FreshLists made = *this;
  for (std::size_t begin = 0; begin < rows.count; begin += kAtOnce) {
    const StoredRows some = rows.part(begin, std::min(rows.count, begin + kAtOnce));
    made = made.with(route_all(*router_, some), some.count);
  }
  return made;
}

// The last block, if this version made it and it has room; a copy, if another did; else a new one behind it.
const FreshLists::Held& FreshLists::to_write(Head& head) const {
  const std::size_t version = rows_ + 1;
  if (head.count % SketchLayout::kEntries != 0) {
    if (head.last.block->version != version) head.last = hold(std::make_shared<Block>(*head.last.block));
  } else {
    if (head.last.block != nullptr) {
      std::vector<Held> full;
      if (head.full != nullptr) full = *head.full;
      full.push_back(head.last);
      head.full = std::make_shared<const std::vector<Held>>(std::move(full));
    }
    auto block = std::make_shared<Block>();
    block->sketches.resize(router_->layout().block_bytes() / sizeof(Line));
    head.last = hold(std::move(block));
  }
  head.last.block->version = version;
  return head.last;
}

FreshLists::Held FreshLists::hold(std::shared_ptr<Block> block) const {
  std::uint8_t* const sketches = block->sketches.data()->bytes.data();
  return {std::move(block), sketches};
}

}  // namespace lookalike
