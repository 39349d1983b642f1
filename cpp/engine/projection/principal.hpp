// The principal axes of a sample: the directions that hold most of its energy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/parallel.hpp"

namespace lookalike {

struct PrincipalAxes {
  std::size_t count = 0;
  std::vector<float> axes;     // count × dim, orthonormal, roughly by falling energy
  std::vector<double> shares;  // [i]: of the energy about the mean, how much the first i + 1 axes hold
};

/// How many axes are looked for: `first`, and as long as they hold less than `share` of the energy twice as
/// many, up to `most` <= dim.
struct AxesWanted {
  std::size_t first;
  std::size_t most;
  double share;
};

/// More sampled vectors than that would change the axes by little, and take more than a second.
std::size_t enough_for_axes(std::size_t dim);

/// Finds the axes of `rows` sampled vectors (rows × dim, in random order) by orthogonal iteration on their
/// second moments about the origin, not the mean, so that inner products are kept as well as differences.
/// Every eighth vector only measures the shares; with fewer than kMinRows there is nothing to find: count =
/// 0. The same for any number of threads. Halko, Martinsson & Tropp, SIAM Review 53(2), 2011, algorithm 4.4.
PrincipalAxes principal_axes(const float* sample, std::size_t rows, std::size_t dim, const AxesWanted& wanted,
                             std::uint64_t seed, int threads, const Interrupt& interrupt);

}  // namespace lookalike
