// How many probes a recall takes: measured once, at sealing, and asked at every search.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "engine/column.hpp"

namespace lookalike {

/// Of some sampled rows and each of their nearest neighbours: by which probe it was met. Sorted, this is the
/// recall of every number of probes; for as many neighbours as measured, between them by the logarithm of k.
class RecallCurve {
 public:
  static constexpr std::array<std::size_t, 3> kMeasuredAt = {1, 10, 100};
  static constexpr std::size_t kNeighbours = kMeasuredAt.back();
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

  RecallCurve() = default;

  /// met[sample * neighbours + rank]: the number of the probe, kNever where it would have taken too many.
  RecallCurve(std::span<const std::uint32_t> met, std::size_t samples, std::size_t neighbours);

  /// Takes a curve from a file: `values_of(samples, neighbours)` values, of which `problem` tells whether
  /// they ascend.
  RecallCurve(Column<std::uint32_t> values, std::size_t samples, std::size_t neighbours);

  std::string problem() const;

  static std::size_t values_of(std::size_t samples, std::size_t neighbours);
  static std::size_t neighbours_among(std::size_t rows) {
    return rows == 0 ? 0 : std::min(kNeighbours, rows - 1);
  }

  std::size_t samples() const { return samples_; }
  std::span<const std::uint32_t> values() const { return values_.view(); }

  /// The fewest probes for this recall@k; 0 if none was found short of a scan, or k is beyond what was
  /// measured.
  std::uint32_t probes_for(double recall, std::size_t k) const;

  /// The recall@k of so many probes; NaN if k is beyond what was measured.
  double recall_of(std::uint32_t probes, std::size_t k) const;

 private:
  std::span<const std::uint32_t> at(std::size_t i) const;

  Column<std::uint32_t> values_;  // for each of kMeasuredAt: samples × min(k, neighbours), ascending
  std::size_t samples_ = 0;
  std::size_t neighbours_ = 0;
};

}  // namespace lookalike
