// k-means: centres that lie near the rows of a sample (Lloyd, IEEE Trans. Inf. Theory 28(2), 1982).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/parallel.hpp"
#include "engine/base/random.hpp"

namespace lookalike {

/// Row numbers by the part they belong to; within a part they ascend.
class Partition {
 public:
  Partition(std::span<const std::uint32_t> part_of_row, std::uint32_t parts);

  std::uint32_t parts() const { return static_cast<std::uint32_t>(starts_.size() - 1); }
  std::span<const std::uint32_t> operator[](std::uint32_t part) const {
    return {rows_.data() + starts_[part], starts_[part + 1] - starts_[part]};
  }

 private:
  std::vector<std::size_t> starts_;  // parts + 1
  std::vector<std::uint32_t> rows_;
};

/// `wanted` different numbers below `count` (up to 2³²), or all of them: ascending, spread over the range.
std::vector<std::uint32_t> draw(std::size_t count, std::size_t wanted, Random& random);

/// The named rows behind each other.
std::vector<float> gather(const float* rows, std::span<const std::uint32_t> which, std::size_t dim);

/// Their mean, added up in double and in the order given; `which` is not empty.
void mean_of(const float* rows, std::span<const std::uint32_t> which, std::size_t dim, float* mean);

/// For each row its nearest centre, of several equally near the first, and the squared distance to it.
/// Distances beyond FLT_MAX are infinite; a row with no other kind goes to centre 0.
void nearest_centres(const float* rows, std::size_t count, std::size_t dim, const float* centres,
                     std::size_t n_centres, float* squared, std::uint32_t* nearest);

/// Centres of k clusters of rows (count × dim); fewer where different rows are few. count and k are at least
/// 1. The same bytes for any number of threads.
std::vector<float> k_means(const float* rows, std::size_t count, std::size_t dim, std::size_t k,
                           std::uint64_t seed, int threads, const Interrupt& interrupt);

}  // namespace lookalike
