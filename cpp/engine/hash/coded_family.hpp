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
#include "engine/hash/hash_family.hpp"

namespace lookalike {

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

  FamilyParts parts() const override;

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
