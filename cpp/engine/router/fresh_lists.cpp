#include "engine/router/fresh_lists.hpp"

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
      Block& block = to_write(head);
      const std::uint32_t at = head.count++ % SketchLayout::kEntries;
      std::uint8_t* bytes = block.sketches.data()->bytes.data();
      sketches.write(routed.projected.data() + i * m, router_->family().centre(bucket), routed.left_out[i],
                     at, bytes);
      if (at == 0) close_sketches(1, router_->layout(), bytes);
      block.rows[at] = static_cast<std::uint32_t>(rows_ + i);
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

// The last block, if this version made it and it has room; a copy, if another did; else a new one behind it.
FreshLists::Block& FreshLists::to_write(Head& head) const {
  const std::size_t version = rows_ + 1;
  if (head.count % SketchLayout::kEntries != 0) {
    if (head.last->version != version) head.last = std::make_shared<Block>(*head.last);
  } else {
    if (head.last != nullptr) {
      std::vector<std::shared_ptr<const Block>> full;
      if (head.full != nullptr) full = *head.full;
      full.push_back(head.last);
      head.full = std::make_shared<const std::vector<std::shared_ptr<const Block>>>(std::move(full));
    }
    head.last = std::make_shared<Block>();
    head.last->sketches.resize(router_->layout().block_bytes() / sizeof(Line));
  }
  head.last->version = version;
  return *head.last;
}

}  // namespace lookalike
