// Buckets of every length become the blocks that a scan reads.

#include <cstdint>
#include <vector>

#include "check.hpp"
#include "engine/base/block_list.hpp"

using namespace lookalike;

TEST(a_block_list_names_each_block_of_each_bucket_once) {
  constexpr std::size_t kBlockBytes = 10;
  const std::vector<std::uint8_t> memory(100'000);
  BlockList<16> list;
  for (int round = 0; round < 2; ++round) {
    list.start(kBlockBytes);
    std::vector<BlockToScan> expected;
    const std::uint8_t* bytes = memory.data();
    std::uint32_t first = 7;
    for (std::uint32_t count = 0; count < 300; ++count) {
      const BlockToScan bucket{bytes, static_cast<float>(count), first, count};
      list.add(bucket);
      for (std::uint32_t before = 0; before < count; before += 16, bytes += kBlockBytes)
        expected.push_back({bytes, bucket.offset, first + before, count - before});
      first += count;
    }
    for (std::uint32_t count = 1; count <= 16; ++count, bytes += kBlockBytes, first += count) {
      expected.push_back({bytes, 0.5F, first, count});
      list.add_block(expected.back());
    }
    CHECK(list.count() == expected.size(), list.count(), expected.size());
    const BlocksToScan all = list.part(0, list.count());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const BlockToScan &block = all.blocks[i], &other = expected[i];
      CHECK(block.bytes == other.bytes && block.offset == other.offset && block.first == other.first &&
                block.count == other.count,
            i);
    }
    const BlocksToScan part = list.part(5, 3);
    CHECK(part.blocks == all.blocks + 5 && part.count == 3 && part.known == list.count() - 5);
  }
}
