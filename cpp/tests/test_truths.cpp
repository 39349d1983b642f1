// The neighbours that a recall is measured with are those of a plain loop, also where bounds of keys tell
// little.
#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/base/vectors.hpp"
#include "engine/sealing/builder.hpp"
#include "engine/sealing/measure.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kRows = 5000, kDim = 16;

std::shared_ptr<const Segment> sealed(Metric metric, const std::vector<float>& vectors,
                                      std::size_t count = kRows) {
  const std::size_t dim = vectors.size() / count;
  Rows rows;
  rows.ids.resize(count);
  std::iota(rows.ids.begin(), rows.ids.end(), 0);
  rows.vectors.resize(vectors.size() * sizeof(float));
  std::memcpy(rows.vectors.data(), vectors.data(), rows.vectors.size());
  if (metric == Metric::cosine)
    for (std::size_t row = 0; row < count; ++row)
      rows.inverse_norms.push_back(inverse_norm(vectors.data() + row * dim, dim));
  Shape shape;
  shape.dim = dim;
  shape.metric = metric;
  shape.next_id = static_cast<std::int64_t>(count);
  return build_segment(shape, rows, std::nullopt, 1, {});
}

void check_truths(const Segment& segment) {
  const Interrupt never;
  std::vector<std::uint32_t> held_out;
  const auto apart = static_cast<std::uint32_t>(segment.originals() / 71);
  for (std::uint32_t row = 0; row < 70; ++row) held_out.push_back(row * apart);
  const Samples samples = Measurer(segment, 1, never).samples(held_out);
  for (const std::size_t kind : {0, 2, 3}) {  // rows; midpoints and rows with noise, without what made them
    const Sample& sample = samples.kinds[kind];
    for (std::size_t q = 0; q < sample.queries.count; ++q) {
      std::vector<Found> all;
      segment.stored_originals().scan(
          sample.queries.part(q, 1), [](std::size_t) { return std::numeric_limits<float>::infinity(); },
          [&](std::size_t, std::size_t row, float key) {
            if (std::ranges::find(sample.without_of(q), row) == sample.without_of(q).end())
              all.push_back({key, static_cast<std::int64_t>(row)});
          });
      std::ranges::sort(all, std::less());
      const std::vector<Found>& truth = sample.truths[q];
      CHECK(truth.size() == 100, truth.size());
      for (std::size_t i = 0; i < truth.size(); ++i)
        CHECK(truth[i].key == all[i].key && truth[i].id == all[i].id, kind, q, i, truth[i].key, all[i].key);
    }
  }
}

}  // namespace

TEST(the_recall_is_measured_with_the_neighbours_of_a_plain_loop) {
  for (const Metric metric : {Metric::euclidean, Metric::cosine, Metric::dot})
    for (const double apart : {0.0, 1e6}) {  // of the two halves of the rows, from each other and from 0
      Random random(1);
      std::vector<float> vectors;
      for (std::size_t row = 0; row < kRows; ++row)
        for (std::size_t i = 0; i < kDim; ++i)
          vectors.push_back(static_cast<float>(random.gaussian() + apart * (row % 2 == 0 ? 1.0 : -2.0)));
      check_truths(*sealed(metric, vectors));
    }
}

TEST(of_equally_near_rows_the_first_are_the_neighbours) {
  std::vector<float> vectors;
  for (std::size_t row = 0; row < kRows; ++row)  // different rows at few distances
    for (std::size_t i = 0; i < kDim; ++i) vectors.push_back(static_cast<float>(i < 13 ? row >> i & 1 : 1));
  check_truths(*sealed(Metric::euclidean, vectors));
}

// Of so many rows sketches tell them.
TEST(the_neighbours_in_small_clusters_are_those_of_a_plain_loop) {
  constexpr std::size_t kMany = 30000, kWide = 64, kClusters = 200;
  for (const Metric metric : {Metric::euclidean, Metric::cosine, Metric::dot}) {
    Random random(2);
    std::vector<float> centres(kClusters * kWide), vectors;
    for (float& each : centres) each = static_cast<float>(2.0 * random.gaussian());
    for (std::size_t row = 0; row < kMany; ++row)
      for (std::size_t i = 0; i < kWide; ++i)
        vectors.push_back(centres[row % kClusters * kWide + i] + static_cast<float>(random.gaussian()));
    check_truths(*sealed(metric, vectors, kMany));
  }
}
