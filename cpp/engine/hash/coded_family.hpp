// A hash family whose buckets are the codes of drawn hash functions: hyperplanes or cross-polytopes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/hash/coder.hpp"
#include "engine/hash/families.hpp"

namespace lookalike {

/// How codes are made: tables, digits (bits of hyperplanes) of each code, and for the cross-polytope the
/// width of the last one.
struct CodeLayout {
  std::uint32_t tables = 1;
  std::uint32_t digits = 0;
  std::uint32_t last_width = 0;
};

/// What one kind of code has of its own.
struct CodeKind {
  /// With about so many codes in each of so many tables.
  CodeLayout (*layout_for)(std::uint32_t tables, std::size_t codes, std::size_t m);
  /// How many codes a table of this layout has, or 0 if there is no such layout.
  std::size_t (*codes_of)(const CodeLayout& layout, std::size_t m);
  std::unique_ptr<const Coder> (*draw)(const CodeLayout& layout, std::size_t m, std::uint64_t seed);
};

// As of `Family`, for a kind of code.
std::size_t sample_for_codes(FamilyChoice choice, std::size_t rows);
std::unique_ptr<HashFamily> make_coded(const CodeKind& kind, FamilyChoice choice, const FamilySample& from);
std::unique_ptr<HashFamily> open_coded(const CodeKind& kind, const PartSource& parts, std::uint32_t buckets,
                                       std::size_t m, std::uint64_t seed);

/// A bucket for each code that a row has; its centre is the mean of its rows.
class CodedFamily final : public HashFamily {
 public:
  static constexpr std::uint32_t kNoBucket = 0xFFFFFFFF;

  /// For sealing: a bucket for every code, until `drop_empty`.
  CodedFamily(std::unique_ptr<const Coder> coder, CodeLayout layout, std::size_t m);

  /// bucket_of[table * codes + code], and the centres, buckets × m.
  CodedFamily(std::unique_ptr<const Coder> coder, CodeLayout layout, std::size_t m,
              Column<std::uint32_t> bucket_of, Column<float> centres);

  std::uint32_t tables() const override { return coder_->tables(); }
  std::uint32_t buckets() const override { return buckets_; }
  const float* centre(std::uint32_t bucket) const override {
    return centres_.data() + std::size_t{bucket} * m_;
  }
  void assign(const float* rows, std::size_t count, std::uint32_t* out) const override;

  /// The multi-probe order of the codes; exact distances of the centres.
  void order(HashQuery query, std::size_t want, HashScratch& scratch, std::vector<Near>& out) const override;

  void drop_empty(std::span<std::uint32_t> assigned) override;
  std::span<float> means() override { return learned_; }

  std::vector<NamedBytes> parts() const override;

  /// The codes that have a bucket name all of them in turn.
  std::string problem() const override;

 private:
  std::uint32_t bucket_with(std::uint32_t table, std::uint32_t code) const;
  void find_nearest(std::span<std::uint32_t> buckets, ProbeOrder& probes) const;

  std::unique_ptr<const Coder> coder_;
  CodeLayout layout_;
  std::size_t m_;
  std::uint32_t buckets_;
  Column<std::uint32_t> bucket_of_;
  Column<float> centres_;
  std::span<float> learned_;  // the centres of a family that is being sealed
};

}  // namespace lookalike
