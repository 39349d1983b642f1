#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "check.hpp"
#include "engine/errors.hpp"
#include "engine/index.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kDim = 6;
const Interrupt kNever;

std::vector<float> gaussian(std::size_t rows, unsigned seed, std::size_t dim = kDim) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * dim);
  for (float& value : values) value = normal(random);
  return values;
}

Shape shape_of(Metric metric, std::uint32_t tables = 0, std::uint32_t bits = 0) {
  return {kDim, 1, 0, metric, tables, bits};
}

// A sound segment of 4 rows in 2 dimensions under cosine, 1 table of 1 bit, for hostile hands to change.
struct Parts {
  std::vector<std::uint64_t> shape = {4, 2, 0, 100};  // rows, dim, seed, next id
  std::vector<std::uint32_t> more = {0, 1, 1, 1,
                                     1, 1, 0, 0};  // metric, asked tables and bits, tables, bits, samples
  std::vector<std::int64_t> ids = {3, 1, 2, 9};
  std::vector<float> vectors = {1, 0, 0, 1, 1, 1, -1, 2};
  std::vector<float> inverse_norms = {1, 1, std::sqrt(0.5F), std::sqrt(0.2F)};
  std::vector<float> normals = {1, 0};
  std::vector<float> thresholds = {0.5F};
  std::vector<std::uint32_t> starts = {0, 2, 4};
  std::vector<std::uint32_t> members = {1, 3, 0, 2};
  std::vector<std::uint32_t> curve = {1, 1, 1, 2, 1, 1, 2};  // of 1, 3 and 3 neighbours
  std::vector<std::uint32_t> left_out;

  Bytes file() const {
    Bytes whole_shape = bytes_of(shape);
    const Bytes rest = bytes_of(more);
    whole_shape.insert(whole_shape.end(), rest.begin(), rest.end());
    RawFile raw;
    raw.sections = {{1, whole_shape},       {2, {'{', '}'}},
                    {3, bytes_of(ids)},     {5, bytes_of(inverse_norms)},
                    {6, bytes_of(normals)}, {7, bytes_of(thresholds)},
                    {8, bytes_of(starts)},  {9, bytes_of(members)},
                    {10, bytes_of(curve)},  {4, bytes_of(vectors)}};
    for (const std::uint32_t name : left_out)
      std::erase_if(raw.sections, [&](const RawSection& s) { return s.name == name; });
    raw.lay_out();
    return raw.finish();
  }
};

// Everything that can be asked of an index; what counts is that nothing crashes and no sanitizer complains.
void use(Index& index) {
  const std::size_t dim = index.shape().dim;
  std::vector<float> query(3 * dim, 0.5F);
  for (const bool exact : {true, false})
    for (const std::uint32_t probes : {0U, 1U, 5U, 0x7FFFFFFFU}) {
      const SearchResult found = index.search(query.data(), 3, {5, 0.9, probes, exact, 10.0F, 2}, kNever);
      for (std::size_t i = 0; i < found.ids.size(); ++i)
        CHECK((found.ids[i] == -1) == std::isinf(found.distances[i]) && !std::isnan(found.distances[i]));
    }
  for (const std::int64_t id : index.ids())
    if (index.contains(id)) CHECK(index.vector(id).size() == dim);
  index.add(query.data(), 3, nullptr, false, kNever);
  index.optimize(2, kNever);
  index.search(query.data(), 3, {}, kNever);
  TemporaryPath temporary;
  index.save(temporary.path(), "", kNever);
  CHECK(Index(temporary.path()).size() == index.size());
}

template <class Change>
void refused(const char* words, Change change) {
  Parts parts;
  change(parts);
  TemporaryPath temporary;
  CHECK_THROWS(DamagedError, words, Index(temporary.write(parts.file())));
}

template <class Change>
void harmless(Change change) {
  Parts parts;
  change(parts);
  TemporaryPath temporary;
  Index index(temporary.write(parts.file()));
  use(index);
}

}  // namespace

TEST(a_segment_written_by_the_page_of_the_format_is_an_index) {
  TemporaryPath temporary;
  const Index index(temporary.write(Parts().file()));
  CHECK(index.size() == 4 && index.tables() == 1 && index.bits() == 1);
  const float query[] = {1, 0.1F};
  const SearchResult found = index.search(query, 1, {2, 0.95, 0, true}, kNever);
  CHECK(found.ids == std::vector<std::int64_t>({3, 2}));
  CHECK(index.search(query, 1, {2, 0.95, 1}, kNever).candidates[0] == 2);
  harmless([](Parts&) {});
}

TEST(shapes_of_a_hostile_file_are_refused) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  for (const std::uint64_t rows : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{5},
                                   std::uint64_t{1} << 32, std::uint64_t{0xFFFFFFFF}, kHuge})
    refused("", [&](Parts& parts) { parts.shape[0] = rows; });
  for (const std::uint64_t dim : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3},
                                  std::uint64_t{1} << 20, std::uint64_t{(1 << 20) - 1}, kHuge})
    refused("", [&](Parts& parts) { parts.shape[1] = dim; });
  refused("negative, or larger than the largest one", [](Parts& parts) { parts.shape[3] = 9; });
  refused("no sense", [](Parts& parts) { parts.shape[3] = (std::uint64_t{1} << 63) + 1; });
  for (const std::size_t field : {0U, 1U, 2U, 3U, 4U, 5U})
    for (const std::uint32_t value : {257U, 0x80000000U, 0xFFFFFFFFU})
      refused("", [&](Parts& parts) { parts.more[field] = value; });
  refused("no sense", [](Parts& parts) { parts.more[0] = 4; });
  refused("no sense", [](Parts& parts) { parts.more[2] = 25; });
  refused("no sense", [](Parts& parts) { parts.more[3] = 0; });
  refused("no sense", [](Parts& parts) { parts.more[4] = 0; });
  refused("wrong length", [](Parts& parts) { parts.more[4] = 24; });
  refused("wrong length", [](Parts& parts) { parts.more[3] = 256; });
}

TEST(sections_of_a_hostile_file_that_do_not_fit_are_refused) {
  for (const std::uint32_t name : {1U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 10U})
    refused("has the wrong length", [&](Parts& parts) { parts.left_out.push_back(name); });
  refused("negative, or larger than the largest one", [](Parts& parts) { parts.ids[2] = -1; });
  refused("negative, or larger than the largest one",
          [](Parts& parts) { parts.ids[0] = std::numeric_limits<std::int64_t>::min(); });
  refused("negative, or larger than the largest one", [](Parts& parts) { parts.ids[0] = 100; });
  refused("bucket lies outside", [](Parts& parts) { parts.starts = {0, 5, 4}; });
  refused("bucket lies outside", [](Parts& parts) { parts.starts = {1, 2, 4}; });
  refused("bucket lies outside", [](Parts& parts) { parts.starts = {0, 2, 3}; });
  refused("a row that is not there", [](Parts& parts) { parts.members[2] = 4; });
  refused("a row that is not there", [](Parts& parts) { parts.members[0] = 0xFFFFFFFF; });
  refused("recall curve", [](Parts& parts) { parts.curve[2] = 3; });
}

TEST(what_else_a_hostile_file_may_hold_is_harmless) {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  for (const float value : {nan, inf, -inf, 3e38F, -3e38F, 0.0F, 1e-45F}) {
    harmless([&](Parts& parts) { std::ranges::fill(parts.vectors, value); });
    harmless([&](Parts& parts) { parts.vectors[3] = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.inverse_norms, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.normals, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.thresholds, value); });
    harmless([&](Parts& parts) {
      parts.more[0] = 1;  // euclidean, which keeps no norms
      parts.left_out.push_back(5);
      std::ranges::fill(parts.vectors, value);
    });
  }
  harmless([](Parts& parts) { parts.members = {2, 2, 2, 2}; });
  harmless([](Parts& parts) { parts.starts = {0, 0, 4}; });
  harmless([](Parts& parts) { parts.curve.assign(7, 0); });
  harmless([](Parts& parts) { parts.curve.assign(7, 0xFFFFFFFE); });
  harmless([](Parts& parts) { parts.curve.assign(7, 0xFFFFFFFF); });
  harmless([](Parts& parts) { parts.left_out.push_back(2); });
  harmless([](Parts& parts) { parts.shape[2] = ~std::uint64_t{0}; });
}

TEST(a_curve_that_asks_for_more_probes_than_a_scan_costs_is_answered_by_a_scan) {
  Parts parts;
  parts.curve.assign(7, 0xFFFFFFFE);
  TemporaryPath temporary;
  const Index index(temporary.write(parts.file()));
  const float query[] = {1, 0.1F};
  const SearchResult found = index.search(query, 1, {2}, kNever);
  CHECK(found.recall == 1.0 && found.candidates[0] == 4);
}

TEST(an_id_that_is_there_twice_is_refused_when_ids_are_looked_up) {
  Parts parts;
  parts.ids = {3, 1, 3, 9};
  TemporaryPath temporary;
  Index index(temporary.write(parts.file()));
  CHECK(index.size() == 4);
  const float vector[] = {1, 2};
  const std::int64_t id = 3;
  CHECK_THROWS(DamagedError, "id 3 is there twice", index.contains(3));
  CHECK_THROWS(DamagedError, "id 3 is there twice", index.remove({&id, 1}));
  CHECK_THROWS(DamagedError, "id 3 is there twice", index.add(vector, 1, &id, true, kNever));
  CHECK(index.add(vector, 1, nullptr, false, kNever)[0] == 100);
}

TEST(an_index_finds_what_a_plain_loop_finds) {
  constexpr std::size_t kRows = 3000;
  const auto vectors = gaussian(kRows, 1), queries = gaussian(40, 2);
  for (const Metric metric : {Metric::cosine, Metric::euclidean, Metric::sqeuclidean, Metric::dot}) {
    Index index(shape_of(metric, 4, 6));
    for (std::size_t row = 0; row < kRows; row += 500)
      index.add(vectors.data() + row * kDim, 500, nullptr, false, kNever);
    index.optimize(2, kNever);
    const SearchResult exact = index.search(queries.data(), 40, {10, 0.95, 0, true}, kNever);
    const SearchResult every_bucket = index.search(queries.data(), 40, {10, 0.95, 4 * 64}, kNever);
    CHECK(exact.ids == every_bucket.ids && exact.distances == every_bucket.distances &&
          every_bucket.recall == 1.0);
    for (std::size_t q = 0; q < 40; ++q) {
      std::vector<double> distances(kRows);
      for (std::size_t row = 0; row < kRows; ++row) {
        double dot = 0, square = 0, a = 0, b = 0;
        for (std::size_t i = 0; i < kDim; ++i) {
          const double x{queries[q * kDim + i]}, y{vectors[row * kDim + i]};
          dot += x * y, square += (x - y) * (x - y), a += x * x, b += y * y;
        }
        distances[row] = metric == Metric::cosine      ? 1 - dot / std::sqrt(a * b)
                         : metric == Metric::euclidean ? std::sqrt(square)
                         : metric == Metric::dot       ? -dot
                                                       : square;
      }
      for (std::size_t i = 0; i < 10; ++i) {
        const double got{exact.distances[q * 10 + i]};
        CHECK(std::abs(got - distances[static_cast<std::size_t>(exact.ids[q * 10 + i])]) <
              1e-5 * (1 + std::abs(got)));
      }
      std::ranges::sort(distances);
      for (std::size_t i = 0; i < 10; ++i)
        CHECK(std::abs(double{exact.distances[q * 10 + i]} - distances[i]) < 1e-4);
    }
  }
}

TEST(an_interrupt_in_mid_sealing_changes_nothing) {
  constexpr std::size_t kRows = 4000;  // not yet sealed by adding
  Index index(shape_of(Metric::euclidean, 8, 8));
  const auto vectors = gaussian(kRows, 3);
  index.add(vectors.data(), kRows, nullptr, false, kNever);
  for (int after = 0; after < 60; after += 7) {
    int calls = 0;
    const Interrupt interrupt = [&] {
      if (calls++ == after) throw std::runtime_error("Ctrl-C");
    };
    CHECK_THROWS(std::runtime_error, "Ctrl-C", index.optimize(1, interrupt));
    CHECK(index.size() == kRows && index.tables() == 0);
    CHECK(index.search(vectors.data() + 7 * kDim, 1, {1}, kNever).ids[0] == 7);
  }
  index.optimize(1, kNever);
  CHECK(index.tables() == 8);
}

TEST(searching_while_adding_removing_sealing_and_saving) {  // ThreadSanitizer's test
  const auto kept = gaussian(600, 4), passing = gaussian(600, 5);
  TemporaryPath temporary;
  Index index(shape_of(Metric::cosine, 3, 4));
  index.add(kept.data(), 600, nullptr, false, kNever);
  index.save(temporary.path(), "", kNever);
  for (const bool mapped : {false, true}) {
    const auto opened = mapped ? std::make_unique<Index>(temporary.path()) : nullptr;
    Index& shared = mapped ? *opened : index;
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 3; ++reader)
      readers.emplace_back([&, reader] {
        while (!done) {
          const SearchResult found =
              shared.search(kept.data(), 20, {3, 0.9, 0, reader == 0, 10.0F, 2}, kNever);
          for (std::size_t i = 0; i < 20; ++i) wrong += found.ids[i * 3] != static_cast<std::int64_t>(i);
          wrong += !shared.contains(5) || shared.vector(5)[0] != kept[5 * kDim] || shared.size() < 600;
          wrong += shared.note().size() > 5;
        }
      });
    for (int round = 0; round < 12; ++round) {
      const auto ids = shared.add(passing.data(), 300, nullptr, false, kNever);
      if (round % 3 == 0) shared.optimize(2, kNever);
      if (round % 4 == 0) shared.save(temporary.path() + "2", "note", kNever);
      shared.add(passing.data() + 300 * kDim, 100, ids.data(), true, kNever);
      shared.remove(ids);
    }
    done = true;
    for (std::thread& reader : readers) reader.join();
    CHECK(wrong == 0, wrong);
    CHECK(shared.size() == 600);
  }
}
