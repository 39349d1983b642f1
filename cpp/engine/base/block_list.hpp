// The blocks of some buckets behind each other, for one run of a kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/dispatch.hpp"

namespace lookalike {

/// Of blocks that hold so many entries each.
template <std::uint32_t Entries>
class BlockList {
 public:
  void start(std::size_t block_bytes) {
    block_bytes_ = block_bytes;
    count_ = 0;
  }

  /// A bucket of any number of entries, whose blocks lie behind each other. How many blocks that is, nobody
  /// can foretell: so a few are written without asking.
  void add(const BlockToScan& bucket) {
    constexpr std::size_t kFew = 8;
    const std::size_t blocks = (bucket.count + Entries - 1) / Entries;
    if (list_.size() < count_ + blocks + kFew) list_.resize(2 * (count_ + blocks + kFew));
    BlockToScan* out = list_.data() + count_;
    const auto write = [&](std::size_t i) {
      const auto before = static_cast<std::uint32_t>(i) * Entries;
      out[i] = {bucket.bytes + i * block_bytes_, bucket.offset, bucket.first + before, bucket.count - before};
    };
    for (std::size_t i = 0; i < kFew; ++i) write(i);
    for (std::size_t i = kFew; i < blocks; ++i) write(i);
    count_ += blocks;
  }

  void add_block(const BlockToScan& block) {
    if (list_.size() == count_) list_.resize(2 * count_ + 8);
    list_[count_++] = block;
  }

  std::size_t count() const { return count_; }

  /// Of these blocks; those behind them are known, too.
  BlocksToScan part(std::size_t begin, std::size_t count) const {
    return {list_.data() + begin, count, count_ - begin};
  }

 private:
  std::size_t block_bytes_ = 0;
  std::size_t count_ = 0;
  std::vector<BlockToScan> list_;
};

}  // namespace lookalike
