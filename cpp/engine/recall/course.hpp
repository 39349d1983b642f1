// One sampled query on its way from bucket to bucket, and what it would have taken to go so far.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/hash/hash_family.hpp"
#include "engine/recall/budget.hpp"
#include "engine/recall/hit_model.hpp"

namespace lookalike {

/// Buckets are counted in the order of visiting; kth[level][p] is the k-th lowest estimate among the first p,
/// for the first kShallow of kMeasuredAt. For larger k it is looked for among the entries, in order.
struct Course {
  static constexpr auto kNever = std::numeric_limits<std::uint32_t>::max();

  struct Neighbour {
    float estimate = 0.0F;
    std::uint32_t bucket = kNever;  // where it was met
    std::uint32_t nearer = 0;       // rows before it, copies among them
    std::uint32_t rows = 1;         // it and its copies

    void met(float as, std::uint32_t in) { estimate = as, bucket = in; }
    /// So many of the k nearest rows are it or its copies.
    std::size_t among(std::size_t k) const {
      return std::min<std::size_t>(rows, k - std::min<std::size_t>(nearer, k));
    }
  };

  std::vector<Near> order;  // of more buckets than were visited
  std::array<std::vector<float>, kShallow> kth;
  std::vector<float> entries;             // that may become candidates, as they were met
  std::vector<std::uint32_t> entries_in;  // how many the first p buckets hold
  std::vector<Neighbour> neighbours;      // nearest first

  struct Entry {
    float estimate;
    std::uint32_t bucket;  // where it was met
  };
  std::vector<Entry> ascending;  // the entries once more, where k is large or candidates are counted

  std::size_t visited() const { return entries_in.size() - 1; }
  std::span<const Neighbour> neighbours_at(std::size_t level) const {
    return std::span(neighbours).first(std::min(kMeasuredAt[level], neighbours.size()));
  }

  float kth_after(std::size_t level, std::size_t buckets) const {
    const std::size_t p = std::min(buckets, visited());
    if (level < kShallow) return kth[level][p];
    const std::size_t k = kMeasuredAt[level];
    if (entries_in[p] < k) return Budget::kEndless;
    if (p == visited()) return ascending[k - 1].estimate;
    constexpr std::size_t kAtOnce = 64;  // without a branch
    std::size_t before = 0, begin = 0;
    const auto met = [&](std::size_t end) {
      std::size_t count = 0;
      for (std::size_t i = begin; i < end; ++i) count += std::size_t{ascending[i].bucket < p};
      return count;
    };
    for (; begin + kAtOnce < ascending.size(); begin += kAtOnce) {
      const std::size_t more = met(begin + kAtOnce);
      if (before + more >= k) break;
      before += more;
    }
    while (begin + 1 < ascending.size() && (before += std::size_t{ascending[begin].bucket < p}) < k) ++begin;
    return ascending[begin].estimate;
  }

  void sort_entries();

  /// Calls use(begin, e, left) for each phase in which a search knows e, the k-th estimate where it begins:
  /// left[i] is the share of k that is expected behind begin + i buckets.
  template <class Use>
  void phases(std::size_t level, const HitModel& model, float usual, HitModel::Room& room, Use use) const {
    std::vector<float> left;
    const auto k = static_cast<float>(kMeasuredAt[level]);
    for (std::size_t begin = 0; begin < order.size(); begin = Budget::phase_end(begin)) {
      const std::size_t end = std::min(Budget::phase_end(begin), order.size());
      const float e = kth_after(level, begin);
      if (!std::isfinite(e)) continue;
      const auto some = std::span(order).first(std::min(Budget::horizon(begin), order.size()));
      const auto hits = model.expect(some, e, usual, room);
      const float by = correction(hits.first(begin), k) / k;
      left.resize(end - begin);
      float behind = 0.0F;
      for (std::size_t p = hits.size(); p-- > begin;) {
        behind += hits[p];
        if (p < end) left[p - begin] = by * behind;
      }
      use(begin, e, std::span<const float>(left));
    }
  }
};

}  // namespace lookalike
