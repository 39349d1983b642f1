#include "engine/hash/kmeans.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kTile = 64;  // rows and centres of one call of the kernel

void move_to_means(const float* rows, std::size_t dim, const Partition& clusters, float* centres, int threads,
                   const Interrupt& interrupt) {
  parallel_for(clusters.parts(), tuning::kPieceForThread, threads, interrupt,
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t c = begin; c < end; ++c) {
                   const auto members = clusters[static_cast<std::uint32_t>(c)];
                   if (!members.empty()) mean_of(rows, members, dim, centres + c * dim);
                 }
               });
}

// An empty cluster starts again at a row drawn in proportion to its squared distance (the D² draw of
// k-means++, Arthur & Vassilvitskii, SODA 2007): it splits a wide cluster, never one of copies.
void restart_empty(const float* rows, std::size_t dim, const Partition& clusters,
                   std::span<const float> squared, float* centres, Random& random) {
  std::vector<double> up_to;  // made when the first empty cluster turns up
  for (std::uint32_t c = 0; c < clusters.parts(); ++c) {
    if (!clusters[c].empty()) continue;
    if (up_to.empty()) {
      double sum = 0.0;
      for (const float value : squared) up_to.push_back(sum += double{value});
    }
    if (!(up_to.back() > 0.0) || !std::isfinite(up_to.back())) return;
    const auto found = std::lower_bound(up_to.begin(), up_to.end(), random.uniform() * up_to.back());
    std::copy_n(rows + static_cast<std::size_t>(found - up_to.begin()) * dim, dim, centres + c * dim);
  }
}

// Without a branch, for the compiler to vectorize.
void keep_nearer(const float* distances, std::size_t count, std::uint32_t centre, float* squared,
                 std::uint32_t* nearest) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t nearer = distances[i] < squared[i] ? ~0U : 0U;
    nearest[i] = (centre & nearer) | (nearest[i] & ~nearer);
    squared[i] = std::min(squared[i], distances[i]);
  }
}

std::vector<float> without_empty(const std::vector<float>& centres, std::size_t dim,
                                 const Partition& clusters) {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t c = 0; c < clusters.parts(); ++c)
    if (!clusters[c].empty()) kept.push_back(c);
  return gather(centres.data(), kept, dim);
}

}  // namespace

Partition::Partition(std::span<const std::uint32_t> part_of_row, std::uint32_t parts)
    : starts_(parts + 1), rows_(part_of_row.size()) {
  // Counting sort. starts[p + 1] walks from the first slot of part p to its end, which is where p + 1 begins.
  for (const std::uint32_t part : part_of_row) ++starts_[part + 1];
  std::size_t before = 0;
  for (std::uint32_t part = 0; part < parts; ++part) before += std::exchange(starts_[part + 1], before);
  for (std::size_t row = 0; row < rows_.size(); ++row)
    rows_[starts_[part_of_row[row] + 1]++] = static_cast<std::uint32_t>(row);
}

std::vector<std::uint32_t> draw(std::size_t count, std::size_t wanted, Random& random) {
  std::vector<std::uint32_t> drawn(std::min(count, wanted));
  for (std::size_t i = 0; i < drawn.size(); ++i) {  // one of each of so many stretches
    const std::size_t first = i * count / drawn.size(), next = (i + 1) * count / drawn.size();
    drawn[i] = static_cast<std::uint32_t>(first + random.bits() % (next - first));
  }
  return drawn;
}

std::vector<float> gather(const float* rows, std::span<const std::uint32_t> which, std::size_t dim) {
  std::vector<float> out(which.size() * dim);
  for (std::size_t i = 0; i < which.size(); ++i)
    std::copy_n(rows + std::size_t{which[i]} * dim, dim, out.data() + i * dim);
  return out;
}

void mean_of(const float* rows, std::span<const std::uint32_t> which, std::size_t dim, float* mean) {
  std::vector<double> sum(dim);
  for (const std::size_t row : which)
    for (std::size_t i = 0; i < dim; ++i) sum[i] += double{rows[row * dim + i]};
  for (std::size_t i = 0; i < dim; ++i)
    mean[i] = static_cast<float>(sum[i] / static_cast<double>(which.size()));
}

void nearest_centres(const float* rows, std::size_t count, std::size_t dim, const float* centres,
                     std::size_t n_centres, float* squared, std::uint32_t* nearest) {
  // Differences squared, not |x|² + |c|² − 2⟨x, c⟩: with these kernels that would save a twentieth of the
  // time, and lose every digit where the vectors lie far from the origin.
  const auto compare = kernels().squared_l2_tile;
  std::array<float, kTile * kTile> tile;
  std::fill_n(squared, count, std::numeric_limits<float>::infinity());
  std::fill_n(nearest, count, 0U);
  for (std::size_t row = 0; row < count; row += kTile) {
    const std::size_t n_rows = std::min(kTile, count - row);
    for (std::size_t centre = 0; centre < n_centres; centre += kTile) {
      const std::size_t n = std::min(kTile, n_centres - centre);
      compare(centres + centre * dim, dim, n, rows + row * dim, dim, n_rows, dim, tile.data());
      for (std::size_t c = 0; c < n; ++c)
        keep_nearer(tile.data() + c * n_rows, n_rows, static_cast<std::uint32_t>(centre + c), squared + row,
                    nearest + row);
    }
  }
}

std::vector<float> k_means(const float* rows, std::size_t count, std::size_t dim, std::size_t k,
                           std::uint64_t seed, int threads, const Interrupt& interrupt) {
  Random random(seed);
  std::vector<float> centres = gather(rows, draw(count, k, random), dim);
  const auto n_centres = static_cast<std::uint32_t>(std::min(count, k));
  std::vector<float> squared(count);
  std::vector<std::uint32_t> nearest(count), before;
  for (int iteration = 1;; ++iteration) {
    parallel_for(count, tuning::kRowsRoutedAtOnce, threads, interrupt,
                 [&](std::size_t begin, std::size_t end) {
                   nearest_centres(rows + begin * dim, end - begin, dim, centres.data(), n_centres,
                                   squared.data() + begin, nearest.data() + begin);
                 });
    const Partition clusters(nearest, n_centres);
    move_to_means(rows, dim, clusters, centres.data(), threads, interrupt);
    if (iteration == tuning::kKMeansRounds || nearest == before) return without_empty(centres, dim, clusters);
    restart_empty(rows, dim, clusters, squared, centres.data(), random);
    before = nearest;
  }
}

}  // namespace lookalike
