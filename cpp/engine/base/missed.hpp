// How far beyond the k-th smallest of many estimates the k nearest may be estimated.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lookalike {

/// How many rows lie about as far as the k nearest: `near` are estimated within one standard error s beyond
/// the k-th smallest estimate. The rows within x are taken as proportional to exp(g x), the errors of their
/// estimates as Gaussian. Then those estimated within x are proportional to exp(g x + G² / 2), G = g s =
/// ln(near / k), so that the k-th smallest estimate is too low by s G / 2; and of the k nearest a share
///   m = Q(a) − exp(G a + G² / 2) Q(a + G),   Q(x) = P(a Gaussian > x),
/// is estimated beyond it by more than s (a + G / 2).
/// `errors_beyond(m)` is a, >= 0, by a table. Candidates up to there, and not up to a + G / 2, are the middle
/// between the same share missed of every query and the same chance for every candidate, which is up to
/// a constant − G / 2: at an equal recall of 321k GloVe vectors a third as many are candidates.
class Crowd {
 public:
  Crowd(std::size_t near, std::size_t k);
  float errors_beyond(float missed) const;

  /// Of many crowds, for the same shares missed.
  class Beyond {
   public:
    explicit Beyond(std::span<const float> missed);
    void of(const Crowd& crowd, std::span<float> errors) const;

   private:
    std::size_t count_;
    std::vector<float> columns_;  // of the table, interpolated: the shares of the first, of the second, …
  };

 private:
  float column_;  // of the table
};

}  // namespace lookalike
