// A recall that was measured with several kinds of queries.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace lookalike {

/// The mean of some queries, and the square of its standard error.
struct MeasuredShare {
  double mean;
  double variance;
};

/// What the kind of queries that finds least finds, less so many of its standard errors. The lowest of
/// several that were measured with few queries would be too low: that by which kinds differ beyond chance is
/// estimated, and each taken as near to the mean of all as its error asks for (DerSimonian & Laird,
/// Meta-analysis in clinical trials, 1986; Morris, Parametric empirical Bayes inference, 1983).
inline double least_of(std::span<const MeasuredShare> kinds, double errors = 1.0) {
  constexpr double kNoError = 1e-12;
  double weights = 0.0, squares = 0.0, sum = 0.0;
  for (const MeasuredShare& each : kinds) {
    const double weight = 1.0 / (each.variance + kNoError);
    weights += weight;
    squares += weight * weight;
    sum += weight * each.mean;
  }
  double beyond_chance = 0.0;
  for (const MeasuredShare& each : kinds)
    beyond_chance += std::pow(each.mean - sum / weights, 2) / (each.variance + kNoError);
  beyond_chance -= static_cast<double>(kinds.size() - 1);
  const double room = weights - squares / weights;
  const double between = room > 0.0 ? std::max(0.0, beyond_chance / room) : 0.0;

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
