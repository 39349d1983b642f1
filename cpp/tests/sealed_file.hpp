// A segment file of any store and family, sealed by the engine, for hostile hands to change section by
// section.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/index/index.hpp"
#include "segment_writer.hpp"

struct Form {
  lookalike::Metric metric;
  lookalike::Store store;
  const lookalike::Family* family;
  std::uint32_t tables;

  std::string label() const {
    return "store " + std::to_string(static_cast<int>(store)) + ", family " + std::string(family->name);
  }
};

class SealedFile {
 public:
  static constexpr std::size_t kDim = 16, kRows = 160;
  static constexpr std::uint32_t kBucketsEach = 6;

  // Sections, and numbers of 4 bytes within them.
  inline static const std::string kSegment = "segment", kRouter = "router/shape", kNote = "note",
                                  kFarthest = "router/farthest", kVectors = "vectors", kById = "by_id",
                                  kGroupStarts = "router/group_starts", kStarts = "starts",
                                  kBucketOf = "router/bucket_of", kCodes = "router/codes",
                                  kLaterMembers = "later_members";
  static constexpr std::size_t kAskedBuckets = 15, kAskedTables = 16;  // of the segment
  static constexpr std::size_t kBuckets = 7;                           // of the router

  std::map<std::string, Bytes> sections;

  explicit SealedFile(const Form& form) {
    lookalike::Shape shape;
    shape.dim = kDim, shape.seed = 3, shape.metric = form.metric, shape.store = form.store;
    shape.family = form.family, shape.tables = form.tables, shape.buckets = kBucketsEach;
    lookalike::Index index(shape);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> vectors(kRows * kDim);
    for (float& value : vectors) value = normal(random);
    if (form.store == lookalike::Store::bits)
      for (std::size_t row = 0; row < kRows; ++row) {  // all different
        const auto code = static_cast<std::uint16_t>(row * 40503);
        std::memcpy(reinterpret_cast<char*>(vectors.data()) + row * sizeof code, &code, sizeof code);
      }
    index.add(vectors.data(), kRows, nullptr, false);
    index.optimize(1, {});
    TemporaryPath temporary;
    index.save(temporary.path(), "{}", false, {});
    const lookalike::SegmentFile file(temporary.path());
    for (const auto& [name, bytes, optional] : file.sections()) {
      const auto read = file.get<unsigned char>(name, bytes.size());
      sections[std::string(name)] = Bytes(read.begin(), read.end());
    }
  }

  std::size_t count(const std::string& section) const { return sections.at(section).size() / 4; }
  std::uint32_t number(const std::string& section, std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, sections.at(section).data() + 4 * at, 4);
    return value;
  }
  void set(const std::string& section, std::size_t at, std::uint32_t value) {
    std::memcpy(sections.at(section).data() + 4 * at, &value, 4);
  }
  void fill(const std::string& section, std::uint32_t value, std::size_t step = 1) {
    for (std::size_t at = 0; at < count(section); at += step) set(section, at, value);
  }

  Bytes file() const {
    RawFile raw;
    for (const auto& [name, bytes] : sections) raw.sections.push_back({name, bytes});
    name_router(raw.sections);
    raw.lay_out();
    return raw.finish();
  }
};
