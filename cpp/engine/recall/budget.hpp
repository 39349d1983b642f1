// How far a search looks.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "engine/tuning.hpp"

namespace lookalike {

/// The k for which recall@k is measured at sealing: with all queries, and beyond those `kShallow` with a few.
constexpr std::array<std::size_t, 9> kMeasuredAt = {1, 3, 10, 30, 100, 300, 1000, 3000, 10000};
constexpr std::size_t kShallow = 5;

/// So many queries of a kind tell what it finds: fewer where each has many neighbours.
constexpr double enough_queries(std::size_t level) {
  return static_cast<double>(level < kShallow ? tuning::kEnoughQueries : tuning::kEnoughQueries / 2);
}

/// So many buckets, and so many candidates reranked. Where hits are predicted these numbers are what a query
/// takes on average, and each goes as far as it needs: with e the k-th lowest estimate so far,
///   buckets are visited until at most left · k hits are expected in those that follow (hit_model.hpp);
///   the candidates are all but those that make up a share `missed` of the neighbours (missed.hpp), where an
///   estimate errs in proportion to ‖q − c‖ (sketches.hpp): by error · √max(e, ‖q − c‖²), c the nearest
///   centre.
/// The farther e is beyond what is usual, the more is the query unlike the rows: each degree of that has
/// limits of its own, and a recall. e falls on the way: the degree is that of where the query decides to end.
struct Budget {
  std::uint32_t probes = 0;
  std::uint32_t rerank = 0;
  double recall = 1.0;          // expected
  float narrowing = kNarrow;    // so many of the candidates are compared exactly for each neighbour
  float error = 0.0F;           // standard error of an estimate where ‖q − c‖ is 1
  float usual_e = kEndless;     // e is larger for few rows
  float farthest_e = kEndless;  // of a larger e nothing was measured
  struct Limits {
    float left = kEndless;
    float missed = 1.0F;
    float recall = 1.0F;
  };
  static constexpr std::size_t kDegrees = 5;
  std::array<Limits, kDegrees> limits{};

  static constexpr float kNarrow = tuning::kNarrowings.front();
  /// The recall of what was not measured: above 0, so that it is still a choice.
  static constexpr float kUnknown = 1e-6F;
  static constexpr float kEndless = std::numeric_limits<float>::infinity();

  /// For so many times the rows that it was measured with, >= 1. Whether as many candidates are possible.
  bool grow(double times) {
    const double most = rerank * times;
    rerank = static_cast<std::uint32_t>(
        std::max(static_cast<double>(rerank), std::min(most, double{tuning::kMostOnTheWay})));
    return times <= 1.0 || most <= double{tuning::kMostOnTheWay};
  }

  bool by_hits() const { return limits[0].left < kEndless; }

  /// Of a degree above 0, e is at most so many times as far as is usual.
  static float most_times(std::size_t degree) {
    return degree + 1 < kDegrees ? static_cast<float>(std::size_t{1} << degree) : kEndless;
  }
  static std::size_t degree(float e, float usual_e) {
    std::size_t degree = 0;
    while (degree + 1 < kDegrees && !(e <= usual_e * most_times(degree))) ++degree;
    return degree;
  }
  const Limits& at(float e) const { return limits[degree(e, usual_e)]; }
  /// The larger `part`, up to 1, the more all do what the strictest does of those that were measured; of the
  /// others as little is known as before, and they go as far, since on its way a query has a larger e than at
  /// the end.
  void level_limits(float part = 1.0F) {
    Limits strictest = limits[0];
    for (const Limits& each : limits) {
      if (each.recall <= kUnknown) continue;
      strictest.left = std::min(strictest.left, each.left);
      strictest.missed = std::min(strictest.missed, each.missed);
      strictest.recall = std::min(strictest.recall, each.recall);
    }
    const auto towards = [part](float own, float strict) {
      return part < 1.0F && strict < own && own < kEndless ? own * std::pow(strict / own, part)
                                                           : std::min(own, strict);
    };
    for (Limits& each : limits)
      each = {towards(each.left, strictest.left), towards(each.missed, strictest.missed),
              each.recall > kUnknown ? std::lerp(each.recall, strictest.recall, part) : kUnknown};
  }
  /// Of a query that decided at this e how far to go, and met this k-th neighbour; all where there are fewer.
  double recall_at(float e, float kth) const {
    if (!by_hits()) return recall;
    if (!(kth < kEndless)) return 1.0;
    return kth <= farthest_e ? double{at(e).recall} : double{kUnknown};
  }

  /// So many candidates are compared exactly of a query that decided at this e how far to go: the more, the
  /// less may be missed beside what 8-bit rows lose.
  double compared(float e, std::size_t k) const {
    const double missed = by_hits() ? std::max(1.0 - double{at(e).recall}, tuning::kLeastMissed) : 1.0;
    const double stricter = std::max(1.0, 1.0 + std::log10(10.0 * tuning::kLostByNarrowing / missed));
    return stricter * double{narrowing} * static_cast<double>(k) + double{tuning::kNarrowedAnyway};
  }

  float error_at(float kth, float nearest) const { return error * std::sqrt(std::max({kth, nearest, 0.0F})); }

  /// Buckets are visited in phases that double: what one phase finds tells which buckets of the next the
  /// query can do without. Number `bucket` of the order belongs to the phase that begins here.
  static std::size_t phase_of(std::size_t bucket) {
    return bucket < tuning::kFirstPhase ? 0 : std::bit_floor(bucket);
  }
  /// Where the phase ends that begins here.
  static std::size_t phase_end(std::size_t begin) { return std::max(tuning::kFirstPhase, 2 * begin); }
  /// So many buckets are looked at for the hits that follow.
  static std::size_t horizon(std::size_t begin) { return 2 * phase_end(begin); }
};

/// k lies in the interval of kMeasuredAt that ends with number `upper`, at `part` of the way between the
/// logarithms. It is at most the last of the first `levels`.
struct BetweenMeasured {
  std::size_t lower;
  std::size_t upper;
  double part;

  BetweenMeasured(double k, std::size_t levels) : lower(0), upper(0), part(1.0) {
    while (upper + 1 < levels && static_cast<double>(kMeasuredAt[upper]) < k) ++upper;
    lower = upper;
    if (upper == 0 || static_cast<double>(kMeasuredAt[upper]) == k) return;
    --lower;
    const double low = std::log(static_cast<double>(kMeasuredAt[lower]));
    const double high = std::log(static_cast<double>(kMeasuredAt[upper]));
    part = (std::log(k) - low) / (high - low);
  }
};

}  // namespace lookalike
