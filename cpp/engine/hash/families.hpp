// The registry of hash families: each is a file of this folder and a line in families.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/base/metric.hpp"
#include "engine/base/parallel.hpp"
#include "engine/hash/hash_family.hpp"

namespace lookalike {

constexpr std::uint32_t kMaxTables = 256;

/// What was asked for; 0 where it is to be chosen. Each table has about so many buckets.
struct FamilyChoice {
  std::uint32_t tables = 0;
  std::uint32_t buckets = 0;
};

/// What a family is learned or drawn from: a sample, count × m, projected, of so many rows.
struct FamilySample {
  std::size_t rows;
  const float* sample;
  std::size_t count;
  std::size_t m;
  std::uint64_t seed;
};

struct Family {
  std::string_view name;  // in files, too: at most 23 bytes
  bool (*takes)(Metric metric);
  std::uint32_t most_tables;
  /// Whether `HashFamily::order` is by the distance of the centres: then a search can tell when it may stop.
  bool ordered_by_distance;

  /// How many rows the sample for `make` should have.
  std::size_t (*sample_for)(FamilyChoice choice, std::size_t rows);
  std::unique_ptr<HashFamily> (*make)(FamilyChoice choice, const FamilySample& from, int threads,
                                      const Interrupt& interrupt);
  /// The family that had these parts, with so many buckets. They may come from a hostile file: throws
  /// DamagedError where they do not fit, and `problem` says whether the family can be used safely.
  std::unique_ptr<HashFamily> (*open)(const PartSource& parts, std::uint32_t buckets, std::size_t m,
                                      std::uint64_t seed);
};

inline bool any_metric(Metric) {
  return true;
}

/// All there are; the first one is what an index has by default.
std::span<const Family* const> families();

/// Null if there is none of that name.
const Family* find_family(std::string_view name);

}  // namespace lookalike
