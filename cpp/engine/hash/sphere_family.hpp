// Learned spheres as a hash family of one table.
#pragma once

#include <string>
#include <utility>

#include "engine/hash/hash_family.hpp"
#include "engine/hash/hash_scratch.hpp"
#include "engine/hash/spheres.hpp"

namespace lookalike {

class SphereFamily final : public HashFamily {
 public:
  explicit SphereFamily(Spheres spheres) : spheres_(std::move(spheres)) {}

  std::uint32_t tables() const override { return 1; }
  std::uint32_t buckets() const override { return spheres_.buckets(); }
  const float* centre(std::uint32_t bucket) const override { return spheres_.centre(bucket); }
  void assign(const float* rows, std::size_t count, std::uint32_t* out) const override {
    spheres_.assign(rows, count, out);
  }
  std::size_t landmarks() const override { return spheres_.groups(); }
  void look(const float* queries, std::size_t count, float* out) const override {
    spheres_.look(queries, count, out);
  }
  void order(HashQuery query, std::size_t want, HashScratch& scratch, std::vector<Near>& out) const override {
    spheres_.order(query, want, scratch.spheres, out);
  }
  FamilyParts parts() const override {
    FamilyParts parts;
    parts.centres = spheres_.centres();
    parts.group_centres = spheres_.group_centres();
    parts.group_starts = spheres_.starts();
    return parts;
  }
  std::string problem() const override { return spheres_.problem(); }

 private:
  Spheres spheres_;
};

}  // namespace lookalike
