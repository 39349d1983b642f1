// What each stage of a search did.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

struct Stages {
  std::uint32_t probes = 0;      // buckets visited
  std::uint32_t scanned = 0;     // sketches estimated
  std::uint32_t met = 0;         // of these, which may be found; a row counts in each table
  std::uint32_t candidates = 0;  // compared in 8 bits
  std::uint32_t reranked = 0;    // compared exactly
  std::uint32_t whole = 0;       // of these, where all are compared, or all that a filter leaves
  bool too_far = false;          // or since to visit more buckets would have cost more
  double missed = 0.0;           // of the neighbours, so large a share is expected to be missed

  double recall() const { return 1.0 - missed; }

  void count_compared(std::size_t rows) {
    candidates += static_cast<std::uint32_t>(rows);
    reranked += static_cast<std::uint32_t>(rows);
  }
};

}  // namespace lookalike
