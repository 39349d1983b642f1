// Equal rows: sorted out, laid out behind their originals, and bounded work for them in every search.
#define XXH_INLINE_ALL  // before any header, as segment_writer.hpp would take it without
#include "xxhash.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "engine/hash/hyperplanes.hpp"
#include "engine/index/index.hpp"
#include "engine/rows/copies.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kDim = 16;
const Interrupt kNever;

StoredRows rows_of(const RowForm& form, const std::vector<std::byte>& bytes) {
  return {form, bytes.data(), nullptr, bytes.size() / form.bytes()};
}

// What a map of the rows' bytes says of them.
void check_sorting(const StoredRows& rows) {
  std::map<std::string, std::vector<std::uint32_t>> groups;
  for (std::uint32_t row = 0; row < rows.count; ++row)
    groups[{reinterpret_cast<const char*>(rows.row(row)), rows.form.bytes()}].push_back(row);
  std::vector<std::vector<std::uint32_t>> by_first;
  for (const auto& [bytes, group] : groups) by_first.push_back(group);
  std::ranges::sort(by_first);
  for (const int threads : {1, 3}) {
    const auto [order, copies] = sort_out_copies(rows, threads, kNever);
    CHECK(copies.none() == (groups.size() == rows.count) && order.empty() == copies.none());
    if (copies.none()) continue;
    CHECK(order.size() == rows.count && copies.originals() == groups.size());
    for (std::uint32_t original = 0; original < by_first.size(); ++original) {
      std::vector<std::uint32_t> group{order[original]};
      const auto [first, last] = copies.of(original);
      CHECK(copies.original_of(original) == original && first <= last && last <= rows.count);
      for (std::uint32_t copy = first; copy < last; ++copy) {
        group.push_back(order[copy]);
        CHECK(copies.original_of(copy) == original, original, copy);
      }
      CHECK(group == by_first[original], original);
    }
  }
}

}  // namespace

TEST(copies_are_sorted_out_for_any_number_of_rows_and_of_different_ones) {
  std::mt19937 random(1);
  const RowForm form(Store::float32, Metric::euclidean, 2);
  for (const std::uint32_t count : {0U, 1U, 2U, 7U, 500U, 20'000U})
    for (const std::uint32_t different : {1U, 2U, 30U, 5000U, 1U << 31}) {
      std::vector<std::uint64_t> values(count);
      for (std::uint64_t& value : values) value = random() % different;
      std::vector<std::byte> bytes(count * sizeof(std::uint64_t));
      if (count > 0) std::memcpy(bytes.data(), values.data(), bytes.size());
      check_sorting(rows_of(form, bytes));
    }
}

// Of 16 bytes XXH3 adds up both halves and their product; where one of them is 0, they may be exchanged.
TEST(different_rows_of_one_hash_are_told_apart) {
  const auto secret = [](std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, XXH3_kSecret + at, sizeof word);
    return word;
  };
  const std::uint64_t no_low = secret(24) ^ secret(32), no_high = secret(40) ^ secret(48);
  std::vector<std::array<std::uint64_t, 2>> values;
  for (const std::uint64_t x : {1, 2, 1, 2, 2, 3, 1})
    for (int i = 0; i < 3; ++i)
      values.push_back(i % 2 == 0 ? std::array{no_low, x ^ no_high}
                                  : std::array{XXH_swap64(x) ^ no_low, no_high});
  CHECK(XXH3_64bits(&values[0], 16) == XXH3_64bits(&values[1], 16) && values[0] != values[1]);
  std::vector<std::byte> bytes(values.size() * 16);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  check_sorting(rows_of(RowForm(Store::float32, Metric::euclidean, 4), bytes));
}

TEST(copies_follow_their_originals_into_another_order) {
  // originals 0, 1, 2; copies of 0: 3, 4; of 1: none; of 2: 5
  const Copies copies(Column<std::uint32_t>(std::vector<std::uint32_t>{3, 5, 5, 6}));
  std::vector<std::uint32_t> order{2, 0, 1};
  const Copies moved = copies.reordered(order);
  CHECK(order == std::vector<std::uint32_t>({2, 0, 1, 5, 3, 4}));
  CHECK(std::ranges::equal(moved.starts(), std::vector<std::uint32_t>{3, 4, 6, 6}));
  std::vector<std::uint32_t> as_it_is{1, 0};
  CHECK(Copies().reordered(as_it_is).none() && as_it_is.size() == 2);

  Bits bits(6, true);
  CHECK(copies.any(0, bits) && !copies.any(1, bits) && copies.any(2, bits) && !Copies().any(0, bits));
  bits.clear(5);
  bits.clear(3);
  CHECK(copies.any(0, bits) && !copies.any(2, bits));
}

namespace {

// Every other row is the first one.
std::vector<float> half_equal(std::size_t rows) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * kDim);
  for (float& value : values) value = normal(random);
  for (std::size_t row = 2; row < rows; row += 2)
    std::copy_n(values.begin(), kDim, values.begin() + static_cast<std::ptrdiff_t>(row * kDim));
  return values;
}

std::string bytes_at(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

THOROUGH_TEST(a_file_with_copies_is_the_same_for_any_number_of_threads_and_answers_as_before) {
  constexpr std::size_t kRows = 10'000;
  const auto vectors = half_equal(kRows);
  for (const auto& [family, tables] : {std::pair(&kSpheres, 1U), std::pair(&kHyperplanes, 3U)}) {
    std::vector<std::string> files;
    for (const int threads : {1, 3}) {
      Shape shape;
      shape.dim = kDim;
      shape.metric = Metric::euclidean;
      shape.family = family;
      shape.tables = tables;
      Index index(shape);
      index.add(vectors.data(), kRows, nullptr, false);
      index.optimize(threads, kNever);
      TemporaryPath temporary;
      index.save(temporary.path(), "", false, kNever);
      files.push_back(bytes_at(temporary.path()));
      const Index opened(temporary.path());
      CHECK(opened.buckets() == index.buckets() && opened.buckets() > 0);
      for (const SearchOptions& options :
           {SearchOptions{.k = 30, .only = {}}, SearchOptions{.k = 6000, .probes = 1, .only = {}}}) {
        const SearchResult before = index.search(vectors.data(), 40, options, kNever);
        const SearchResult after = opened.search(vectors.data(), 40, options, kNever);
        CHECK(before.ids == after.ids && before.distances == after.distances);
      }
    }
    CHECK(files[0] == files[1], family->name);
  }
}

TEST(what_a_search_looks_at_does_not_grow_with_the_copies) {
  constexpr std::size_t kRows = 10'000;
  const auto vectors = half_equal(kRows);
  Shape shape;
  shape.dim = kDim;
  shape.metric = Metric::euclidean;
  Index index(shape);
  index.add(vectors.data(), kRows, nullptr, false);
  index.optimize(2, kNever);
  const SearchResult some =
      index.search(vectors.data(), 1, {.k = 10, .probes = 3, .rerank = 50, .only = {}}, kNever);
  CHECK(some.stages[0].scanned < 1000 && some.stages[0].candidates <= 50 && some.stages[0].reranked <= 50);
  for (std::int64_t i = 0; i < 10; ++i) CHECK(some.ids[static_cast<std::size_t>(i)] == 2 * i, i);
  const SearchResult exact = index.search(vectors.data(), 1, {.k = 10, .exact = true, .only = {}}, kNever);
  CHECK(exact.ids == some.ids && exact.stages[0].candidates == kRows / 2 + 1);
}
