// Cross-polytope hashing of the angle (Andoni, Indyk, Laarhoven, Razenshteyn & Schmidt, NIPS 2015,
// arXiv 1509.02897).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/hash/coder.hpp"
#include "engine/hash/families.hpp"
#include "engine/projection/rotation.hpp"

namespace lookalike {

extern const Family kCrossPolytope;

/// How codes are made: `digits` hash functions, each of which turns a vector at random and takes the nearest
/// of the vertices ±e_j. The last one looks at its first `last_width` coordinates alone, which sets the
/// number of codes finely (there, §5).
struct PolytopeShape {
  std::uint32_t width = 0;  // of the rotations: the dimensions, and zeros up to a multiple of 4
  std::uint32_t digits = 0;
  std::uint32_t last_width = 0;  // 1 to width

  /// The shape with about so many codes (>= 2), never more.
  static PolytopeShape for_codes(std::size_t dim, std::size_t codes);

  std::uint32_t width_of(std::uint32_t digit) const { return digit + 1 < digits ? width : last_width; }

  /// Saturates at 2^32 − 1.
  std::uint32_t codes() const;
};

/// Two unit vectors at distance τ get the same digit with probability p: ln(1/p) = τ² / (4 − τ²) · ln d +
/// O(ln ln d) (there, eq. 1).
class CrossPolytope final : public Coder {
 public:
  CrossPolytope(std::size_t dim, std::uint32_t tables, PolytopeShape shape, std::uint64_t seed);

  std::size_t dim() const { return dim_; }
  std::uint32_t tables() const override { return tables_; }
  std::uint32_t codes() const override { return shape_.codes(); }
  const PolytopeShape& shape() const { return shape_; }

  /// A digit is a vertex v, and its score (max ⟨v', x⟩ − ⟨v, x⟩)², x the rotated vector (there, §5).
  void look(const float* vector, std::vector<float>& scratch, ProbeOrder& order) const override;

 private:
  std::size_t dim_ = 0;
  std::uint32_t tables_ = 0;
  PolytopeShape shape_;
  std::vector<Rotation> rotations_;  // tables × digits
};

}  // namespace lookalike
