// A sound segment of few rows, part by part, for hostile hands to change.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "segment_writer.hpp"
#include "use_index.hpp"

/// Under cosine: 12 buckets of 40 rows around their centres in 4 dimensions, in 2 groups, the axes as they
/// are. So many rows that a cheap budget is cheaper than a scan.
struct Parts {
  static constexpr std::uint32_t kDim = 4, kBuckets = 12, kEach = 40, kRows = kBuckets * kEach;
  static constexpr std::uint32_t kProbeSteps = 9, kRerankSteps = 15;

  std::vector<std::uint64_t> shape = {kRows, kDim, 1, 100'000};  // rows, dim, seed, next id
  std::uint32_t metric = 0, store = 0, asked_buckets = kBuckets, asked_tables = 0, copies = 0;
  // of the router: buckets, tables, m, projection, sketch width, probe steps, rerank steps
  std::vector<std::uint32_t> router = {kBuckets, 1, kDim, 1, 4, kProbeSteps, kRerankSteps};
  float largest_norm = 0.0F;
  float narrowing = 2.0F, mean_residual = 0.0F;
  std::uint64_t router_dim = kDim;
  bool hashed = true, misnamed = false;
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
  std::vector<std::uint32_t> margins = {0, 0, 0, 0, 0};
  struct Level {
    float error, usual_e;
    std::uint32_t points;
  };
  std::vector<Level> levels;
  std::vector<float> farthest;  // files of before have none
  std::vector<float> points, hits, spreads;
  std::vector<std::uint32_t> copy_starts;
  std::vector<float> reaches = std::vector<float>(2 * kBuckets, 1.0F);  // of each bucket: radius, left out
  std::vector<float> bounds = std::vector<float>(kBuckets, 4.0F);       // of each bucket
  std::string family = "spheres";
  std::vector<std::string> left_out;
  std::vector<RawSection> others;

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
    for (std::uint32_t k = 0; k < 5; ++k)
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
      std::vector<float> a(32, std::numeric_limits<float>::infinity()), f(32);
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

  // For each k and degree one point: degree, recall, left, missed, probes, rerank; for each k the error,
  // the usual e and how many points; and what predicts hits: for each of four features the lowest, the
  // highest, the middle and the scale, and 15 terms; of each bucket r² and its rows.
  void add_points() {
    for (int level = 0; level < 9; ++level) {
      for (const float degree : {0.0F, 1.0F, 2.0F, 3.0F, 4.0F})
        points.insert(points.end(), {degree, 0.9F, 0.05F, 0.02F, 2.0F, 5.0F});
      levels.push_back({0.01F, 0.5F, 5});
    }
    for (const float value : {-9.0F, 9.0F, 0.0F, 1.0F}) hits.insert(hits.end(), 4, value);
    hits.insert(hits.end(), {0.0F, -2.0F});
    hits.resize(31);
    for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket)
      spreads.insert(spreads.end(), {0.1F, static_cast<float>(kEach)});
  }

  // 3 copies of row 0, 1 of row 2 and 200 of the last.
  void add_copies() {
    copy_starts = {kRows, kRows + 3, kRows + 3};
    copy_starts.resize(kRows, kRows + 4);
    copy_starts.push_back(kRows + 204);
    for (std::uint32_t row = 0; row < kRows; ++row)
      for (std::uint32_t copy = copy_starts[row]; copy < copy_starts[row + 1]; ++copy) {
        by_id.push_back(copy);
        ids.push_back(200'000 + copy);
        inverse_norms.push_back(1.0F);
        for (std::uint32_t i = 0; i < kDim; ++i) vectors.push_back(vectors[row * kDim + i]);
      }
    copies = 204;
    shape[0] += copies;
    shape[3] = 300'000;
  }

  void unhash() { hashed = false; }

  void make_euclidean() {
    metric = 1;
    inverse_norms.clear();
  }

  template <class... Each>
  static Bytes joined(const Each&... parts) {
    Bytes whole;
    for (const Bytes& part : {bytes_of(parts)...}) whole.insert(whole.end(), part.begin(), part.end());
    return whole;
  }

  std::vector<char> family_name() const {
    std::vector<char> name(family.begin(), family.end());
    name.resize(24);
    return name;
  }

  Bytes segment_bytes() const {
    return joined(shape, std::vector<std::uint64_t>(2),
                  std::vector{metric, store, copies, asked_buckets, asked_tables, 0U}, family_name());
  }

  Bytes router_bytes() const {
    return joined(std::vector<std::uint64_t>{kRows, router_dim, 1}, std::vector{metric}, router, margins,
                  std::vector{largest_norm, narrowing, mean_residual}, family_name());
  }

  Bytes file() const {
    RawFile raw;
    raw.sections = {{"segment", segment_bytes()},
                    {"note", {'{', '}'}},
                    {"ids", bytes_of(ids)},
                    {"by_id", bytes_of(by_id)},
                    {"copies", bytes_of(copy_starts)},
                    {"inverse_norms", bytes_of(inverse_norms)}};
    if (hashed)
      for (const RawSection& section :
           std::vector<RawSection>{{"router/shape", router_bytes()},
                                   {"router/middle", bytes_of(middle)},
                                   {"router/projection", bytes_of(projection)},
                                   {"router/bounds", bytes_of(bounds)},
                                   {"router/curve", bytes_of(curve)},
                                   {"router/levels", bytes_of(levels)},
                                   {"router/farthest", bytes_of(farthest)},
                                   {"router/points", bytes_of(points)},
                                   {"router/hits", bytes_of(hits)},
                                   {"router/spreads", bytes_of(spreads)},
                                   {"router/group_centres", bytes_of(group_centres)},
                                   {"router/group_starts", bytes_of(group_starts)},
                                   {"router/centres", bytes_of(centres)},
                                   {"starts", bytes_of(starts)},
                                   {"sketches", bytes_of(sketches)},
                                   {"reaches", bytes_of(reaches)},
                                   {"bytes", bytes_of(bytes)}})
        raw.sections.push_back(section);
    raw.sections.push_back({"vectors", bytes_of(vectors)});
    for (const RawSection& section : others) raw.sections.push_back(section);
    for (const std::string& name : left_out)
      std::erase_if(raw.sections, [&](const RawSection& section) { return section.name == name; });
    name_router(raw.sections);
    if (misnamed) raw.sections[0].content[40] ^= 1;
    raw.lay_out();
    return raw.finish();
  }
};

// Whatever the file says, its rows are read within it, or it is refused.
inline void salvage(const std::string& path) {
  try {
    const lookalike::Index rest(lookalike::salvage_segment(path));
    for (const std::int64_t id : rest.ids()) rest.vector(id);
  } catch (const lookalike::DamagedError&) {
  } catch (const lookalike::NotAnIndexError&) {
  }
}

template <class Change>
void refused(const char* words, Change change) {
  Parts parts;
  change(parts);
  TemporaryPath temporary;
  const std::string path = temporary.write(parts.file());
  CHECK_THROWS(lookalike::DamagedError, words, lookalike::Index(path));
  salvage(path);
}

template <class Change>
void harmless(Change change, void (*how)(lookalike::Index&) = use) {
  Parts parts;
  change(parts);
  TemporaryPath temporary;
  lookalike::Index index(temporary.write(parts.file()));
  how(index);
}
