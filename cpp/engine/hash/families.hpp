// Makes the hash family of a segment: at sealing from a sample, later from what a file kept of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/column.hpp"
#include "engine/base/parallel.hpp"
#include "engine/hash/coder.hpp"
#include "engine/hash/hash_family.hpp"

namespace lookalike {

/// What was asked for; 0 where it is to be chosen. Each table of codes has about so many buckets.
struct FamilyChoice {
  Family family = Family::spheres;
  std::uint32_t tables = 0;
  std::uint32_t buckets = 0;
};

/// Learns or draws a family for so many rows from a sample of them (count × m, projected).
std::unique_ptr<HashFamily> make_family(FamilyChoice choice, std::size_t rows, const float* sample,
                                        std::size_t count, std::size_t m, std::uint64_t seed, int threads,
                                        const Interrupt& interrupt);

/// How many rows the sample for `make_family` should have.
std::size_t sample_for(FamilyChoice choice, std::size_t rows);

/// How many codes a table of this layout has, or 0 if there is no such layout.
std::size_t codes_of(Family family, const CodeLayout& layout, std::size_t m);

/// The family that had these parts. They may come from a hostile file, but for the lengths: `problem` tells
/// whether the family can be used safely.
std::unique_ptr<HashFamily> open_family(Family family, FamilyParts parts, std::size_t m, std::uint64_t seed);

}  // namespace lookalike
