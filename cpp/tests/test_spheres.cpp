#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/hash/hash_scratch.hpp"
#include "engine/hash/kmeans.hpp"
#include "engine/hash/spheres.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kDim = 24;

struct Rows {
  std::vector<float> values;
  std::size_t count() const { return values.size() / kDim; }
  const float* operator[](std::size_t row) const { return values.data() + row * kDim; }
  Spheres train(std::uint32_t buckets, int threads = 1, const Interrupt& interrupt = {}) const {
    return Spheres::train(values.data(), count(), kDim, buckets, 7, threads, interrupt);
  }
};

// Clusters of unequal size and width, in few enough directions for neighbours to mean something.
Rows clustered(std::size_t count, std::uint64_t seed, double offset = 0.0) {
  constexpr std::size_t kClusters = 60, kDirections = 8;
  Random random(seed), shape(99);  // the same clusters for every seed
  std::vector<double> centres(kClusters * kDim), directions(kDirections * kDim);
  for (double& value : centres) value = shape.gaussian();
  for (double& value : directions) value = shape.gaussian();
  Rows rows;
  for (std::size_t row = 0; row < count; ++row) {
    const double u = random.uniform();
    const auto cluster = static_cast<std::size_t>(u * u * (kClusters - 1));
    double position[kDirections];
    for (double& value : position) value = random.gaussian() * 0.4;
    for (std::size_t i = 0; i < kDim; ++i) {
      double value = offset + centres[cluster * kDim + i] + 0.1 * random.gaussian();
      for (std::size_t j = 0; j < kDirections; ++j) value += position[j] * directions[j * kDim + i];
      rows.values.push_back(static_cast<float>(value));
    }
  }
  return rows;
}

std::vector<std::uint32_t> assigned(const Spheres& spheres, const Rows& rows) {
  std::vector<std::uint32_t> buckets(rows.count());
  spheres.assign(rows.values.data(), rows.count(), buckets.data());
  return buckets;
}

std::vector<std::size_t> sizes_of(const Spheres& spheres, const Rows& rows) {
  std::vector<std::size_t> sizes(spheres.buckets());
  for (const std::uint32_t bucket : assigned(spheres, rows)) ++sizes.at(bucket);
  return sizes;
}

std::vector<Near> all_buckets(const Spheres& spheres, const float* query) {
  std::vector<Near> all;
  for (std::uint32_t bucket = 0; bucket < spheres.buckets(); ++bucket)
    all.push_back({kernels().squared_l2(query, spheres.centre(bucket), kDim), bucket});
  std::sort(all.begin(), all.end(), [](const Near& a, const Near& b) {
    return a.key < b.key || (a.key == b.key && a.bucket < b.bucket);
  });
  return all;
}

std::vector<Near> ordered(const Spheres& spheres, const float* query, std::size_t want) {
  HashScratch scratch;
  std::vector<Near> out;
  spheres.order(query, want, scratch, out);
  return out;
}

// What the order promises of a key, and the rounding of its few operations in float.
float largest_error(const Spheres& spheres, const float* query, std::uint32_t bucket) {
  const auto starts = spheres.starts();
  const auto group = std::upper_bound(starts.begin(), starts.end(), bucket) - starts.begin() - 1;
  const float* middle = spheres.group_centres().data() + static_cast<std::size_t>(group) * kDim;
  float largest = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < kDim; ++i) {
    largest = std::max(largest, std::abs(query[i]));
    sum += std::abs(spheres.centre(bucket)[i] - middle[i]);
    squares += query[i] * query[i] + middle[i] * middle[i];
  }
  return largest * sum / 32639 + 0x1p-22F * squares;
}

bool same(const std::vector<Near>& a, const std::vector<Near>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Near& x, const Near& y) { return x.key == y.key && x.bucket == y.bucket; });
}

bool same(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void check_usable(const Spheres& spheres, const Rows& rows) {
  CHECK(spheres.problem().empty(), spheres.problem());
  for (const float value : spheres.centres()) CHECK(std::isfinite(value));
  for (const float value : spheres.group_centres()) CHECK(std::isfinite(value));
  const auto sizes = sizes_of(spheres, rows);
  CHECK(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}) == rows.count());
  CHECK(ordered(spheres, rows[0], spheres.buckets()).size() == spheres.buckets());
}

}  // namespace

TEST(spheres_are_about_as_many_as_asked_and_about_as_large) {
  const Rows rows = clustered(20'000, 1);
  const Spheres spheres = rows.train(300);
  check_usable(spheres, rows);
  CHECK(spheres.buckets() > 285 && spheres.buckets() < 315, spheres.buckets());
  double squares = 0;
  for (const std::size_t size : sizes_of(spheres, rows)) squares += std::pow(static_cast<double>(size), 2);
  // What a query scans for each bucket it visits, were its bucket chosen as a row's is, against equal
  // buckets.
  const double n = 20'000, unevenness = squares * spheres.buckets() / (n * n);
  CHECK(unevenness < 1.6, unevenness);
}

TEST(rows_go_to_their_nearest_centre) {
  const Rows rows = clustered(10'000, 1);
  for (const std::uint32_t buckets : {1U, 2U, 10U, 300U}) {
    const Spheres spheres = rows.train(buckets);
    const auto bucket = assigned(spheres, rows);
    std::vector<float> squared(rows.count());
    std::vector<std::uint32_t> nearest(rows.count());
    nearest_centres(rows.values.data(), rows.count(), kDim, spheres.centres().data(), spheres.buckets(),
                    squared.data(), nearest.data());
    double right = 0;
    for (std::size_t row = 0; row < rows.count(); ++row) right += bucket[row] == nearest[row];
    CHECK(right >= 0.98 * 10'000, buckets, right);
    CHECK(buckets > 10 || right == 10'000, "few groups are all searched");
  }
}

TEST(a_row_goes_to_the_same_bucket_in_any_company) {
  const Rows rows = clustered(3'000, 1);
  const Spheres spheres = rows.train(100);
  const auto together = assigned(spheres, rows);
  for (std::size_t row = 0; row < rows.count(); row += 7) {
    std::uint32_t alone = 0;
    spheres.assign(rows[row], 1, &alone);
    CHECK(alone == together[row], row);
  }
}

TEST(an_order_holds_nearly_all_of_the_nearest_buckets) {
  const Rows rows = clustered(40'000, 1), queries = clustered(50, 2);
  const Spheres spheres = rows.train(800);
  for (const std::size_t want : {1UL, 8UL, 48UL, 300UL}) {
    double found = 0;
    for (std::size_t query = 0; query < queries.count(); ++query) {
      const auto order = ordered(spheres, queries[query], want);
      const auto truth = all_buckets(spheres, queries[query]);
      CHECK(order.size() == want);
      for (std::size_t i = 0; i < want; ++i) {
        const float exact = kernels().squared_l2(queries[query], spheres.centre(order[i].bucket), kDim);
        CHECK(std::abs(order[i].key - exact) <= largest_error(spheres, queries[query], order[i].bucket));
        CHECK(i == 0 || order[i - 1].key <= order[i].key);
        found += exact <= truth[want - 1].key;
      }
    }
    CHECK(found >= 0.97 * 50 * static_cast<double>(want), want, found);
  }
}

TEST(a_whole_order_is_that_of_brute_force) {
  const Rows rows = clustered(10'000, 1), queries = clustered(20, 2);
  const Spheres spheres = rows.train(200);
  for (std::size_t query = 0; query < queries.count(); ++query)
    for (const std::size_t want : {std::size_t{spheres.buckets()}, std::numeric_limits<std::size_t>::max()})
      CHECK(same(ordered(spheres, queries[query], want), all_buckets(spheres, queries[query])));
  CHECK(ordered(spheres, queries[0], 0).empty());
}

TEST(spheres_are_the_same_for_any_number_of_threads) {
  const Rows rows = clustered(12'000, 1);
  const Spheres one = rows.train(150, 1), three = rows.train(150, 3);
  CHECK(same(one.centres(), three.centres()) && same(one.group_centres(), three.group_centres()));
  CHECK(std::equal(one.starts().begin(), one.starts().end(), three.starts().begin(), three.starts().end()));
  const Spheres other = Spheres::train(rows.values.data(), rows.count(), kDim, 150, 8, 1, {});
  CHECK(!same(one.centres(), other.centres()), "the seed counts");
}

TEST(spheres_of_vectors_far_from_the_origin_are_as_good) {
  const Rows near = clustered(10'000, 1), far = clustered(10'000, 1, 3'000.0);
  const auto mean_squared = [](const Rows& rows) {
    const Spheres spheres = rows.train(100);
    const auto bucket = assigned(spheres, rows);
    double sum = 0;
    for (std::size_t row = 0; row < rows.count(); ++row)
      sum += double{kernels().squared_l2(rows[row], spheres.centre(bucket[row]), kDim)};
    return sum / static_cast<double>(rows.count());
  };
  const double ratio = mean_squared(far) / mean_squared(near);
  CHECK(std::abs(ratio - 1) < 0.05, ratio);
}

TEST(spheres_of_copies) {
  Rows rows = clustered(5'000, 1);
  for (std::size_t row = 0; row < 5'000; ++row)
    if (row % 2 == 0 || row > 4'000)
      std::copy_n(rows[0], kDim, rows.values.begin() + static_cast<long>(row * kDim));
  const Spheres half = rows.train(64);
  check_usable(half, rows);
  auto sizes = sizes_of(half, rows);
  std::nth_element(sizes.begin(), sizes.begin() + 1, sizes.end(), std::greater<>());
  CHECK(sizes[0] >= 2'999 && sizes[1] < 500, "one bucket of copies, the others as ever", sizes[0], sizes[1]);

  for (std::size_t row = 0; row < 5'000; ++row)
    std::copy_n(rows[row % 20 + 1], kDim, rows.values.begin() + static_cast<long>(row * kDim));
  const Spheres few = rows.train(64);
  check_usable(few, rows);
  CHECK(few.buckets() <= 20, few.buckets());

  rows.values.assign(5'000 * kDim, 0.25F);
  const Spheres one = rows.train(64);
  check_usable(one, rows);
  CHECK(one.buckets() == 1 && *one.centre(0) == 0.25F);
}

// Rounding the centres must not move them by more than such clusters are wide.
TEST(spheres_of_clusters_far_apart_lie_in_them) {
  constexpr std::size_t kClusters = 100, kCount = 20'000;
  Random random(4);
  Rows middles, rows;
  for (std::size_t i = 0; i < kClusters * kDim; ++i)
    middles.values.push_back(static_cast<float>(50.0 * random.gaussian()));
  for (std::size_t row = 0; row < kCount; ++row)
    for (std::size_t i = 0; i < kDim; ++i)
      rows.values.push_back(middles[row % kClusters][i] + static_cast<float>(random.gaussian()));
  const Spheres spheres = rows.train(4 * kClusters);
  check_usable(spheres, rows);
  const auto buckets = assigned(spheres, rows);
  double squares = 0;
  for (std::size_t row = 0; row < kCount; ++row)
    squares += double{kernels().squared_l2(rows[row], spheres.centre(buckets[row]), kDim)};
  CHECK(squares < 1.05 * kCount * kDim, squares / (kCount * kDim));  // of each from its cluster's middle: 1
}

TEST(a_dense_half_gets_its_share_of_the_buckets) {
  Rows rows = clustered(20'000, 1);
  Random random(5);
  for (std::size_t i = 0; i < 10'000 * kDim; ++i)
    rows.values[i] = 50.0F + 1e-3F * static_cast<float>(random.gaussian());
  const Spheres spheres = rows.train(200);
  const auto sizes = sizes_of(spheres, rows);
  const std::size_t largest = *std::max_element(sizes.begin(), sizes.end());
  CHECK(largest < 10 * 100, largest);
}

TEST(spheres_of_few_rows) {
  for (const std::size_t count : {1UL, 2UL, 3UL, 17UL}) {
    const Rows rows = clustered(count, 1);
    for (const std::uint32_t buckets : {1U, 2U, 16U, 1000U}) {
      const Spheres spheres = rows.train(buckets);
      check_usable(spheres, rows);
      CHECK(spheres.buckets() <= count, count, buckets, spheres.buckets());
      CHECK(spheres.buckets() <= buckets + 2, "shares are rounded", count, buckets, spheres.buckets());
    }
  }
}

TEST(spheres_of_vectors_whose_distances_overflow) {
  Rows rows = clustered(500, 1);
  for (float& value : rows.values) value *= 1e37F;
  check_usable(rows.train(16), rows);
}

TEST(training_can_be_interrupted) {
  const Rows rows = clustered(5'000, 1);
  const auto at_call = [&](int last) {
    int calls = 0;
    return rows.train(100, 2, [&calls, last] {
      if (++calls == last) throw std::runtime_error("stopped");
    });
  };
  for (const int call : {1, 10, 50}) CHECK_THROWS(std::runtime_error, "stopped", at_call(call));
}

TEST(spheres_from_their_columns_are_the_same) {
  const Rows rows = clustered(5'000, 1);
  const Spheres trained = rows.train(100);
  const Spheres taken(kDim, Column<float>(trained.group_centres()), Column<std::uint32_t>(trained.starts()),
                      Column<float>(trained.centres()));
  CHECK(taken.problem().empty() && taken.dim() == kDim);
  CHECK(taken.groups() == trained.groups() && taken.buckets() == trained.buckets());
  CHECK(assigned(taken, rows) == assigned(trained, rows));
  CHECK(same(ordered(taken, rows[5], 30), ordered(trained, rows[5], 30)));
}
