// Random hyperplanes, also called random binary projections (Charikar, STOC 2002).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/hash/coder.hpp"
#include "engine/hash/families.hpp"

namespace lookalike {

extern const Family kHyperplanes;

/// `tables` × `bits` random unit normals. A bit of a code tells on which side of its hyperplane a vector
/// lies; two vectors at angle θ agree in a bit with probability 1 − θ/π.
class Hyperplanes final : public Coder {
 public:
  static constexpr std::uint32_t kMaxBits = 24;

  Hyperplanes(std::size_t dim, std::uint32_t tables, std::uint32_t bits, std::uint64_t seed);

  std::size_t dim() const { return dim_; }
  std::uint32_t tables() const override { return tables_; }
  std::uint32_t bits() const { return bits_; }
  std::uint32_t codes() const override { return std::uint32_t{1} << bits_; }
  std::size_t planes() const { return std::size_t{tables_} * bits_; }

  /// out[table * bits + bit]: the signed distance of the vector from each hyperplane.
  void margins(const float* vector, float* out) const;

  /// A digit is a bit, and the score of flipping it its squared margin.
  void look(const float* vector, std::vector<float>& scratch, ProbeOrder& order) const override;

  std::span<const float> normals() const { return normals_; }

 private:
  std::size_t dim_ = 0;
  std::uint32_t tables_ = 0;
  std::uint32_t bits_ = 0;
  std::vector<float> normals_;  // planes × dim
};

}  // namespace lookalike
