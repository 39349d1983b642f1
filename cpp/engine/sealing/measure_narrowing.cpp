// How many finalists the 8-bit rows must leave: measured, as the recall is.
#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <vector>

#include "engine/sealing/measure.hpp"
#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {

// Where vectors lie close together far from all others, 8 bits cannot tell them apart: then more of the
// candidates are compared exactly, up to all.
float Measurer::measure_narrowing(const QueryBlock& queries, const Truths& truths) const {
  constexpr std::array kFactors = {1.25F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F, 8.0F, 12.0F, 16.0F};
  constexpr std::size_t kNeighbours = 10, kSamples = 400;
  constexpr std::uint32_t kProbes = 64, kCandidates = 512;
  constexpr double kLost = 0.001;
  if (segment_.form().compact()) return kFactors.front();
  // Of the nearest alone, where one is asked for, and of all.
  constexpr std::array<std::size_t, 2> kLevels = {1, kNeighbours};
  std::array<std::atomic<std::size_t>, kLevels.size()> met{};
  std::array<std::array<std::atomic<std::size_t>, kFactors.size()>, kLevels.size()> kept{};
  const RoutedSearch search(segment_);
  const std::size_t count = std::min(queries.count, kSamples);
  parallel_for(count, kQueriesAtOnce, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    const QueryBlock block = queries.part(begin, end - begin);
    Scratch scratch;
    Errand& errand = scratch.errand;
    for (std::size_t q = 0; q < block.count; ++q) {
      hash(router_, block.query(q), scratch);
      router_.family().order(errand.query(), kProbes, scratch.hash, errand.order);
      errand.candidates.start(kCandidates * router_.tables());
      Stages stages;
      for (const Near& near : errand.order) search.scan_bucket(near, errand, stages);
      errand.candidates.finish();
      if (router_.tables() > 1) errand.candidates.unite(kCandidates);
      const auto rows = errand.candidates.kept();
      std::vector<float> keys(rows.size());
      segment_.byte_rows().keys(search.byte_query(errand), rows, scratch.byte_rows, keys.data());
      const std::vector<Found>& truth = truths[begin + q];
      for (std::size_t j = 0; j < std::min(kNeighbours, truth.size()); ++j) {
        const auto at = std::find(rows.begin(), rows.end(), static_cast<std::uint32_t>(truth[j].id));
        if (at == rows.end()) continue;
        const float key = keys[static_cast<std::size_t>(at - rows.begin())];
        const auto nearer = std::count_if(keys.begin(), keys.end(), [&](float other) { return other < key; });
        for (std::size_t level = j < kLevels[0] ? 0 : 1; level < kLevels.size(); ++level) {
          ++met[level];
          for (std::size_t i = 0; i < kFactors.size(); ++i)
            if (static_cast<float>(nearer) < kFactors[i] * static_cast<float>(kLevels[level]) + 8.0F)
              ++kept[level][i];
        }
      }
    }
  });
  const auto keeps = [&](std::size_t level, std::size_t i) {
    return static_cast<double>(kept[level][i]) >= (1.0 - kLost) * static_cast<double>(met[level]);
  };
  for (std::size_t i = 0; i < kFactors.size(); ++i)
    if (keeps(0, i) && keeps(1, i)) return kFactors[i];
  return std::numeric_limits<float>::infinity();
}

}  // namespace lookalike
