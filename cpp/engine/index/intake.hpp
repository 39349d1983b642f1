// What a user gives, on its way in: checked, then made into rows to keep or queries to ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/projection/rotation.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/rows.hpp"
#include "engine/rows/store.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// Vectors are given as `dim` floats each or, under hamming, as dim / 8 bytes of packed bits. float32 and
/// bits are kept as they come. float16 is rounded, once. Under Store::none vectors are turned by a rotation
/// drawn from the seed, under cosine after they were made unit vectors, and rounded to 8 bits: the rotation
/// spreads a lone large value over all of them, and as all rows share it, merging segments rounds nothing
/// again.
class Intake {
 public:
  Intake() = default;
  Intake(Metric metric, Store store, std::size_t dim, std::uint64_t seed);

  const RowForm& form() const { return form_; }

  /// Checks vectors and makes rows of them, without ids. Throws VectorError.
  Rows rows(const void* vectors, std::size_t count) const;

  /// The first vectors of an index. Throws VectorError where they are so small that distances between them
  /// would be zero in float32; zeros alone, and such as these among others, are not.
  void check_first(const void* vectors, std::size_t count) const;

  /// Throws VectorError. Returns the queries' scales (Query::scale).
  std::vector<float> check_queries(const void* queries, std::size_t count) const;

  /// Checked queries from `first` on, as the rows see them; `room` keeps what had to be made.
  QueryBlock queries(const void* queries, std::span<const float> scales, std::size_t first, std::size_t count,
                     std::vector<float>& room) const;

  /// A row as dim floats: as it was given, but for rounding; bits as 1 and −1.
  std::vector<float> vector(const std::byte* row) const;

 private:
  double check(const float* vector, const char* what, std::size_t number) const;
  void check_halves(const float* vectors, std::size_t count, const Half* halves) const;
  void turn(const float* vector, float* out) const;

  std::size_t dim_ = 0;  // of what is given; what is kept may have more
  RowForm form_;
  Rotation rotation_;
};

}  // namespace lookalike
