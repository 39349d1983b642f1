// What a scan asks of the memory ahead of itself. In an anonymous namespace for the reason given in
// pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

/// Buckets lie anywhere, and the processor's own prefetcher stops at the end of each.
class BlocksAhead {
 public:
  BlocksAhead(const BlocksToScan& blocks, std::size_t block_bytes)
      : blocks_(blocks.blocks), last_(blocks.known - 1), bytes_(block_bytes) {}

  /// For the block that comes so many after this one; the last known one, asked for again, costs nothing.
  void ask(std::size_t block) const {
    constexpr std::size_t kAhead = 8;
    const std::size_t ahead = block + kAhead;
    const std::uint8_t* bytes = blocks_[ahead < last_ ? ahead : last_].bytes;
    for (std::size_t i = 0; i < bytes_; i += 64) __builtin_prefetch(bytes + i);
  }

 private:
  const BlockToScan* blocks_;
  std::size_t last_;
  std::size_t bytes_;
};

}  // namespace
}  // namespace lookalike
