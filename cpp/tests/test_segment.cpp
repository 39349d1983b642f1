// Segment files as docs/format.md has them, and what a hostile hand could make of them: nothing may crash or
// trip a sanitizer, neither on opening nor afterwards.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

namespace {

const Interrupt kNoInterrupt;
const float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

// A sound segment under cosine for hostile hands to change: 12 buckets of 40 rows around their centres in 4
// dimensions, in 2 groups, the axes as they are. So many rows that a cheap budget is cheaper than a scan.
struct Parts {
  static constexpr std::uint32_t kDim = 4, kBuckets = 12, kEach = 40, kRows = kBuckets * kEach;
  static constexpr std::uint32_t kProbeSteps = 9, kRerankSteps = 15;

  std::vector<std::uint64_t> shape = {kRows, kDim, 1, 100'000};  // rows, dim, seed, next id
  // metric, asked buckets, groups, buckets, m, projection, probe steps, rerank steps
  std::vector<std::uint32_t> more = {0, kBuckets, 2, kBuckets, kDim, 1, kProbeSteps, kRerankSteps};
  float largest_norm = 0.0F;
  std::vector<std::uint32_t> rest = {0, 0, 0,
                                     1, 0, 0};  // store, family, asked tables, tables, digits, last width
  float narrowing = 2.0F;
  std::vector<float> middle = std::vector<float>(kDim, 0.0F);
  std::vector<std::int64_t> ids;
  std::vector<std::uint32_t> by_id;
  std::vector<float> vectors, inverse_norms;
  std::vector<float> projection = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  std::vector<float> group_centres, centres;
  std::vector<std::uint32_t> group_starts = {0, 5, kBuckets}, starts = {0};
  std::vector<float> curve;
  std::vector<std::uint8_t> sketches;
  std::vector<std::uint8_t> bytes;
  std::vector<float> reaches = std::vector<float>(2 * kBuckets, 1.0F);  // of each bucket: radius, left out
  std::vector<std::uint32_t> left_out;

  Parts() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
      const std::vector<float> centre =
          unit({normal(random), normal(random), normal(random), normal(random)});
      centres.insert(centres.end(), centre.begin(), centre.end());
      std::vector<std::vector<float>> rows(kEach, centre);
      for (auto& row : rows) {
        for (float& value : row) value += 0.05F * normal(random);
        row = unit(row);
        vectors.insert(vectors.end(), row.begin(), row.end());
        add_bytes(row);
      }
      add_sketches(rows, centre);
      starts.push_back(starts.back() + kEach);
    }
    for (const std::uint32_t first : {0U, 5U})
      group_centres.insert(group_centres.end(), centres.begin() + first * kDim,
                           centres.begin() + (first + 1) * kDim);
    inverse_norms.assign(kRows, 1.0F);
    by_id.resize(kRows);
    for (std::int64_t row = 0; row < kRows; ++row) ids.push_back((row * 77 + 13) % 100'000);
    for (std::uint32_t row = 0; row < kRows; ++row) by_id[row] = row;
    std::ranges::sort(by_id, {}, [&](std::uint32_t row) { return ids[row]; });
    for (std::uint32_t k = 0; k < 3; ++k)
      for (std::uint32_t p = 0; p < kProbeSteps; ++p)
        for (std::uint32_t r = 0; r < kRerankSteps; ++r)
          curve.push_back(static_cast<float>((p + 1) * (r + 1)) / (kProbeSteps * kRerankSteps));
  }

  static std::vector<float> unit(std::vector<float> row) {
    float square = 0;
    for (const float value : row) square += value * value;
    for (float& value : row) value /= std::sqrt(square);
    return row;
  }

  void add_bytes(const std::vector<float>& row) {
    float largest = 0, square = 0;
    for (const float value : row) largest = std::max(largest, std::abs(value));
    const float scale = largest / 127;
    std::vector<std::int8_t> codes;
    for (const float value : row) {
      codes.push_back(static_cast<std::int8_t>(std::lround(value / scale)));
      square += std::pow(scale * static_cast<float>(codes.back()), 2.0F);
    }
    for (const Bytes& part : {bytes_of(std::vector{scale, square}), bytes_of(codes)})
      bytes.insert(bytes.end(), part.begin(), part.end());
  }

  // Scale (0) or square (1) of a row in bytes.
  void set_byte_factor(std::size_t row, std::size_t which, float value) {
    std::memcpy(bytes.data() + row * (8 + kDim) + which * 4, &value, 4);
  }

  // 4 signs: one group, filled up to four; then 32 A and 32 F.
  void add_sketches(const std::vector<std::vector<float>>& rows, const std::vector<float>& centre) {
    for (std::size_t begin = 0; begin < rows.size(); begin += 32) {
      std::vector<std::uint8_t> nibbles(4 * 16);
      std::vector<float> a(32, kInf), f(32);
      for (std::size_t i = begin; i < std::min(rows.size(), begin + 32); ++i) {
        float square = 0, sum = 0, along = 0;
        unsigned signs = 0;
        for (unsigned j = 0; j < kDim; ++j) {
          const float r = rows[i][j] - centre[j];
          square += r * r, sum += std::abs(r), along += r >= 0 ? centre[j] : -centre[j];
          signs |= (r >= 0 ? 1U : 0U) << j;
        }
        const std::size_t at = i - begin;
        nibbles[at % 16] = static_cast<std::uint8_t>(nibbles[at % 16] | signs << (at < 16 ? 0 : 4));
        f[at] = 2 * square / sum;
        a[at] = square + f[at] * along;
      }
      for (const Bytes& part : {bytes_of(nibbles), bytes_of(a), bytes_of(f)})
        sketches.insert(sketches.end(), part.begin(), part.end());
    }
  }

  // Where the A (0) and F (1) of a row lie.
  void set_factor(std::size_t row, std::size_t which, float value) {
    const std::size_t block = row / kEach * 2 + row % kEach / 32, entry = row % kEach % 32;
    std::memcpy(sketches.data() + block * 320 + 64 + (which * 32 + entry) * 4, &value, 4);
  }

  void unhash() {
    more[2] = more[3] = more[4] = more[5] = more[6] = more[7] = rest[3] = 0;
    left_out = {12, 13, 14, 15, 16, 17, 18, 19, 20, 24};
  }

  void make_euclidean() {
    more[0] = 1;
    inverse_norms.clear();
  }

  Bytes shape_bytes() const {
    Bytes whole = bytes_of(shape);
    for (const Bytes& part : {bytes_of(more), bytes_of(std::vector{largest_norm}), bytes_of(rest),
                              bytes_of(std::vector{narrowing}), Bytes(32)})
      whole.insert(whole.end(), part.begin(), part.end());
    return whole;
  }

  Bytes file() const {
    RawFile raw;
    raw.sections = {{1, shape_bytes()},
                    {2, {'{', '}'}},
                    {3, bytes_of(ids)},
                    {11, bytes_of(by_id)},
                    {5, bytes_of(inverse_norms)},
                    {12, bytes_of(projection)},
                    {13, bytes_of(group_centres)},
                    {14, bytes_of(group_starts)},
                    {15, bytes_of(centres)},
                    {16, bytes_of(starts)},
                    {17, bytes_of(curve)},
                    {18, bytes_of(sketches)},
                    {19, bytes_of(bytes)},
                    {20, bytes_of(reaches)},
                    {24, bytes_of(middle)},
                    {4, bytes_of(vectors)}};
    for (const std::uint32_t name : left_out)
      std::erase_if(raw.sections, [&](const RawSection& section) { return section.name == name; });
    raw.lay_out();
    return raw.finish();
  }
};

void check_answers(const Index& index, const SearchResult& found, const SearchOptions& options) {
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    CHECK(!std::isnan(found.distances[i]));
    CHECK(found.ids[i] == -1 ? std::isinf(found.distances[i]) : index.contains(found.ids[i]));
    if (found.ids[i] != -1 && options.only) CHECK(std::ranges::binary_search(*options.only, found.ids[i]));
    if (found.ids[i] != -1) CHECK(found.distances[i] <= options.max_distance);
  }
}

void search_all_ways(const Index& index) {
  const std::size_t dim = index.shape().dim;
  std::vector<float> queries(3 * dim, 0.5F);
  const std::vector<float> stored = index.vector(index.ids()[0]);
  for (std::size_t i = 0; i < dim; ++i)
    queries[dim + i] = std::abs(stored[i]) > 1e-10F && std::abs(stored[i]) < 1e10F ? stored[i] : 1.0F;
  std::vector<std::int64_t> some = index.ids();
  std::erase_if(some, [](std::int64_t id) { return id % 3 == 0; });
  std::vector<SearchOptions> ways(9);
  ways[0].exact = true;
  ways[1].probes = 1;
  ways[2] = {.k = 300, .probes = 5, .rerank = 1, .only = {}};
  ways[3] = {.k = 3, .probes = 0x7FFFFFFF, .rerank = 0x7FFFFFFF, .only = {}};
  ways[4].recall = 0.01;
  ways[5] = {.recall = 0.999, .max_distance = 0.5F, .only = {}};
  ways[6] = {.k = 1, .probes = 3, .rerank = 0xFFFFFFFF, .only = some};
  ways[7] = {.k = 30, .recall = 0.2, .only = some};
  ways[8] = {.k = 100, .recall = 0.5, .max_distance = -1.0F, .only = {}};
  for (SearchOptions& way : ways) {
    way.threads = 2;
    check_answers(index, index.search(queries.data(), 3, way, kNoInterrupt), way);
  }
}

// Everything that can be asked of an index; what counts is that nothing crashes and no sanitizer complains.
void use(Index& index) {
  const std::size_t dim = index.shape().dim;
  search_all_ways(index);
  for (const std::int64_t id : index.ids()) CHECK(index.vector(id).size() == dim);
  const std::vector<float> more(3 * dim, 0.5F);
  const auto added = index.add(more.data(), 3, nullptr, false);
  index.remove({added.data(), 1});
  const std::int64_t first = index.ids()[0];
  index.remove({&first, 1});
  search_all_ways(index);
  index.optimize(2, kNoInterrupt);
  search_all_ways(index);
  TemporaryPath temporary;
  index.save(temporary.path(), "", kNoInterrupt);
  const Index again(temporary.path());
  CHECK(again.size() == index.size() && again.buckets() == index.buckets());
  search_all_ways(again);
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
  const Parts sound;
  TemporaryPath temporary;
  const Index index(temporary.write(sound.file()));
  CHECK(index.size() == Parts::kRows && index.buckets() == Parts::kBuckets && index.note() == "{}");
  for (std::size_t row = 0; row < Parts::kRows; row += 7) {
    const float* query = sound.vectors.data() + row * Parts::kDim;
    const SearchResult exact = index.search(query, 1, {.k = 5, .exact = true, .only = {}}, kNoInterrupt);
    CHECK(exact.ids[0] == sound.ids[row] && std::abs(exact.distances[0]) < 1e-6F);
    const SearchResult one =
        index.search(query, 1, {.k = 5, .probes = 1, .rerank = 40, .only = {}}, kNoInterrupt);
    CHECK(one.ids[0] == sound.ids[row] && one.stages[0].scanned == Parts::kEach, row);
    const SearchResult all =
        index.search(query, 1, {.k = 5, .probes = 11, .rerank = 480, .only = {}}, kNoInterrupt);
    CHECK(all.ids == exact.ids && all.distances == exact.distances, row);
  }
  harmless([](Parts&) {});
  harmless([](Parts& parts) { parts.make_euclidean(); });
  harmless([](Parts& parts) { parts.more[0] = 2, parts.inverse_norms.clear(); });
  harmless([](Parts& parts) { parts.unhash(); });
}

TEST(a_budget_of_the_curve_is_used_where_it_is_cheaper_than_a_scan) {
  Parts parts;
  std::ranges::fill(parts.curve, 1.0F);
  TemporaryPath temporary;
  const Index index(temporary.write(parts.file()));
  const SearchResult found = index.search(parts.vectors.data(), 1, {.k = 1, .only = {}}, kNoInterrupt);
  CHECK(found.stages[0].probes == 1 && found.stages[0].candidates <= 1 && found.recall == 1.0);
}

TEST(a_segment_of_a_rotation_opens) {
  harmless([](Parts& parts) { parts.more[5] = 0, parts.left_out.push_back(12); });
  harmless([](Parts& parts) {  // under dot there is a dimension more, so m may be 8
    parts.more[0] = 3, parts.more[4] = 8, parts.more[5] = 0;
    parts.inverse_norms.clear();
    parts.left_out.push_back(12);
    parts.middle.assign(5, 0.0F);
    for (auto* centres : {&parts.group_centres, &parts.centres}) centres->resize(2 * centres->size());
    parts.bytes.resize(std::size_t{Parts::kRows} * (8 + 8));
    parts.sketches.assign(std::size_t{Parts::kBuckets} * 2 * 320, 0);
  });
}

TEST(shapes_of_a_hostile_file_are_refused) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  for (const std::uint64_t rows :
       {std::uint64_t{0}, std::uint64_t{Parts::kRows - 1}, std::uint64_t{Parts::kRows + 1},
        std::uint64_t{1} << 32, std::uint64_t{0xFFFFFFFF}, kHuge})
    refused("", [&](Parts& parts) { parts.shape[0] = rows; });
  for (const std::uint64_t dim : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{5},
                                  std::uint64_t{1} << 20, std::uint64_t{(1 << 20) - 1}, kHuge})
    refused("", [&](Parts& parts) { parts.shape[1] = dim; });
  refused("larger than the largest one", [](Parts& parts) { parts.shape[3] = 9; });
  refused("no sense", [](Parts& parts) { parts.shape[3] = (std::uint64_t{1} << 63) + 1; });
  for (const std::size_t field : {0U, 2U, 3U, 4U, 5U, 6U, 7U})
    for (const std::uint32_t value : {257U, 1028U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU})
      refused("", [&](Parts& parts) { parts.more[field] = value; });
  for (const std::size_t field : {0U, 1U, 3U})
    for (const std::uint32_t value : {4U, 65U, 0x80000000U, 0xFFFFFFFFU})
      refused("", [&](Parts& parts) { parts.rest[field] = value; });
  for (const std::uint32_t family : {1U, 2U})  // whose codes have no digits here
    refused("no sense", [&](Parts& parts) { parts.rest[1] = family, parts.more[2] = 0; });
  for (const std::size_t field : {2U, 3U, 4U})
    refused("no sense", [&](Parts& parts) { parts.more[field] = 0; });
  refused("no sense", [](Parts& parts) { parts.more[0] = 4; });
  refused("no sense", [](Parts& parts) { parts.more[2] = Parts::kBuckets + 1; });
  refused("no sense", [](Parts& parts) { parts.more[3] = Parts::kRows + 1; });
  refused("no sense", [](Parts& parts) { parts.more[4] = 6; });
  for (const std::size_t field : {2U, 3U, 4U, 6U, 7U})
    for (const std::uint32_t value : {1U, 8U})
      if (value != 1 || field != 4) refused("", [&](Parts& parts) { parts.more[field] = value; });
}

TEST(sections_of_a_hostile_file_that_do_not_fit_are_refused) {
  for (const std::uint32_t name : {1U, 3U, 4U, 5U, 11U, 12U, 13U, 14U, 15U, 16U, 17U, 18U, 19U, 20U})
    refused("has the wrong length", [&](Parts& parts) { parts.left_out.push_back(name); });
  const auto each = [](auto change) {
    refused("wrong length", [&](Parts& parts) { change(parts.vectors); });
    refused("wrong length", [&](Parts& parts) { change(parts.inverse_norms); });
    refused("wrong length", [&](Parts& parts) { change(parts.projection); });
    refused("wrong length", [&](Parts& parts) { change(parts.group_centres); });
    refused("wrong length", [&](Parts& parts) { change(parts.group_starts); });
    refused("wrong length", [&](Parts& parts) { change(parts.centres); });
    refused("wrong length", [&](Parts& parts) { change(parts.starts); });
    refused("wrong length", [&](Parts& parts) { change(parts.curve); });
    refused("wrong length", [&](Parts& parts) { change(parts.sketches); });
    refused("wrong length", [&](Parts& parts) { change(parts.bytes); });
    refused("wrong length", [&](Parts& parts) { change(parts.reaches); });
    refused("wrong length", [&](Parts& parts) { change(parts.middle); });
    refused("wrong length", [&](Parts& parts) { change(parts.ids); });
    refused("wrong length", [&](Parts& parts) { change(parts.by_id); });
  };
  each([](auto& items) { items.pop_back(); });
  each([](auto& items) { items.push_back(0); });
}

TEST(ids_of_a_hostile_file_that_make_no_sense_are_refused) {
  refused("negative, or there twice", [](Parts& parts) { parts.ids[parts.by_id[0]] = -1; });
  refused("negative, or there twice",
          [](Parts& parts) { parts.ids[parts.by_id[0]] = std::numeric_limits<std::int64_t>::min(); });
  refused("negative, or there twice",
          [](Parts& parts) { parts.ids[parts.by_id[7]] = parts.ids[parts.by_id[8]]; });
  refused("negative, or there twice", [](Parts& parts) { std::swap(parts.by_id[3], parts.by_id[4]); });
  refused("negative, or there twice", [](Parts& parts) { parts.by_id[3] = parts.by_id[4]; });
  refused("names a row that it does not have", [](Parts& parts) { parts.by_id.back() = Parts::kRows; });
  refused("names a row that it does not have", [](Parts& parts) { parts.by_id[0] = 0xFFFFFFFF; });
  refused("larger than the largest one", [](Parts& parts) { parts.ids[parts.by_id.back()] = 100'000; });
}

TEST(buckets_of_a_hostile_file_that_make_no_sense_are_refused) {
  const auto starts_refused = [](std::size_t at, std::uint32_t value) {
    refused("do not hold its rows", [&](Parts& parts) { parts.starts[at] = value; });
  };
  starts_refused(0, 1);
  starts_refused(0, 0xFFFFFFFF);
  starts_refused(3, 30);
  starts_refused(5, Parts::kRows + 1);
  starts_refused(5, 0xFFFFFFFF);
  starts_refused(Parts::kBuckets, Parts::kRows - 1);
  starts_refused(Parts::kBuckets, 0xFFFFFFFF);
  for (const std::vector<std::uint32_t>& starts : std::vector<std::vector<std::uint32_t>>{{0, 13, 12},
                                                                                          {1, 5, 12},
                                                                                          {0, 5, 11},
                                                                                          {0, 5, 13},
                                                                                          {0, 0xFFFFFFFF, 12},
                                                                                          {0, 0, 0},
                                                                                          {12, 5, 0},
                                                                                          {0, 0, 0xFFFFFFFF}})
    refused("", [&](Parts& parts) { parts.group_starts = starts; });
}

TEST(what_else_a_hostile_file_may_hold_is_harmless) {
  for (const float value : {kNan, -kNan, kInf, -kInf, 3e38F, -3e38F, 0.0F, 1e-45F}) {
    harmless([&](Parts& parts) { std::ranges::fill(parts.vectors, value); });
    harmless([&](Parts& parts) { parts.vectors[3] = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.inverse_norms, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.projection, value); });
    harmless([&](Parts& parts) { parts.projection[5] = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.group_centres, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.centres, value); });
    harmless([&](Parts& parts) { parts.centres[6] = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.curve, value); });
    harmless([&](Parts& parts) { parts.largest_norm = value; });
    harmless([&](Parts& parts) { std::ranges::fill(parts.reaches, value); });
    harmless([&](Parts& parts) { std::ranges::fill(parts.middle, value); });
    harmless([&](Parts& parts) { parts.middle[1] = value; });
    for (const std::size_t which : {0U, 1U})
      for (const std::size_t step : {1U, 3U}) {
        harmless([&](Parts& parts) {
          for (std::size_t row = 0; row < Parts::kRows; row += step) parts.set_factor(row, which, value);
        });
        harmless([&](Parts& parts) {
          for (std::size_t row = 0; row < Parts::kRows; row += step) parts.set_byte_factor(row, which, value);
        });
      }
    harmless([&](Parts& parts) {
      parts.make_euclidean();
      std::ranges::fill(parts.vectors, value);
      for (std::size_t row = 0; row < Parts::kRows; row += 3) parts.set_factor(row, row % 2, value);
    });
  }
}

TEST(integers_of_a_hostile_file_that_only_spoil_answers_are_harmless) {
  harmless([](Parts& parts) { std::ranges::fill(parts.sketches, std::uint8_t{0}); });
  harmless([](Parts& parts) { std::ranges::fill(parts.sketches, std::uint8_t{0xFF}); });
  harmless([](Parts& parts) { std::ranges::fill(parts.bytes, std::uint8_t{0x80}); });
  harmless([](Parts& parts) {  // all rows in one bucket, the others empty
    std::fill(parts.starts.begin() + 1, parts.starts.end(), Parts::kRows);
    parts.sketches.resize(Parts::kRows / 32 * 320);
  });
  harmless([](Parts& parts) { parts.group_starts = {0, 0, Parts::kBuckets}; });
  harmless([](Parts& parts) { parts.left_out.push_back(2); });
  harmless([](Parts& parts) { parts.shape[2] = ~std::uint64_t{0}; });
  for (const std::uint32_t asked : {0U, 1U, 2U, 1000U, 0xFFFFFFFFU})
    harmless([&](Parts& parts) { parts.more[1] = asked; });
}

TEST(curves_of_a_hostile_file_of_any_size_are_harmless) {
  for (const std::uint32_t probe_steps : {0U, 1U, 256U})
    for (const std::uint32_t rerank_steps : {0U, 1U, 256U})
      for (const float value : {0.97F, kNan, 1e30F})
        harmless([&](Parts& parts) {
          parts.more[6] = probe_steps, parts.more[7] = rerank_steps;
          parts.curve.assign(std::size_t{3} * probe_steps * rerank_steps, value);
        });
}

TEST(vectors_of_a_hostile_file_that_are_sealed_anew_with_principal_axes_are_harmless) {
  constexpr std::size_t kWide = 324, kMany = 600;
  for (const float value : {kNan, kInf, -3e38F, 0.0F, 1e-45F})
    for (const std::size_t every : {1U, 1000U})
      harmless([&](Parts& parts) {
        parts.unhash();
        parts.make_euclidean();
        parts.more[1] = 6;
        parts.shape[0] = kMany, parts.shape[1] = kWide;
        parts.ids.clear(), parts.by_id.clear();
        for (std::uint32_t row = 0; row < kMany; ++row) parts.ids.push_back(row), parts.by_id.push_back(row);
        parts.vectors.resize(kMany * kWide);
        std::mt19937 random(2);
        std::normal_distribution<float> normal;
        for (float& each : parts.vectors) each = normal(random);
        for (std::size_t i = 0; i < parts.vectors.size(); i += every) parts.vectors[i] = value;
      });
}

TEST(random_numbers_in_any_section_are_refused_or_harmless) {
  std::mt19937 random(3);
  for (int round = 0; round < 150; ++round) {
    Parts parts;
    const auto scribble = [&](auto& items) {
      auto* bytes = reinterpret_cast<unsigned char*>(items.data());
      for (std::size_t n = random() % 8 + 1; n > 0; --n)
        bytes[random() % (items.size() * sizeof items[0])] = static_cast<unsigned char>(random());
    };
    switch (random() % 13) {
      case 0:
        scribble(parts.shape);
        break;
      case 1:
        scribble(parts.more);
        break;
      case 2:
        scribble(parts.ids);
        break;
      case 3:
        scribble(parts.by_id);
        break;
      case 4:
        scribble(parts.inverse_norms);
        break;
      case 5:
        scribble(parts.projection);
        break;
      case 6:
        scribble(parts.group_starts);
        break;
      case 7:
        scribble(parts.centres);
        break;
      case 8:
        scribble(parts.starts);
        break;
      case 9:
        scribble(parts.curve);
        break;
      case 10:
        scribble(parts.sketches);
        break;
      case 11:
        scribble(parts.bytes);
        break;
      default:
        scribble(parts.vectors);
        break;
    }
    TemporaryPath temporary;
    try {
      Index index(temporary.write(parts.file()));
      use(index);
    } catch (const DamagedError&) {
    }
  }
}
