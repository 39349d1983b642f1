// How far a search looks.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace lookalike {

/// The k for which recall@k is measured at sealing.
constexpr std::array<std::size_t, 5> kMeasuredAt = {1, 3, 10, 30, 100};

/// A query never has more candidates.
constexpr std::size_t kMostCandidates = 32768;

/// So many buckets, and so many candidates reranked. With margins these numbers are what a query takes on
/// average, and each goes as far as it needs. With e the k-th lowest estimate so far and f = max(1, e /
/// typical),
///   a bucket is visited if its centre's squared distance is at most e + probe_margin, and fewer than
///     probe_cap · f³ were visited before: a query unlike anything stored, whose f is large, goes far;
///   the candidates are the best candidate_cap · f².
struct Budget {
  std::uint32_t probes = 0;
  std::uint32_t rerank = 0;
  double recall = 1.0;        // expected
  float narrowing = kNarrow;  // so many of the candidates are compared exactly for each neighbour
  float probe_margin = kEndless;
  float probe_cap = kEndless;
  float candidate_cap = kEndless;
  float typical = 1.0F;
  float dense_margin = kEndless;  // instead, where a filter lets through all that is near a query

  static constexpr float kNarrow = 1.25F;
  static constexpr float kEndless = std::numeric_limits<float>::infinity();

  static constexpr std::size_t kFirstPhase = 2;  // buckets; a power of two

  /// For so many times the rows that it was measured with, >= 1. Whether as many candidates are possible.
  bool grow(double times) {
    const double most = by_margins() ? double{candidate_cap} * times : rerank * times;
    rerank = std::max(rerank, static_cast<std::uint32_t>(std::min(rerank * times, double{kMostCandidates})));
    candidate_cap *= static_cast<float>(times);
    return times <= 1.0 || most <= double{kMostCandidates};
  }

  bool by_margins() const { return probe_margin < kEndless; }

  std::size_t most_probes(float kth) const { return times(probe_cap, probe_factor(farness(kth, typical))); }
  std::size_t most_candidates(float kth) const {
    return times(candidate_cap, candidate_factor(farness(kth, typical)));
  }

  /// Buckets are visited in phases that double: what one phase finds tells which buckets of the next the
  /// query can do without. Number `bucket` of the order belongs to the phase that begins here.
  static std::size_t phase_of(std::size_t bucket) {
    return bucket < kFirstPhase ? 0 : std::bit_floor(bucket);
  }
  /// Where the phase ends that begins here.
  static std::size_t phase_end(std::size_t begin) { return std::max(kFirstPhase, 2 * begin); }

  static float farness(float kth, float typical) { return std::max(1.0F, kth / typical); }
  static float probe_factor(float farness) { return farness * farness * farness; }
  static float candidate_factor(float farness) { return farness * farness; }
  static std::size_t times(float cap, float factor) {
    constexpr float kAll = 4e9F;
    return static_cast<std::size_t>(std::clamp(cap * factor, 1.0F, kAll));
  }
};

/// k lies in the interval of kMeasuredAt that ends with number `upper`, at `part` of the way between the
/// logarithms; a larger one is as far beyond the last interval.
struct BetweenMeasured {
  std::size_t lower;
  std::size_t upper;
  double part;

  static bool covers(double k) { return k <= static_cast<double>(kMeasuredAt.back()); }

  explicit BetweenMeasured(double k) : lower(0), upper(0), part(1.0) {
    while (upper + 1 < kMeasuredAt.size() && static_cast<double>(kMeasuredAt[upper]) < k) ++upper;
    lower = upper;
    if (upper == 0 || static_cast<double>(kMeasuredAt[upper]) == k) return;
    --lower;
    const double low = std::log(static_cast<double>(kMeasuredAt[lower]));
    const double high = std::log(static_cast<double>(kMeasuredAt[upper]));
    part = (std::log(k) - low) / (high - low);
  }
};

}  // namespace lookalike
