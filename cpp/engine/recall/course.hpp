// One sampled query on its way from bucket to bucket, and what margins it would have taken.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/recall/budget.hpp"

namespace lookalike {

/// Buckets are counted in the order of visiting; kth[level][p] is the k-th lowest estimate among the first p.
struct Course {
  static constexpr auto kNever = std::numeric_limits<std::uint32_t>::max();

  struct Neighbour {
    float estimate = 0.0F;
    std::uint32_t bucket = kNever;  // where it was met
  };

  std::vector<float> centres;  // squared distances, of more buckets than were visited
  std::array<std::vector<float>, kMeasuredAt.size()> kth;
  std::vector<std::uint32_t> rows;        // of the first p buckets
  std::vector<float> entries;             // estimated nearer than some neighbour, as they were met
  std::vector<std::uint32_t> entries_in;  // how many the first p buckets hold
  std::vector<Neighbour> neighbours;      // nearest first

  std::size_t visited() const { return kth[0].size() - 1; }
  std::span<const Neighbour> neighbours_at(std::size_t level) const {
    return std::span(neighbours).first(std::min(kMeasuredAt[level], neighbours.size()));
  }

  std::uint32_t rows_of(std::size_t buckets) const { return rows[std::min(buckets, visited())]; }
  float kth_after(std::size_t level, std::size_t buckets) const {
    return kth[level][std::min(buckets, visited())];
  }
  /// What is known when it is decided about a bucket: the state at the start of its phase.
  float known_at(std::size_t level, std::size_t bucket) const {
    return kth_after(level, Budget::phase_of(bucket));
  }

  /// The probe margin that visiting each bucket and all before it takes: ascending.
  std::vector<float> margins_to(std::size_t level) const {
    std::vector<float> margins;
    margins.reserve(centres.size());
    float most = -std::numeric_limits<float>::infinity();
    for (std::size_t p = 0; p < centres.size(); ++p) {
      const float margin = centres[p] - known_at(level, p);
      if (!(margin <= most)) most = std::isnan(margin) ? std::numeric_limits<float>::infinity() : margin;
      margins.push_back(most);
    }
    return margins;
  }
  /// The first buckets, as many as a cap allows.
  std::size_t under(std::size_t level, float cap, float typical) const {
    std::size_t p = 0;
    while (p < centres.size()) {
      const std::size_t end = Budget::phase_end(Budget::phase_of(p));
      const float factor = Budget::probe_factor(Budget::farness(known_at(level, p), typical));
      const std::size_t most = Budget::times(cap, factor);
      if (most < end) return std::min(std::max(p, most), centres.size());
      p = end;
    }
    return centres.size();
  }
};

}  // namespace lookalike
