// How a scan runs through its blocks: two at a time, asking the memory for those that come later. In an
// anonymous namespace for the reason given in pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

/// Buckets lie anywhere, and the processor's own prefetcher stops at the end of each. The last block that is
/// known, asked for again, costs nothing.
inline void ask_ahead(const BlocksToScan& blocks, std::size_t block, std::size_t block_bytes) {
  constexpr std::size_t kAhead = 8;
  const std::size_t ahead = block + kAhead, last = blocks.known - 1;
  const std::uint8_t* bytes = blocks.blocks[ahead < last ? ahead : last].bytes;
  for (std::size_t i = 0; i < block_bytes; i += 64) __builtin_prefetch(bytes + i);
}

/// Calls scan.keep<2>(query, blocks) for each two of them, and keep<1> for what is left.
template <class Scan, class Query>
void keep_of_all(Scan& scan, const Query& query, const BlocksToScan& blocks, std::size_t block_bytes) {
  std::size_t i = 0;
  for (; i + 2 <= blocks.count; i += 2) {
    ask_ahead(blocks, i, block_bytes);
    ask_ahead(blocks, i + 1, block_bytes);
    scan.template keep<2>(query, blocks.blocks + i);
  }
  if (i < blocks.count) scan.template keep<1>(query, blocks.blocks + i);
}

}  // namespace
}  // namespace lookalike
