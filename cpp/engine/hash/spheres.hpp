// Learned spheres: a hash family that follows the data. A vector's bucket is that of its nearest centre.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/block_list.hpp"
#include "engine/base/candidates.hpp"
#include "engine/base/column.hpp"
#include "engine/base/lowest.hpp"
#include "engine/base/parallel.hpp"
#include "engine/hash/centre_blocks.hpp"
#include "engine/hash/families.hpp"

namespace lookalike {

extern const Family kSpheres;

/// How many buckets a segment of so many rows is worth.
std::uint32_t buckets_for(std::size_t rows);

/// What one thread keeps between two calls of Spheres::order; in HashScratch.
struct SpheresScratch {
  std::vector<float> distances;  // of the groups
  CentreBlocks::Room query;
  BlockList<centres_per_block> blocks;
  Candidates groups, buckets;
  std::vector<std::uint32_t> places, by_low;  // of the keys that are sorted
};

/// k-means centres in two levels: neighbouring buckets form a group, and the centres of the groups tell
/// which buckets a query or a row need be compared with. Squared Euclidean distances throughout.
class Spheres final : public HashFamily {
 public:
  Spheres() = default;

  /// Learns about `buckets` (>= 1) centres from a sample (count × dim, count from 1 to 2³²); fewer where
  /// different rows are few. The same bytes for any number of threads.
  static Spheres train(const float* sample, std::size_t count, std::size_t dim, std::uint32_t buckets,
                       std::uint64_t seed, int threads, const Interrupt& interrupt);

  /// Takes centres that were learned before; `problem` tells whether they can be used safely.
  Spheres(std::size_t dim, Column<float> group_centres, Column<std::uint32_t> starts, Column<float> centres);

  /// Why these spheres must not be used, or "": every group has its centre, every bucket its group.
  std::string problem() const override;

  std::size_t dim() const { return dim_; }
  std::uint32_t groups() const {
    return static_cast<std::uint32_t>(std::max<std::size_t>(starts_.size(), 1) - 1);
  }
  std::uint32_t tables() const override { return 1; }
  std::uint32_t buckets() const override { return groups() == 0 ? 0 : starts_[groups()]; }
  const float* centre(std::uint32_t bucket) const override {
    return centres_.data() + std::size_t{bucket} * dim_;
  }

  /// out[i]: the bucket of row i, which is that of the nearest centre in the groups nearest to it. Takes one
  /// thread, and is at its fastest with 500 rows and more.
  void assign(const float* rows, std::size_t count, std::uint32_t* out) const override;

  /// The `want` nearest buckets, nearest first, equally near ones by number; all where want >= buckets().
  /// All of them are in the order of their exact keys. Else a key may be off by max|q_i| Σ|c_i − g_i| /
  /// 32639, g the centre of the group (beyond 518 dimensions the divisor falls), and a bucket may be missing
  /// whose group lies far although its centre is near.
  void order(HashQuery query, std::size_t want, HashScratch& scratch, std::vector<Near>& out) const override;

  /// The landmarks of a query: out[q * groups() + i] is its squared distance from the centre of group i.
  std::size_t landmarks() const override { return groups(); }
  void look(const float* queries, std::size_t count, float* out) const override;

  std::vector<NamedBytes> parts() const override;

  std::span<const float> group_centres() const { return group_centres_.view(); }
  std::span<const std::uint32_t> starts() const { return starts_.view(); }
  std::span<const float> centres() const { return centres_.view(); }

 private:
  std::uint32_t group_size(std::uint32_t group) const { return starts_[group + 1] - starts_[group]; }

  void assign_block(const float* rows, std::size_t count, std::uint32_t* out) const;
  std::vector<std::uint32_t> groups_to_search(const float* rows, std::size_t count, std::size_t each) const;

  void order_all(const float* query, SpheresScratch& scratch, std::vector<Near>& out) const;
  std::span<const std::uint32_t> nearest_groups(const float* distances, std::size_t want,
                                                SpheresScratch& scratch) const;

  std::size_t dim_ = 0;
  Column<float> group_centres_;   // groups × dim
  Column<std::uint32_t> starts_;  // groups + 1: the first bucket of each group, then the number of buckets
  Column<float> centres_;         // buckets × dim, those of one group behind each other
  CentreBlocks blocks_;           // the same centres, for queries
};

}  // namespace lookalike
