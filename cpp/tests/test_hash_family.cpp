// What every hash family must do, through an index.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/hash/cross_polytope.hpp"
#include "engine/hash/hash_scratch.hpp"
#include "engine/hash/hyperplanes.hpp"
#include "engine/index/index.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kDim = 24, kRows = 1500, kManyRows = 6000, kQueries = 300, kManyQueries = 1500, kK = 10;
constexpr std::uint32_t kBuckets = 45;
const Interrupt kNever;

struct Way {
  const Family* family;
  std::uint32_t tables;
};
const std::vector<Way> kWays = {
    {&kSpheres, 1}, {&kHyperplanes, 1}, {&kHyperplanes, 3}, {&kCrossPolytope, 1}, {&kCrossPolytope, 3}};

// Clusters far from the origin, so that hyperplanes through it would not part them.
std::vector<float> clustered(std::size_t rows, unsigned seed) {
  std::mt19937 centres_of(9), random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(100 * kDim), values(rows * kDim);
  for (float& value : centres) value = 4.0F + normal(centres_of);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t centre = random() % 100;
    for (std::size_t i = 0; i < kDim; ++i)
      values[row * kDim + i] = centres[centre * kDim + i] + 0.4F * normal(random);
  }
  return values;
}

Shape shape_of(Way way, Metric metric, std::uint32_t buckets = kBuckets) {
  Shape shape;
  shape.dim = kDim;
  shape.seed = 3;
  shape.metric = metric;
  shape.buckets = buckets;
  shape.family = way.family;
  shape.tables = way.tables;
  return shape;
}

void fill(Index& index, const std::vector<float>& vectors, int threads = 2) {
  index.add(vectors.data(), vectors.size() / kDim, nullptr, false);
  index.optimize(threads, kNever);
}

// Sealed once for all the tests that only search it.
const Index& sealed(Way way, Metric metric, std::size_t rows = kRows) {
  static std::map<std::tuple<const Family*, std::uint32_t, Metric, std::size_t>, std::unique_ptr<Index>>
      indexes;
  auto& index = indexes[{way.family, way.tables, metric, rows}];
  if (index == nullptr) {
    index = std::make_unique<Index>(shape_of(way, metric));
    fill(*index, clustered(rows, 1));
  }
  return *index;
}

double recall_of(const SearchResult& found, const SearchResult& truth, std::size_t k) {
  std::size_t hits = 0;
  for (std::size_t q = 0; q * k < truth.ids.size(); ++q) {
    const std::set<std::int64_t> ids(found.ids.begin() + static_cast<std::ptrdiff_t>(q * k),
                                     found.ids.begin() + static_cast<std::ptrdiff_t>((q + 1) * k));
    CHECK(ids.size() == k, "found twice, or too few");
    for (std::size_t i = 0; i < k; ++i) hits += ids.count(truth.ids[q * k + i]);
  }
  return static_cast<double>(hits) / static_cast<double>(truth.ids.size());
}

std::string bytes_at(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

SearchOptions exactly(std::size_t k) {
  SearchOptions options;
  options.k = k;
  options.exact = true;
  return options;
}

}  // namespace

THOROUGH_TEST(every_family_keeps_the_recall_that_it_promises) {
  const auto queries = clustered(kManyQueries, 2);
  double surplus = 0;
  for (const Way way : kWays)
    for (const Metric metric : {Metric::euclidean, Metric::cosine, Metric::dot}) {
      const Index& index = sealed(way, metric, kManyRows);
      CHECK(index.buckets() > 20, index.buckets());
      const SearchResult truth = index.search(queries.data(), kManyQueries, exactly(kK), kNever);
      for (const double recall : {0.7, 0.9, 0.95}) {
        SearchOptions options;
        options.recall = recall;
        const SearchResult found = index.search(queries.data(), kManyQueries, options, kNever);
        const double reached = recall_of(found, truth, kK);
        CHECK(reached > recall - 0.02, way.family->name, way.tables, static_cast<int>(metric), recall,
              reached);
        surplus += reached - recall;
        CHECK(found.recall() >= recall - 1e-12);
        CHECK(found.stages[0].probes > 0 || recall > 0.9, "compared with all rows", way.family->name);
      }
      SearchOptions everywhere;
      everywhere.probes = static_cast<std::uint32_t>(index.buckets()) - 1;  // all: a scan
      everywhere.rerank = 2000;
      const double all = recall_of(index.search(queries.data(), kManyQueries, everywhere, kNever), truth, kK);
      CHECK(all > 0.995, way.family->name, way.tables, all);
    }
  CHECK(surplus > 0, "on average less than promised", surplus);
}

TEST(one_query_finds_what_a_batch_finds) {
  const auto queries = clustered(40, 2);
  for (const Way way : kWays) {
    const Index& index = sealed(way, Metric::euclidean);
    SearchOptions options;
    options.probes = 12;
    options.rerank = 60;
    const SearchResult batch = index.search(queries.data(), 40, options, kNever);
    for (std::size_t q = 0; q < 40; ++q) {
      const SearchResult one = index.search(queries.data() + q * kDim, 1, options, kNever);
      CHECK(std::equal(one.ids.begin(), one.ids.end(),
                       batch.ids.begin() + static_cast<std::ptrdiff_t>(q * options.k)));
    }
  }
}

TEST(the_rerank_of_a_search_counts_different_rows) {
  const auto queries = clustered(40, 2);
  for (const Way way : kWays) {
    const Index& index = sealed(way, Metric::euclidean);
    SearchOptions options;
    options.probes = 30;
    options.rerank = 100;
    for (const Stages& stages : index.search(queries.data(), 40, options, kNever).stages)
      CHECK(stages.candidates == std::min<std::uint32_t>(100, stages.met / std::max(1U, way.tables)) ||
                (way.tables > 1 && stages.candidates == 100),
            stages.candidates, stages.met);
  }
}

TEST(filters_hold_and_keep_their_recall_in_every_family) {
  const auto queries = clustered(100, 2);
  for (const Way way : kWays) {
    const Index& index = sealed(way, Metric::cosine);
    for (const std::int64_t every : {3, 20, 250}) {
      SearchOptions exact = exactly(5), options;
      options.k = 5;
      std::vector<std::int64_t> some;
      for (std::int64_t id = 0; id < std::int64_t{kRows}; id += every) some.push_back(id);
      const Filter only(some);
      exact.only = options.only = &only;
      const SearchResult truth = index.search(queries.data(), 100, exact, kNever);
      const SearchResult found = index.search(queries.data(), 100, options, kNever);
      CHECK(recall_of(found, truth, 5) > 0.93, way.family->name, way.tables, every,
            recall_of(found, truth, 5));
      for (const std::int64_t id : found.ids) CHECK(id % every == 0);
      options.probes = 1;
      options.rerank = 1;
      const SearchResult few = index.search(queries.data(), 100, options, kNever);
      for (const std::int64_t id : few.ids) CHECK(id >= 0 && id % every == 0, every, way.tables, id);
    }
  }
}

TEST(many_neighbours_are_found_however_few_probes_are_asked_for) {
  const auto vectors = clustered(kRows, 1);
  for (const Way way : kWays) {
    const Index& index = sealed(way, Metric::euclidean);
    SearchOptions options;
    options.k = kRows / 2;
    options.probes = 1;
    const SearchResult found = index.search(vectors.data(), 1, options, kNever);
    const std::set<std::int64_t> ids(found.ids.begin(), found.ids.end());
    CHECK(ids.size() == kRows / 2 && ids.count(-1) == 0, way.family->name, way.tables, ids.size());
  }
}

TEST(copies_do_no_harm_in_any_family) {
  auto vectors = clustered(kRows, 1);
  for (std::size_t row = 0; row < kRows; row += 2)
    std::copy_n(vectors.data(), kDim, vectors.data() + row * kDim);
  const auto queries = clustered(kQueries, 2);
  const std::vector<float> equal(500 * kDim, 1.5F);
  for (const Way way : kWays) {
    Index index(shape_of(way, Metric::euclidean));
    fill(index, vectors);
    SearchOptions options;
    options.k = 5;
    const SearchResult truth = index.search(queries.data(), kQueries, exactly(5), kNever);
    const SearchResult found = index.search(queries.data(), kQueries, options, kNever);
    std::size_t as_near = 0;  // as the farthest that should be found: of copies any will do
    for (std::size_t i = 0; i < found.ids.size(); ++i)
      as_near += found.distances[i] <= truth.distances[i / 5 * 5 + 4] ? 1U : 0U;
    CHECK(as_near >= found.ids.size() * 93 / 100, way.family->name, way.tables, as_near);

    Index one_point(shape_of(way, Metric::cosine, 8));
    fill(one_point, equal);
    const SearchResult all = one_point.search(equal.data(), 1, options, kNever);
    CHECK(std::set<std::int64_t>(all.ids.begin(), all.ids.end()).size() == 5 && all.ids[0] >= 0);
    CHECK(all.distances[4] < 1e-6F);
  }
}

THOROUGH_TEST(files_of_every_family_are_the_same_for_any_number_of_threads_and_answer_as_before) {
  const auto vectors = clustered(kRows, 1), queries = clustered(50, 2);
  for (const Way way : kWays) {
    std::vector<std::string> files;
    for (const int threads : {1, 3}) {
      Index index(shape_of(way, Metric::cosine));
      fill(index, vectors, threads);
      TemporaryPath temporary;
      index.save(temporary.path(), "", false, kNever);
      files.push_back(bytes_at(temporary.path()));
      Index opened(temporary.path());
      CHECK(opened.buckets() == index.buckets() && opened.shape().family == way.family &&
            opened.shape().tables == way.tables);
      SearchOptions options;
      options.probes = 9;
      const SearchResult before = index.search(queries.data(), 50, options, kNever);
      const SearchResult after = opened.search(queries.data(), 50, options, kNever);
      CHECK(before.ids == after.ids && before.distances == after.distances);
    }
    CHECK(files[0] == files[1], way.family->name, way.tables);
  }
}

TEST(a_family_goes_to_every_bucket_once_with_the_distance_of_its_centre) {
  constexpr std::size_t kCount = 2000;
  auto rows = clustered(kCount, 1);
  for (float& value : rows) value -= 4.0F;  // around the origin, as a segment's projected space is
  for (const Way way : kWays) {
    const auto family = way.family->make({way.tables, 40}, {kCount, rows.data(), kCount, kDim, 5}, 2, kNever);
    std::vector<std::uint32_t> assigned(kCount * family->tables());
    family->assign(rows.data(), kCount, assigned.data());
    family->drop_empty(assigned);
    const std::set<std::uint32_t> occupied(assigned.begin(), assigned.end());
    if (way.family != &kSpheres) CHECK(occupied.size() == family->buckets(), "an empty bucket");
    for (std::size_t i = 0; i < family->means().size(); ++i) family->means()[i] = static_cast<float>(i % 7);
    HashScratch scratch;
    std::vector<Near> all, few;
    family->order(rows.data(), family->buckets() + 5, scratch, all);
    std::set<std::uint32_t> seen;
    for (const Near& near : all) {
      double square = 0;
      for (std::size_t i = 0; i < kDim; ++i)
        square += std::pow(double{rows[i]} - double{family->centre(near.bucket)[i]}, 2);
      CHECK(std::abs(square - double{near.key}) < 1e-3 * (1 + square));
      CHECK(near.bucket < family->buckets() && seen.insert(near.bucket).second);
    }
    CHECK(seen.size() == family->buckets());
    family->order(rows.data(), 7, scratch, few);
    CHECK(few.size() == 7);
    for (std::uint32_t table = 0; table < family->tables(); ++table)  // its own buckets come first
      CHECK(few[table].bucket == assigned[table] || way.family == &kSpheres);
  }
}

namespace {

// Parts in memory.
struct Kept final : PartSource {
  std::map<std::string_view, std::span<const std::byte>> parts;

  template <class T>
  void keep(std::string_view name, const std::vector<T>& items) {
    parts[name] = std::as_bytes(std::span(items));
  }
  std::span<const std::byte> find(std::string_view name) const override {
    const auto found = parts.find(name);
    return found == parts.end() ? std::span<const std::byte>() : found->second;
  }
  [[noreturn]] void damaged(const std::string& what) const override { throw DamagedError(what); }
};

}  // namespace

TEST(each_table_of_codes_has_a_bucket) {
  constexpr std::size_t kWidth = 4;
  const std::vector<float> centres(2 * kWidth, 1.0F);
  const std::vector<std::uint32_t> codes{2, 1, 0};  // tables, digits, width of the last
  const auto problem = [&](std::uint32_t of_second_table) {
    const std::uint32_t none = 0xFFFFFFFF;
    const std::vector<std::uint32_t> bucket_of{0, of_second_table == none ? 1 : none, of_second_table, none};
    Kept parts;
    parts.keep("centres", centres);
    parts.keep("codes", codes);
    parts.keep("bucket_of", bucket_of);
    return kHyperplanes.open(parts, 2, kWidth, 1)->problem();
  };
  CHECK(problem(1).empty(), problem(1));
  CHECK(problem(0xFFFFFFFF) == "a table has no bucket", problem(0xFFFFFFFF));
}

TEST(a_family_is_found_by_its_name_and_opens_from_its_parts) {
  constexpr std::size_t kCount = 2000;
  const auto rows = clustered(kCount, 1);
  CHECK(find_family("") == nullptr && find_family("sphere") == nullptr);
  for (const Way way : kWays) {
    CHECK(find_family(way.family->name) == way.family && way.tables <= way.family->most_tables);
    const auto made = way.family->make({way.tables, 40}, {kCount, rows.data(), kCount, kDim, 5}, 2, kNever);
    std::vector<std::uint32_t> assigned(kCount * made->tables()), again(assigned.size());
    made->assign(rows.data(), kCount, assigned.data());
    made->drop_empty(assigned);
    std::ranges::fill(made->means(), 0.5F);
    Kept parts;
    for (const auto& [name, bytes] : made->parts()) parts.parts[name] = bytes;
    const auto opened = way.family->open(parts, made->buckets(), kDim, 5);
    CHECK(opened->problem().empty() && opened->buckets() == made->buckets(), opened->problem());
    opened->assign(rows.data(), kCount, again.data());
    CHECK(again == assigned, way.family->name);
  }
}

TEST(an_index_has_a_metric_that_its_family_takes) {
  Family angular = kSpheres;
  angular.takes = [](Metric metric) { return metric == Metric::cosine; };
  CHECK_THROWS(ArgumentError, "spheres does not take this metric",
               Index(shape_of({&angular, 1}, Metric::euclidean)));
  CHECK(Index(shape_of({&angular, 1}, Metric::cosine)).size() == 0);
}
