#include "engine/hash/families.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/hash/coded_family.hpp"
#include "engine/hash/cross_polytope.hpp"
#include "engine/hash/hyperplanes.hpp"
#include "engine/hash/sphere_family.hpp"

namespace lookalike {
namespace {

// Codes are not drawn evenly: with so many rows for each, those that rows have hold about 100.
constexpr std::size_t kRowsPerCode = 64;

// More of them meet again what one has met: on 321k word vectors 2 and 4 took longer at every recall.
constexpr std::uint32_t kTables = 1;

std::uint32_t spheres_for(FamilyChoice choice, std::size_t rows) {
  return choice.buckets > 0 ? choice.buckets : buckets_for(rows);
}

CodeLayout layout_for(FamilyChoice choice, std::size_t rows, std::size_t m) {
  CodeLayout layout;
  layout.tables = std::min(choice.tables > 0 ? choice.tables : kTables,
                           static_cast<std::uint32_t>(UINT32_MAX / rows));  // entries are numbered in 32 bits
  const std::size_t asked =
      choice.buckets > 0 ? std::min<std::size_t>(choice.buckets, rows) : rows / kRowsPerCode;
  const std::size_t codes = std::clamp<std::size_t>(asked, 2, CrossPolytope::kMaxCodes);
  if (choice.family == Family::hyperplanes) {
    layout.digits = static_cast<std::uint32_t>(std::bit_width(codes)) - 1;
  } else {
    const PolytopeShape shape = PolytopeShape::for_codes(m, codes);
    layout.digits = shape.digits;
    layout.last_width = shape.last_width;
  }
  return layout;
}

std::unique_ptr<const Coder> draw_coder(Family family, const CodeLayout& layout, std::size_t m,
                                        std::uint64_t seed) {
  seed = ~seed;  // the projection may be drawn from it
  if (family == Family::hyperplanes)
    return std::make_unique<Hyperplanes>(m, layout.tables, layout.digits, seed);
  const PolytopeShape shape{static_cast<std::uint32_t>(m), layout.digits, layout.last_width};
  return std::make_unique<CrossPolytope>(m, layout.tables, shape, seed);
}

}  // namespace

std::size_t sample_for(FamilyChoice choice, std::size_t rows) {
  constexpr std::size_t kAtLeast = 16384;
  if (choice.family != Family::spheres) return kAtLeast;
  return std::max(kAtLeast, spheres_for(choice, rows) * Spheres::kSamplePerBucket);
}

std::size_t codes_of(Family family, const CodeLayout& layout, std::size_t m) {
  if (family == Family::hyperplanes)
    return layout.digits >= 1 && layout.digits <= Hyperplanes::kMaxBits ? std::size_t{1} << layout.digits : 0;
  if (layout.digits < 1 || layout.last_width < 1 || layout.last_width > m) return 0;
  const std::uint32_t codes =
      PolytopeShape{static_cast<std::uint32_t>(m), layout.digits, layout.last_width}.codes();
  return codes <= CrossPolytope::kMaxCodes ? codes : 0;
}

std::unique_ptr<HashFamily> make_family(FamilyChoice choice, std::size_t rows, const float* sample,
                                        std::size_t count, std::size_t m, std::uint64_t seed, int threads,
                                        const Interrupt& interrupt) {
  if (choice.family == Family::spheres)
    return std::make_unique<SphereFamily>(
        Spheres::train(sample, count, m, spheres_for(choice, rows), seed, threads, interrupt));
  const CodeLayout layout = layout_for(choice, rows, m);
  return std::make_unique<CodedFamily>(draw_coder(choice.family, layout, m, seed), layout, m);
}

std::unique_ptr<HashFamily> open_family(Family family, FamilyParts parts, std::size_t m, std::uint64_t seed) {
  if (family == Family::spheres)
    return std::make_unique<SphereFamily>(
        Spheres(m, Column(parts.group_centres), Column(parts.group_starts), Column(parts.centres)));
  return std::make_unique<CodedFamily>(draw_coder(family, parts.codes, m, seed), parts.codes, m,
                                       Column(parts.bucket_of), Column(parts.centres));
}

}  // namespace lookalike
