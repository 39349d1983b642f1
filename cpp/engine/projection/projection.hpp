// The projected space of a sealed segment: y = W x, where distances are kept or nearly so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/base/parallel.hpp"
#include "engine/projection/rotation.hpp"

namespace lookalike {

/// W is one of two: a seeded random rotation of all dimensions, or the principal axes of a sample, rotated
/// among themselves so that all coordinates carry alike. Const and safe from any thread.
class Projection {
 public:
  enum class Kind : std::uint32_t { rotation = 0, principal = 1 };

  static constexpr std::size_t kMaxWidth = 1024;         // a scan sums 8-bit entries in 16 bits
  static constexpr std::size_t kMaxPrincipalDim = 4096;  // the second moments are dim × dim

  /// What `apply` works in; one thread at a time.
  struct Scratch {
    std::vector<std::int16_t> steps;
    std::vector<std::int32_t> sums;
    std::vector<float> cut;  // only where coordinates are cut off
  };

  Projection() = default;

  /// A rotation, drawn from its seed. Where m is less than dim rounded up to a multiple of 4, its first m
  /// coordinates, lengthened so that distances are kept on average (Johnson & Lindenstrauss 1984).
  Projection(std::size_t dim, std::size_t m, std::uint64_t seed);

  /// Principal axes learned before: m × dim values, dim <= kMaxPrincipalDim. Rows are taken to be unit
  /// vectors and rounded to bytes, an error of 1 % of the typical component.
  Projection(std::size_t dim, std::size_t m, Column<float> matrix);

  /// So many sampled vectors are worth learning from; none where the projection does not depend on them.
  static std::size_t teachers(std::size_t dim);

  /// Chooses kind and m from sampled vectors (count × dim, scaled as they will be projected). The same for
  /// any number of threads.
  static Projection learn(const float* sample, std::size_t count, std::size_t dim, std::uint64_t seed,
                          int threads, const Interrupt& interrupt);

  std::size_t dim() const { return dim_; }
  std::size_t m() const { return m_; }
  Kind kind() const { return kind_; }
  /// Whether all distances are kept.
  bool isometric() const { return kind_ == Kind::rotation && lengthen_ == 1.0F; }
  /// Whether no distance grows: not where a rotation was cut and lengthened.
  bool keeps_distances() const { return lengthen_ == 1.0F; }
  std::span<const float> matrix() const { return matrix_.view(); }  // empty for a rotation

  /// out[0, m) = W (scale · vector)
  void apply(const float* vector, float scale, float* out, Scratch& scratch) const;

  /// The same for `count` vectors, bit for bit; scales may be null for all 1.
  void apply(const float* vectors, const float* scales, std::size_t count, float* out,
             Scratch& scratch) const;

 private:
  void apply_rotation(const float* vector, float scale, float* out, Scratch& scratch) const;

  std::size_t dim_ = 0;
  std::size_t m_ = 0;
  Kind kind_ = Kind::rotation;
  Rotation rotation_;
  float lengthen_ = 1.0F;
  Column<float> matrix_;
  std::vector<std::int8_t>
      bytes_;  // the matrix by which vectors are multiplied: row i has the length 1 / scale
  std::vector<float> byte_scales_;
};

}  // namespace lookalike
