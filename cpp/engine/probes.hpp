// The order in which a query visits buckets: multi-probe by smallest margin, over all tables together
// (query-directed probing: Lv, Josephson, Wang, Charikar & Li, VLDB 2007, §4.3–4.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/hyperplanes.hpp"

namespace lookalike {

struct Probe {
  std::uint32_t table;
  std::uint32_t code;
};

/// Yields each bucket of each table once: first the query's own in every table, then by ascending score, the
/// sum of the squared margins of the bits that were flipped. Reusable; holds its memory between queries.
class ProbeOrder {
 public:
  void reset(const Hyperplanes& family, const float* margins);

  /// False when every bucket was visited.
  bool next(Probe& probe);

 private:
  // A set of flipped bits, named by positions in the table's ascending order of margins; `last` is the
  // largest.
  struct Flips {
    float score;
    std::uint32_t table;
    std::uint32_t last;
    std::uint32_t mask;  // in code space
    bool operator<(const Flips& other) const;
  };
  struct Bit {
    float score;  // margin²
    std::uint32_t mask;
  };

  const Bit& bit(std::uint32_t table, std::uint32_t position) const {
    return order_[std::size_t{table} * bits_ + position];
  }
  void push(const Flips& flips);

  std::uint32_t tables_ = 0;
  std::uint32_t bits_ = 0;
  std::uint32_t own_ = 0;  // how many of the query's own buckets were given out
  std::vector<std::uint32_t> codes_;
  std::vector<Bit> order_;
  std::vector<Flips> heap_;
};

}  // namespace lookalike
