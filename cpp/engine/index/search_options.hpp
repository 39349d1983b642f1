// What is asked of a search, and its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/search/stages.hpp"

namespace lookalike {

class Filter;

struct SearchOptions {
  static constexpr long kMostNeighbours = 1L
                                          << 24;  // their places are made whether they can be filled or not
  static constexpr long kMostThreads = 1024;

  std::size_t k = 10;
  double recall = 0.95;
  std::uint32_t probes = 0;  // 0: as many as the recall needs
  std::uint32_t rerank = 0;  // likewise
  bool exact = false;
  float max_distance = std::numeric_limits<float>::infinity();
  int threads = 0;
  const Filter* only = nullptr;                              // no others may be found
  double timeout = std::numeric_limits<double>::infinity();  // seconds
};

struct SearchResult {
  std::vector<std::int64_t> ids;  // queries × k, padded with -1
  std::vector<float> distances;   // queries × k, padded with infinity
  std::vector<Stages> stages;     // of each query

  /// Expected, on average.
  double recall() const {
    double sum = 0.0;
    for (const Stages& each : stages) sum += each.recall();
    return stages.empty() ? 1.0 : sum / static_cast<double>(stages.size());
  }
};

/// Where a search leaves what a SearchResult holds, in room for as much.
struct SearchRoom {
  std::int64_t* ids;
  float* distances;
  Stages* stages;
};

/// The neighbours of each query within a radius, nearest first: those of query i are [starts[i], starts[i +
/// 1]).
struct RangeResult {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
};

}  // namespace lookalike
