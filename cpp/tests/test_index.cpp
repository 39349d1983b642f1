#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

double distance(Metric metric, const float* a, const float* b) {
  double dot = 0, square = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < kDim; ++i) {
    const double x{a[i]}, y{b[i]};
    dot += x * y, square += (x - y) * (x - y), of_a += x * x, of_b += y * y;
  }
  switch (metric) {
    case Metric::cosine:
      return 1 - dot / std::sqrt(of_a * of_b);
    case Metric::euclidean:
      return std::sqrt(square);
    case Metric::dot:
      return -dot;
    default:
      return square;
  }
}

std::size_t shared(const SearchResult& a, const SearchResult& b, std::size_t q, std::size_t k) {
  const std::set<std::int64_t> ids(a.ids.begin() + static_cast<std::ptrdiff_t>(q * k),
                                   a.ids.begin() + static_cast<std::ptrdiff_t>((q + 1) * k));
  std::size_t count = 0;
  for (std::size_t i = 0; i < k; ++i) count += ids.count(b.ids[q * k + i]);
  return count;
}

bool same(const SearchResult& a, const SearchResult& b) {
  return a.ids == b.ids && a.distances == b.distances;
}

}  // namespace

TEST(an_index_finds_what_a_plain_loop_finds) {
  constexpr std::size_t kRows = 3000, kQueries = 40, kK = 10;
  const auto vectors = gaussian(kRows, 1), queries = gaussian(kQueries, 2);
  for (const Metric metric : {Metric::cosine, Metric::euclidean, Metric::sqeuclidean, Metric::dot}) {
    Index index(shape_of(metric, 50));
    for (std::size_t row = 0; row < kRows; row += 500)
      index.add(vectors.data() + row * kDim, 500, nullptr, false);
    index.optimize(2, kNever);
    CHECK(index.buckets() > 25 && index.segments() == 1);
    const SearchResult exact =
        index.search(queries.data(), kQueries, {.k = kK, .exact = true, .only = {}}, kNever);
    for (const std::uint32_t probes : {static_cast<std::uint32_t>(index.buckets()), kAll}) {
      const SearchResult every_bucket =
          index.search(queries.data(), kQueries, {.k = kK, .probes = probes, .only = {}}, kNever);
      CHECK(same(every_bucket, exact) && every_bucket.recall() == 1.0);
    }
    // One bucket left out and everything reranked: nearly all are found, each at its exact distance.
    const SearchOptions nearly{
        .k = kK, .probes = static_cast<std::uint32_t>(index.buckets()) - 1, .rerank = kRows, .only = {}};
    const SearchResult most = index.search(queries.data(), kQueries, nearly, kNever);
    std::size_t found = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      found += shared(most, exact, q, kK);
      std::vector<double> distances(kRows);
      for (std::size_t row = 0; row < kRows; ++row)
        distances[row] = distance(metric, queries.data() + q * kDim, vectors.data() + row * kDim);
      for (const SearchResult* result : {&exact, &most})
        for (std::size_t i = 0; i < kK; ++i) {
          const double got{result->distances[q * kK + i]};
          CHECK(std::abs(got - distances[static_cast<std::size_t>(result->ids[q * kK + i])]) <
                1e-5 * (1 + std::abs(got)));
        }
      std::ranges::sort(distances);
      for (std::size_t i = 0; i < kK; ++i)
        CHECK(std::abs(double{exact.distances[q * kK + i]} - distances[i]) < 1e-4);
    }
    CHECK(found >= kQueries * kK * 99 / 100, found);
  }
}

TEST(stages_tell_what_each_of_them_did) {
  constexpr std::size_t kRows = 4000;
  const auto vectors = gaussian(kRows, 1);
  Index index(shape_of(Metric::euclidean, 40));
  index.add(vectors.data(), kRows, nullptr, false);
  const Stages fresh = index.search(vectors.data(), 1, {}, kNever).stages[0];
  CHECK(fresh.probes == 0 && fresh.scanned == 0 && fresh.candidates == kRows && fresh.reranked == kRows);
  index.optimize(1, kNever);
  Stages last{};
  for (const std::uint32_t probes : {1U, 4U, 10U, 20U}) {
    const Stages stages =
        index.search(vectors.data(), 1, {.k = 5, .probes = probes, .rerank = 50, .only = {}}, kNever)
            .stages[0];
    CHECK(stages.probes == probes && stages.scanned > last.scanned && stages.scanned < kRows);
    CHECK(stages.candidates == std::min(50U, stages.scanned) && stages.reranked >= 5 &&
          stages.reranked <= 20);
    last = stages;
  }
  const Stages scan = index.search(vectors.data(), 1, {.exact = true, .only = {}}, kNever).stages[0];
  CHECK(scan.probes == 0 && scan.scanned == 0 && scan.candidates == kRows);
}

TEST(rows_by_the_thousand_seal_themselves_in_the_background) {
  constexpr std::size_t kRows = 20'000, kAtOnce = 4000;
  const auto vectors = gaussian(kRows, 3);
  Index index(shape_of(Metric::euclidean));
  for (std::size_t row = 0; row < kRows; row += kAtOnce) {
    index.add(vectors.data() + row * kDim, kAtOnce, nullptr, false);
    for (std::size_t i = row; i < row + kAtOnce; i += 997)  // wherever it is by now
      CHECK(index.search(vectors.data() + i * kDim, 1, {.k = 1, .only = {}}, kNever).distances[0] == 0.0F, i);
  }
  CHECK(index.size() == kRows);
  for (int patience = 0; index.segments() == 0 && patience < 60'000; ++patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(index.segments() > 0 && index.buckets() > 0);
  std::vector<std::int64_t> ids(kRows);
  for (std::size_t i = 0; i < kRows; ++i) ids[i] = static_cast<std::int64_t>(i);
  CHECK(index.ids() == ids);
  index.optimize(2, kNever);
  CHECK(index.segments() == 1 && index.ids() == ids);
}

TEST(rows_added_while_others_seal_are_sealed_after_them) {
  constexpr std::size_t kRows = 40'000;
  const auto vectors = gaussian(kRows, 3);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), kRows / 2, nullptr, false);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // its sealing has begun, and is not over
  index.add(vectors.data() + kRows / 2 * kDim, kRows / 2, nullptr, false);
  const auto fresh = [&] { return index.explain(vectors.data(), {.k = 1, .only = {}}, {}).compared_whole; };
  for (int patience = 0; fresh() > 0 && patience < 60'000; ++patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(fresh() == 0 && index.size() == kRows);
}

TEST(an_index_that_goes_while_it_seals_stops_sealing) {
  const auto vectors = gaussian(20'000, 3);
  for (int round = 0; round < 5; ++round) {
    Index index(shape_of(Metric::euclidean));
    index.add(vectors.data(), 20'000, nullptr, false);
  }
}

TEST(what_is_removed_or_replaced_while_its_segment_is_built_is_gone_from_it) {
  constexpr std::size_t kRows = 4000;  // so few that nobody else seals them
  const auto vectors = gaussian(kRows, 3);
  const std::vector<float> far(kDim, 50.0F);
  Index index(shape_of(Metric::euclidean, 40));
  index.add(vectors.data(), kRows, nullptr, false);
  std::int64_t next = 0;
  std::size_t added = 0;
  const Interrupt change = [&] {  // in mid-sealing, which holds no lock
    if (added == kRows / 4) return;
    const std::int64_t gone = next++, replaced = next++;
    index.remove({&gone, 1});
    index.add(far.data(), 1, &replaced, true);
    index.add(far.data(), 1, nullptr, false);
    ++added;
  };
  index.optimize(1, change);
  CHECK(added > 10 && index.size() == kRows && index.segments() == 1);
  const auto count = static_cast<std::size_t>(next);
  const SearchResult found = index.search(vectors.data(), count, {.k = 3, .probes = 2, .only = {}}, kNever);
  for (const std::int64_t id : found.ids) CHECK(id >= next && id < static_cast<std::int64_t>(kRows), id);
  for (std::int64_t id = 0; id < next; ++id) CHECK(index.contains(id) == (id % 2 != 0), id);
  for (std::int64_t id = 1; id < next; id += 2) CHECK(index.vector(id) == far, id);
  index.optimize(1, kNever);
  CHECK(index.size() == kRows && index.vector(1) == far && !index.contains(0));
}

TEST(an_interrupt_in_mid_sealing_changes_nothing) {
  constexpr std::size_t kRows = 4000;  // not yet sealed by adding
  Index index(shape_of(Metric::euclidean, 40));
  const auto vectors = gaussian(kRows, 3);
  index.add(vectors.data(), kRows, nullptr, false);
  for (int after = 0; after < 40; after += 3) {
    int calls = 0;
    const Interrupt interrupt = [&] {
      if (calls++ == after) throw std::runtime_error("Ctrl-C");
    };
    CHECK_THROWS(std::runtime_error, "Ctrl-C", index.optimize(1, interrupt));
    CHECK(index.size() == kRows && index.buckets() == 0);
    CHECK(index.search(vectors.data() + 7 * kDim, 1, {.k = 1, .only = {}}, kNever).ids[0] == 7);
  }
  index.optimize(1, kNever);
  CHECK(index.buckets() > 20);
}

TEST(a_filter_admits_only_its_ids_in_sealed_and_fresh_rows) {
  constexpr std::size_t kRows = 6000, kSealed = 5000, kQueries = 20, kK = 5;
  const auto vectors = gaussian(kRows, 4), queries = gaussian(kQueries, 5);
  for (const Metric metric : {Metric::cosine, Metric::dot}) {
    Index index(shape_of(metric));
    index.add(vectors.data(), kSealed, nullptr, false);
    index.optimize(2, kNever);
    index.add(vectors.data() + kSealed * kDim, kRows - kSealed, nullptr, false);
    for (const std::int64_t one_in : {1, 2, 10, 100, 1000, 7000}) {
      std::vector<std::int64_t> some;
      for (std::int64_t id = 0; id < static_cast<std::int64_t>(kRows); ++id)
        if (id % one_in == one_in / 2) some.push_back(id);
      const Filter only(some);
      SearchOptions options{.k = kK, .exact = true, .only = &only};
      const SearchResult exact = index.search(queries.data(), kQueries, options, kNever);
      options.exact = false;
      const SearchResult found = index.search(queries.data(), kQueries, options, kNever);
      std::size_t hits = 0;
      for (std::size_t q = 0; q < kQueries; ++q) {
        std::vector<std::pair<double, std::int64_t>> all;
        for (const std::int64_t id : some)
          all.emplace_back(distance(metric, queries.data() + q * kDim,
                                    vectors.data() + static_cast<std::size_t>(id) * kDim),
                           id);
        std::ranges::sort(all);
        for (std::size_t i = 0; i < kK; ++i) {
          CHECK(exact.ids[q * kK + i] == (i < all.size() ? all[i].second : -1), one_in, q, i);
          const std::int64_t id = found.ids[q * kK + i];
          CHECK((id == -1) == (i >= all.size()), one_in, q, i);
          CHECK(id == -1 || id % one_in == one_in / 2, id);
        }
        hits += shared(exact, found, q, kK);
      }
      CHECK(hits >= kQueries * kK * 85 / 100, one_in, hits);
      CHECK(found.recall() > 0.9 && found.recall() <= 1.0, one_in, found.recall());
    }
  }
}

TEST(a_filter_of_ids_that_are_not_there_finds_nothing_and_is_sure_of_it) {
  const auto vectors = gaussian(5000, 4);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), 5000, nullptr, false);
  index.optimize(2, kNever);
  for (const std::vector<std::int64_t>& none : {std::vector<std::int64_t>{}, {-5, 5000, 1LL << 62}}) {
    const Filter only(none);
    const SearchResult found = index.search(vectors.data(), 2, {.k = 2, .only = &only}, kNever);
    CHECK(found.ids == std::vector<std::int64_t>(4, -1));
    CHECK(found.recall() == 1.0, found.recall());
  }
}
