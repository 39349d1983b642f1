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
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

struct Candidate {
  float key;
  std::uint32_t number;  // of the neighbour
};

/// The neighbours that are among these rows, by ascending key. No bit of `marks` is set, before and after.
std::vector<Candidate> neighbours_among(std::span<const std::uint32_t> rows, std::span<const float> keys,
                                        std::span<const Found> truth, std::vector<bool>& marks) {
  struct Sought {
    std::uint32_t row, number;
  };
  std::vector<Sought> sought;
  for (std::uint32_t i = 0; i < truth.size(); ++i)
    sought.push_back({static_cast<std::uint32_t>(truth[i].id), i});
  std::ranges::sort(sought, {}, &Sought::row);
  for (const Sought& each : sought) marks[each.row] = true;
  std::vector<Candidate> among;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (marks[rows[i]])
      among.push_back({keys[i], std::ranges::lower_bound(sought, rows[i], {}, &Sought::row)->number});
  for (const Sought& each : sought) marks[each.row] = false;
  std::ranges::sort(among, {}, &Candidate::key);
  return among;
}

}  // namespace

// Where vectors lie close together far from all others, 8 bits cannot tell them apart: then more of the
// candidates are compared exactly, up to all.
float Measurer::measure_narrowing(const Sample& sample) const {
  constexpr auto factors = tuning::kNarrowings;
  if (segment_.form().compact()) return factors.front();
  constexpr std::array<std::size_t, 3> kLevels = {1, 10, 100};
  const auto& [queries, without, truths] = sample;
  std::array<std::atomic<std::size_t>, kLevels.size()> met{};
  std::array<std::array<std::atomic<std::size_t>, factors.size()>, kLevels.size()> kept{};
  const RoutedSearch search(segment_);
  const std::size_t count = std::min(queries.count, tuning::kQueriesForNarrowing);
  parallel_for(count, tuning::kPieceForThread, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    const QueryBlock block = queries.part(begin, end - begin);
    Scratch scratch;
    std::vector<bool> marks(segment_.originals());
    Errand& errand = scratch.errand;
    for (std::size_t q = 0; q < block.count; ++q) {
      hash(router_, block.query(q), scratch);
      router_.family().order(errand.query(), tuning::kBucketsForNarrowing, scratch.hash, errand.order);
      errand.candidates.start(tuning::kCandidatesForNarrowing * router_.tables());
      Stages stages;
      for (const Near& near : errand.order) search.scan_bucket(near, errand, stages);
      errand.candidates.finish();
      if (router_.tables() > 1) errand.candidates.unite(tuning::kCandidatesForNarrowing);
      const auto rows = errand.candidates.kept();
      std::vector<float> keys(rows.size());
      segment_.byte_rows().keys(search.byte_query(errand), rows, scratch.byte_rows, keys.data());
      for (const std::uint32_t none : sample.without_of(begin + q))
        if (const auto at = std::ranges::find(rows, none); at != rows.end())
          keys[static_cast<std::size_t>(at - rows.begin())] = std::numeric_limits<float>::infinity();
      const std::vector<Found>& truth = truths[begin + q];
      const std::vector<Candidate> neighbours = neighbours_among(rows, keys, truth, marks);
      std::vector<std::size_t> behind(neighbours.size() + 1);  // which, so many are nearer
      for (const float key : keys)
        if (!neighbours.empty() && key < neighbours.back().key)
          ++behind[static_cast<std::size_t>(std::ranges::upper_bound(neighbours, key, {}, &Candidate::key) -
                                            neighbours.begin())];
      std::size_t nearer = 0;
      for (std::size_t n = 0; n < neighbours.size(); ++n) {
        nearer += behind[n];
        for (std::size_t level = 0; level < kLevels.size(); ++level) {
          if (neighbours[n].number >= kLevels[level]) continue;
          ++met[level];
          for (std::size_t i = 0; i < factors.size(); ++i)
            if (static_cast<float>(nearer) <
                factors[i] * static_cast<float>(kLevels[level]) + tuning::kNarrowedAnyway)
              ++kept[level][i];
        }
      }
    }
  });
  const auto keeps = [&](std::size_t level, std::size_t i) {
    return static_cast<double>(kept[level][i]) >=
           (1.0 - tuning::kLostByNarrowing) * static_cast<double>(met[level]);
  };
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (keeps(0, i) && keeps(1, i) && keeps(2, i)) return factors[i];
  return std::numeric_limits<float>::infinity();
}

}  // namespace lookalike
