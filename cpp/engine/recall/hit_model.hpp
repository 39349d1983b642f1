// How many rows of a bucket are expected to be as near to a query as its k-th neighbour.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "engine/hash/hash_family.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// A Poisson regression (McCullagh & Nelder, Generalized Linear Models, 1989), learned at sealing. With q the
/// query, c a bucket's centre, r² the mean squared distance of its rows from it, and e the squared distance
/// of the k-th neighbour, the logarithm of the hits per row is a polynomial of the second degree in
///   (‖q − c‖² + r² − e) / 2‖q − c‖r, log ‖q − c‖²/e, log r²/e, log (the bucket's rank by ‖q − c‖²).
/// The first is by how much, and in which of its directions, a row must lie towards the query.
class HitModel {
 public:
  static constexpr std::size_t kFeatures = 4;
  static constexpr std::size_t kTerms = 1 + kFeatures + kFeatures * (kFeatures + 1) / 2;

  static_assert(kFeatures == std::extent_v<decltype(HitTerms::middle)> &&
                kTerms == std::extent_v<decltype(HitTerms::terms)>);

  using Features = std::array<float, kFeatures>;
  struct Bucket {
    float spread;  // r²; > 0
    float rows;    // different ones, when it was learned
  };

  HitModel() = default;
  HitModel(std::span<const Bucket> buckets, const HitTerms& terms);

  bool empty() const { return buckets_.empty(); }
  std::span<const Bucket> buckets() const { return buckets_; }
  const HitTerms& terms() const { return terms_; }
  /// Whether these, which come from a file, can be used safely.
  static bool make_sense(std::span<const Bucket> buckets, const HitTerms& terms);

  /// The features of one bucket, and the products that the terms belong to.
  Features features(const Near& near, std::size_t rank, float e) const;
  static std::array<double, kTerms> products(const std::array<double, kFeatures>& standardised);

  /// What is computed on the way, for one thread.
  struct Room {
    std::vector<float> distance, spread, log_spread, rows, log_rank, hits, fewer;
  };
  /// hits[i]: of the i-th bucket of a query's order; e < ∞. No fewer than within `usual`, if that is less: of
  /// a larger e, as a query has on its way, nothing was learned. Ranks may be others than 1, 2, 3, ...: their
  /// logarithms to base 2, kept_slack elements more.
  std::span<float> expect(std::span<const Near> order, float e, float usual, Room& room,
                          const float* log_ranks = nullptr) const;

 private:
  std::vector<Bucket> buckets_;
  std::vector<float> log_spreads_;
  HitTerms terms_{};
  float least_ = 0.0F;  // e is taken for no less
};

/// So far a query goes: the first of the buckets [begin, hits.size()) behind which at most `left` hits are
/// expected, were those of the first `begin` as many as the `met` that were found there; behind all of them
/// are those `beyond`.
std::size_t enough(std::span<const float> hits, std::size_t begin, float met, float left, float beyond);

/// What is expected in the rest of `buckets`, behind those of `hits`: with each doubling of the buckets as
/// many times more, or fewer, as with the last.
float beyond(std::span<const float> hits, std::size_t buckets);

/// By what the expected hits are to be multiplied, so that those in the buckets that were visited become
/// about as many as were met there. They differ by chance, the logarithm with a variance of 1/met, and
/// because the model errs, with one of tuning::kModelErrs; its share of the difference is made good, but
/// nothing is divided by more than tuning::kMostDivided.
float correction(std::span<const float> visited, float met);

}  // namespace lookalike
