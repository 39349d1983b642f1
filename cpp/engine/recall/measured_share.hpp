// A recall that was measured with several kinds of queries.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/tuning.hpp"

namespace lookalike {

/// The mean of some queries, and the square of its standard error.
struct MeasuredShare {
  double mean;
  double variance;
};

/// What the kind of queries that finds least finds, less so many of its standard errors. The lowest of
/// several that were measured with few queries would be too low: that by which kinds differ beyond chance is
/// estimated, and each taken as near to the mean of all as its error asks for (Morris, Parametric empirical
/// Bayes inference, 1983). The estimate counts all kinds alike (Cochran, The combination of estimates from
/// different experiments, 1954): weighted by their errors, a few that find all would speak for the others.
inline double least_of(std::span<const MeasuredShare> kinds, double errors = tuning::kErrors) {
  constexpr double kNoError = 1e-12;
  const auto count = static_cast<double>(kinds.size());
  double middle = 0.0, chance = 0.0, squares = 0.0;
  for (const MeasuredShare& each : kinds) {
    middle += each.mean / count;
    chance += each.variance / count;
  }
  for (const MeasuredShare& each : kinds) squares += std::pow(each.mean - middle, 2);
  const double between = count > 1.0 ? std::max(0.0, squares / (count - 1.0) - chance) : 0.0;

  double all = 0.0, mean = 0.0;
  for (const MeasuredShare& each : kinds) {
    const double weight = 1.0 / (each.variance + between + kNoError);
    all += weight;
    mean += weight * each.mean;
  }
  mean /= all;
  double least = 1.0;
  for (const MeasuredShare& each : kinds) {
    const double own = between / (between + each.variance + kNoError);
    const double error = std::sqrt(own * each.variance + (1.0 - own) * (1.0 - own) / all);
    least = std::min(least, mean + own * (each.mean - mean) - errors * error);
  }
  return least;
}

}  // namespace lookalike
