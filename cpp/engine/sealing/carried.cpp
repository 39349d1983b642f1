#include "engine/sealing/carried.hpp"

namespace lookalike {

// Buckets are numbered through all tables, so those of a row come table after table.
std::vector<CarriedEntry> Carried::entries_of(const Segment& segment) {
  const Sketches& sketches = segment.sketches();
  const std::size_t tables = segment.tables(), block_bytes = sketches.layout().block_bytes();
  std::vector<CarriedEntry> entries(segment.originals() * tables);
  for (std::uint32_t bucket = 0; bucket < sketches.buckets(); ++bucket)
    for (std::uint32_t i = 0; i < sketches.count(bucket); ++i) {
      const std::uint32_t entry = sketches.first(bucket) + i;
      entries[segment.row_of(entry) * tables + entry / segment.originals()] = {
          bucket, i % static_cast<std::uint32_t>(SketchLayout::kEntries),
          sketches.blocks(bucket) + i / SketchLayout::kEntries * block_bytes};
    }
  return entries;
}

std::vector<CarriedEntry> Carried::entries_of(const FreshLists& lists) {
  const std::size_t tables = lists.router()->tables();
  std::vector<CarriedEntry> entries(lists.rows() * tables);
  for (std::uint32_t bucket = 0; bucket < lists.router()->buckets(); ++bucket)
    lists.visit(bucket, [&](const FreshLists::Entries& block) {
      for (std::uint32_t i = 0; i < block.count; ++i) {
        CarriedEntry* entry = entries.data() + block.rows[i] * tables;
        while (entry->bucket != CarriedEntry::kNone) ++entry;
        entry->bucket = bucket;
      }
    });
  return entries;
}

}  // namespace lookalike
