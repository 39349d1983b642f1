#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "engine/index/intake.hpp"
#include "engine/projection/rotation.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kDim = 40, kRows = 150, kQueries = 3;
const Interrupt kNever;
const auto kAll = [](std::size_t) { return std::numeric_limits<float>::infinity(); };

struct Case {
  Metric metric;
  Store store;
};

std::string label(Case which) {
  return "metric " + std::to_string(static_cast<int>(which.metric)) + ", store " +
         std::to_string(static_cast<int>(which.store));
}

std::vector<Case> cases() {
  std::vector<Case> all{{Metric::hamming, Store::bits}};
  for (const Metric metric : {Metric::cosine, Metric::euclidean, Metric::sqeuclidean, Metric::dot})
    for (const Store store : {Store::float32, Store::float16, Store::none}) all.push_back({metric, store});
  return all;
}

std::vector<float> gaussian(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// What is given under a metric: floats, or bits.
struct Given {
  Given(Metric metric, std::size_t count, unsigned seed)
      : bits(metric == Metric::hamming), floats(gaussian(count * kDim, seed)) {
    for (std::size_t i = 0; i < floats.size(); i += 8) {
      unsigned byte = 0;
      for (std::size_t j = 0; j < 8; ++j) byte |= unsigned{floats[i + j] > 0} << (7 - j);
      bytes.push_back(static_cast<std::uint8_t>(byte));
    }
    if (bits)
      for (float& value : floats) value = value > 0 ? 1.0F : -1.0F;
  }
  const void* data() const { return bits ? static_cast<const void*>(bytes.data()) : floats.data(); }

  bool bits;
  std::vector<float> floats;
  std::vector<std::uint8_t> bytes;
};

double distance(Metric metric, const float* a, const float* b) {
  double dot = 0, square = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < kDim; ++i) {
    const double x{a[i]}, y{b[i]};
    dot += x * y, square += (x - y) * (x - y), of_a += x * x, of_b += y * y;
  }
  switch (metric) {
    case Metric::cosine:
      return 1 - dot / std::sqrt(of_a * of_b);
    case Metric::dot:
      return -dot;
    case Metric::hamming:
      return square / 4;
    default:
      return square;
  }
}

// Of a row as it is kept. Unit vectors that were rounded are not quite that long: half their squared
// difference.
double key(Metric metric, Store store, const float* query, const float* kept) {
  if (metric == Metric::euclidean) metric = Metric::sqeuclidean;
  if (metric != Metric::cosine || store != Store::none) return distance(metric, query, kept);
  const double norm = std::sqrt(std::inner_product(query, query + kDim, query, 0.0));
  double square = 0;
  for (std::size_t i = 0; i < kDim; ++i) square += std::pow(double{query[i]} / norm - double{kept[i]}, 2);
  return square / 2;
}

std::string refusal(const Intake& intake, const std::vector<float>& vectors) {
  try {
    intake.rows(vectors.data(), vectors.size() / kDim);
  } catch (const VectorError& error) {
    return error.what();
  }
  return "";
}

Shape shape_of(Case which, std::uint32_t buckets) {
  Shape shape;
  shape.dim = kDim, shape.metric = which.metric, shape.store = which.store, shape.buckets = buckets;
  return shape;
}

}  // namespace

TEST(keys_of_every_store_are_those_of_what_it_keeps) {
  for (const auto [metric, store] : cases()) {
    const Intake intake(metric, store, kDim, 7);
    const Given rows(metric, kRows, 1), queries(metric, kQueries, 2);
    Rows kept = intake.rows(rows.data(), kRows);
    kept.ids.resize(kRows);
    const StoredRows stored = kept.stored(intake.form());
    std::vector<float> room;
    const std::vector<float> scales = intake.check_queries(queries.data(), kQueries);
    const QueryBlock block = intake.queries(queries.data(), scales, 0, kQueries, room);
    std::vector<float> scanned(kQueries * kRows, std::nanf("")), gathered = scanned;
    stored.scan(block, kAll,
                [&](std::size_t q, std::size_t row, float key) { scanned[q * kRows + row] = key; });
    std::vector<std::uint32_t> which(kRows);
    std::iota(which.begin(), which.end(), 0U);
    for (std::size_t q = 0; q < kQueries; ++q) {
      stored.gather(block.query(q), which,
                    [&](std::size_t row, float key) { gathered[q * kRows + row] = key; });
      for (std::size_t row = 0; row < kRows; ++row) {
        const std::vector<float> vector = intake.vector(stored.row(row));
        const double expected = key(metric, store, queries.floats.data() + q * kDim, vector.data());
        CHECK(std::abs(double{scanned[q * kRows + row]} - expected) < 1e-4, label({metric, store}));
      }
    }
    CHECK(scanned == gathered, label({metric, store}));
  }
}

TEST(many_rows_are_scanned_as_few_are) {
  constexpr std::size_t kMany = 14'000;  // 2.2 MB
  const Intake intake(Metric::cosine, Store::float32, kDim, 7);
  const Given rows(Metric::cosine, kMany, 1), queries(Metric::cosine, kQueries, 2);
  Rows kept = intake.rows(rows.data(), kMany);
  kept.ids.resize(kMany);
  const StoredRows stored = kept.stored(intake.form());
  std::vector<float> room;
  const std::vector<float> scales = intake.check_queries(queries.data(), kQueries);
  for (const std::size_t count : {std::size_t{1}, kQueries}) {
    const QueryBlock block = intake.queries(queries.data(), scales, 0, count, room);
    std::vector<float> together(count * kMany, std::nanf("")), in_parts = together;
    stored.scan(block, kAll,
                [&](std::size_t q, std::size_t row, float key) { together[q * kMany + row] = key; });
    for (std::size_t begin = 0; begin < kMany; begin += 1000)
      stored.part(begin, begin + 1000).scan(block, kAll, [&](std::size_t q, std::size_t row, float key) {
        in_parts[q * kMany + begin + row] = key;
      });
    CHECK(together == in_parts, count);
  }
}

TEST(what_is_kept_is_what_was_given_but_for_rounding) {
  for (const auto [metric, store] : cases()) {
    const Intake intake(metric, store, kDim, 7);
    const Given given(metric, kRows, 3);
    Rows kept = intake.rows(given.data(), kRows);
    kept.ids.resize(kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      const std::vector<float> vector = intake.vector(kept.stored(intake.form()).row(row));
      const float* from = given.floats.data() + row * kDim;
      const float norm = std::sqrt(std::inner_product(from, from + kDim, from, 0.0F));
      const float scale = store == Store::none && metric == Metric::cosine ? 1.0F / norm : 1.0F;
      const float step = store == Store::none      ? scale * norm / 127.0F
                         : store == Store::float16 ? 0x1p-9F
                                                   : 0.0F;
      for (std::size_t i = 0; i < kDim; ++i)
        CHECK(std::abs(vector[i] - scale * from[i]) <= step, label({metric, store}));
    }
  }
}

TEST(a_row_takes_the_bytes_that_its_store_promises) {
  CHECK(RowForm(Store::float32, Metric::cosine, 50).bytes() == 200);
  CHECK(RowForm(Store::float16, Metric::cosine, 50).bytes() == 100);
  CHECK(RowForm(Store::none, Metric::cosine, 50).bytes() == 60);  // 52 and two factors
  CHECK(RowForm(Store::bits, Metric::hamming, 56).bytes() == 7);
}

TEST(copies_are_at_distance_0_in_every_store_that_keeps_vectors) {
  for (const auto [metric, store] : cases()) {
    if (store == Store::none || metric == Metric::dot) continue;
    for (const float size : {1e-3F, 1.0F, 300.0F}) {
      Given given(metric, kRows, 4);
      for (float& value : given.floats) value *= size;
      Index index(shape_of({metric, store}, 5));
      index.add(given.data(), kRows, nullptr, false);
      for (const bool sealed : {false, true}) {
        if (sealed) index.optimize(1, kNever);
        for (std::int64_t id = 0; id < 20; ++id) {
          std::vector<float> copy = index.vector(id);
          const void* query =
              given.bits ? static_cast<const void*>(given.bytes.data() + id * 5) : copy.data();
          SearchOptions options;
          options.k = 1;
          const SearchResult found = index.search(query, 1, options, kNever);
          CHECK(found.ids[0] == id && found.distances[0] == 0.0F, label({metric, store}));
        }
      }
    }
  }
}

TEST(halves_refuse_what_they_cannot_hold) {
  const Intake euclidean(Metric::euclidean, Store::float16, kDim, 1),
      cosine(Metric::cosine, Store::float16, kDim, 1);
  std::vector<float> vectors(2 * kDim, 1.0F);
  CHECK(refusal(euclidean, vectors).empty() && refusal(cosine, vectors).empty());
  vectors[kDim + 3] = -65519.0F;  // still rounds to 65504
  CHECK(refusal(euclidean, vectors).empty());
  vectors[kDim + 3] = -65520.0F;
  CHECK(refusal(euclidean, vectors).starts_with("vector 1 has -65520"));
  CHECK(refusal(euclidean, vectors).find("at position 3") != std::string::npos);
  std::fill(vectors.begin() + kDim, vectors.end(), 1e-9F);
  CHECK(refusal(euclidean, vectors).empty());
  CHECK(refusal(cosine, vectors).starts_with("vector 1 rounds to all zeros"));
}

TEST(vectors_of_any_admitted_size_fit_into_rows_of_bytes) {
  for (const Metric metric : {Metric::cosine, Metric::euclidean, Metric::dot})
    for (const float size : {0.0F, 1e-44F, 1e-38F, 1e-14F, 1.0F, 1e17F}) {
      if (metric == Metric::cosine && size < 1e-14F) continue;
      const Intake intake(metric, Store::none, kDim, 1);
      auto vectors = gaussian(2 * kDim, 5);
      for (float& value : vectors) value *= size;
      Rows kept = intake.rows(vectors.data(), 2);
      kept.ids.resize(2);
      std::vector<float> room;
      const std::vector<float> scales = intake.check_queries(vectors.data(), 2);
      const QueryBlock block = intake.queries(vectors.data(), scales, 1, 1, room);
      std::size_t visited = 0;
      kept.stored(intake.form()).scan(block, kAll, [&](std::size_t, std::size_t, float key) {
        CHECK(std::isfinite(key), size);
        ++visited;
      });
      CHECK(visited == 2, size);  // no NaN
    }
}

TEST(merging_rounds_no_row_of_any_store_again) {
  for (const Case which : cases()) {
    Index index(shape_of(which, 5));
    std::vector<std::vector<float>> before;
    for (unsigned round = 0; round < 4; ++round) {
      const Given given(which.metric, kRows, 10 + round);
      index.add(given.data(), kRows, nullptr, false);
      for (std::int64_t id = 0; id < static_cast<std::int64_t>(index.size()); ++id) {
        if (static_cast<std::size_t>(id) == before.size()) before.push_back(index.vector(id));
        CHECK(index.vector(id) == before[static_cast<std::size_t>(id)], label(which));
      }
      index.optimize(1, kNever);
      CHECK(index.segments() == 1);
    }
    for (std::size_t id = 0; id < before.size(); ++id)
      CHECK(index.vector(static_cast<std::int64_t>(id)) == before[id], label(which));
  }
}

TEST(a_file_gives_back_what_any_store_held) {
  for (const Case which : cases())
    for (const std::uint32_t buckets : {0U, 5U}) {
      const Given given(which.metric, kRows, 20);
      Index index(shape_of(which, buckets));
      index.add(given.data(), kRows, nullptr, false);
      const TemporaryPath file;
      index.save(file.path(), "{}", false, kNever);
      const Index opened{std::string(file.path())};
      CHECK(opened.shape().store == which.store && opened.buckets() == index.buckets());
      CHECK((opened.buckets() > 0) == (buckets > 0));
      SearchOptions options;
      options.k = 7;
      const SearchResult expected = index.search(given.data(), kRows, options, kNever);
      const SearchResult found = opened.search(given.data(), kRows, options, kNever);
      CHECK(found.ids == expected.ids && found.distances == expected.distances, label(which));
      for (std::int64_t id = 0; id < 10; ++id) CHECK(opened.vector(id) == index.vector(id));
    }
}

TEST(a_rotation_is_turned_back_by_its_inverse) {
  for (const std::size_t width : {4U, 8U, 12U, 100U, 128U, 132U, 1024U, 1280U}) {
    const Rotation rotation(width, 3);
    const auto values = gaussian(width, static_cast<unsigned>(width));
    auto turned = values;
    rotation.apply(turned.data());
    rotation.invert(turned.data());
    for (std::size_t i = 0; i < width; ++i) CHECK(std::abs(turned[i] - values[i]) < 2e-5F, width);
  }
}
