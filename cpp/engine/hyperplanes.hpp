// Random hyperplanes, also called random binary projections (Charikar, STOC 2002).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/column.hpp"

namespace lookalike {

/// `tables` × `bits` random unit normals. A bit of a code tells on which side of its hyperplane a vector
/// lies; two vectors at angle θ (as seen from the centre) agree in a bit with probability 1 − θ/π.
class Hyperplanes {
 public:
  static constexpr std::uint32_t kMaxBits = 24;
  static constexpr std::uint32_t kMaxTables = 256;

  Hyperplanes() = default;

  /// Draws the normals; every hyperplane goes through `centre` (dim values), or the origin if it is empty.
  Hyperplanes(std::size_t dim, std::uint32_t tables, std::uint32_t bits, std::uint64_t seed,
              std::span<const float> centre = {});

  /// Takes normals and thresholds that were drawn before.
  Hyperplanes(std::size_t dim, std::uint32_t tables, std::uint32_t bits, Column<float> normals,
              Column<float> thresholds);

  std::size_t dim() const { return dim_; }
  std::uint32_t tables() const { return tables_; }
  std::uint32_t bits() const { return bits_; }
  std::size_t planes() const { return std::size_t{tables_} * bits_; }

  /// out[table * bits + bit]: the signed distance of scale · vector from each hyperplane.
  void margins(const float* vector, float scale, float* out) const;

  /// The code of one table from its `bits` margins: bit i is set where margin i is positive.
  std::uint32_t code(const float* margins) const {
    std::uint32_t code = 0;
    for (std::uint32_t bit = 0; bit < bits_; ++bit) code |= std::uint32_t{margins[bit] > 0.0F} << bit;
    return code;
  }

  std::span<const float> normals() const { return normals_.view(); }
  std::span<const float> thresholds() const { return thresholds_.view(); }

 private:
  std::size_t dim_ = 0;
  std::uint32_t tables_ = 0;
  std::uint32_t bits_ = 0;
  Column<float> normals_;     // planes × dim
  Column<float> thresholds_;  // ⟨normal, centre⟩ of each
};

}  // namespace lookalike
