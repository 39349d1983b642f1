#include "engine/projection/projection.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/projection/principal.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

// Each row of the matrix, once loaded, serves several vectors.
constexpr std::size_t kVectorsAtOnce = 16;

std::size_t padded(std::size_t dim) {
  return (dim + 3) / 4 * 4;
}

// The first m axes, turned at random among themselves: m × dim.
std::vector<float> rotated(const PrincipalAxes& found, std::size_t m, std::size_t dim, std::uint64_t seed) {
  const Rotation rotation(m, seed);
  std::vector<float> rows(m * dim);
  std::vector<float> column(m);
  for (std::size_t d = 0; d < dim; ++d) {
    for (std::size_t i = 0; i < m; ++i) column[i] = found.axes[i * dim + d];
    rotation.apply(column.data());
    for (std::size_t i = 0; i < m; ++i) rows[i * dim + d] = column[i];
  }
  return rows;
}

// Rounds a row to bytes and returns what makes them a unit vector. A file may hold any values, NaN too.
float to_bytes(std::span<const float> row, std::int8_t* bytes) {
  float largest = 0.0F;
  for (const float value : row) largest = std::max(largest, std::abs(value));
  std::int64_t squares = 0;
  for (std::size_t d = 0; d < row.size(); ++d) {
    const float value = 127.0F * (row[d] / largest);
    bytes[d] = std::isfinite(value) ? static_cast<std::int8_t>(std::lround(value)) : std::int8_t{0};
    squares += std::int64_t{bytes[d]} * bytes[d];
  }
  return squares > 0 ? static_cast<float>(1.0 / std::sqrt(static_cast<double>(squares))) : 0.0F;
}

// By their bits, which are in the same order, and of which the compiler compares several at once.
float largest_magnitude(std::span<const float> vector) {
  std::int32_t largest = 0;
  for (const float value : vector) largest = std::max(largest, std::bit_cast<std::int32_t>(std::abs(value)));
  return std::bit_cast<float>(largest);
}

// The vector in whole steps of a size that is returned, as many as 32 bits can sum up: at least ±4127, finer
// than the bytes by far.
float to_steps(std::span<const float> vector, std::int16_t* steps) {
  const float largest = largest_magnitude(vector);
  // Below, its squares vanish, and 1 / largest might overflow; a file may have brought in NaN.
  if (!(largest >= 1e-30F) || std::isinf(largest)) {
    std::fill_n(steps, vector.size(), std::int16_t{0});
    return 0.0F * largest;
  }
  constexpr std::size_t kMaxSum = std::numeric_limits<std::int32_t>::max();
  const auto limit = static_cast<float>(std::min<std::size_t>(32767, kMaxSum / (127 * vector.size())));
  const float per_value = limit / largest;
  for (std::size_t d = 0; d < vector.size(); ++d) {
    const float value = vector[d] * per_value;
    steps[d] = static_cast<std::int16_t>(value + std::copysign(0.5F, value));
  }
  return largest / limit;
}

}  // namespace

Projection::Projection(std::size_t dim, std::size_t m, std::uint64_t seed)
    : dim_(dim),
      m_(m),
      rotation_(padded(dim), seed),
      lengthen_(static_cast<float>(std::sqrt(static_cast<double>(padded(dim)) / static_cast<double>(m)))) {}

Projection::Projection(std::size_t dim, std::size_t m, Column<float> matrix)
    : dim_(dim), m_(m), kind_(Kind::principal), matrix_(std::move(matrix)), bytes_(m * dim), byte_scales_(m) {
  for (std::size_t i = 0; i < m; ++i)
    byte_scales_[i] = to_bytes(matrix_.view().subspan(i * dim, dim), bytes_.data() + i * dim);
}

std::size_t Projection::teachers(std::size_t dim) {
  return dim >= tuning::kLeastDimForAxes && dim <= kMaxPrincipalDim ? enough_for_axes(dim) : 0;
}

Projection Projection::learn(const float* sample, std::size_t count, std::size_t dim, std::uint64_t seed,
                             int threads, const Interrupt& interrupt) {
  if (teachers(dim) > 0) {
    const std::size_t axes = std::min(dim / 2 / tuning::kAxesStep * tuning::kAxesStep, tuning::kMostAxes);
    const PrincipalAxes found = principal_axes(
        sample, count, dim, {tuning::kLeastAxes + tuning::kAxesStep, axes, tuning::kEnoughEnergy}, seed,
        threads, interrupt);
    for (std::size_t m = tuning::kLeastAxes; m <= found.count; m += tuning::kAxesStep)
      if (found.shares[m - 1] >= tuning::kEnoughEnergy)
        return Projection(dim, m, Column<float>(rotated(found, m, dim, seed)));
  }
  return Projection(dim, std::min(padded(dim), kMaxWidth), seed);
}

void Projection::apply(const float* vector, float scale, float* out, Scratch& scratch) const {
  kind_ == Kind::rotation ? apply_rotation(vector, scale, out, scratch)
                          : apply(vector, &scale, 1, out, scratch);
}

void Projection::apply(const float* vectors, const float* scales, std::size_t count, float* out,
                       Scratch& scratch) const {
  const auto scale = [scales](std::size_t i) { return scales != nullptr ? scales[i] : 1.0F; };
  if (kind_ == Kind::rotation) {
    for (std::size_t i = 0; i < count; ++i)
      apply_rotation(vectors + i * dim_, scale(i), out + i * m_, scratch);
    return;
  }
  auto& [steps, sums, cut] = scratch;
  const std::size_t room = std::min(count, kVectorsAtOnce);
  steps.resize(std::max(steps.size(), room * dim_));
  sums.resize(std::max(sums.size(), room * m_));
  for (std::size_t begin = 0; begin < count; begin += kVectorsAtOnce) {
    const std::size_t some = std::min(count - begin, kVectorsAtOnce);
    std::array<float, kVectorsAtOnce> step;
    for (std::size_t i = 0; i < some; ++i)
      step[i] = scale(begin + i) * to_steps({vectors + (begin + i) * dim_, dim_}, steps.data() + i * dim_);
    kernels().dot_steps_tile(steps.data(), dim_, some, bytes_.data(), dim_, m_, dim_, sums.data());
    for (std::size_t i = 0; i < some; ++i)
      for (std::size_t axis = 0; axis < m_; ++axis)
        out[(begin + i) * m_ + axis] =
            static_cast<float>(sums[i * m_ + axis]) * (step[i] * byte_scales_[axis]);
  }
}

void Projection::apply_rotation(const float* vector, float scale, float* out, Scratch& scratch) const {
  const std::size_t width = rotation_.width();
  if (m_ < width) scratch.cut.resize(std::max(scratch.cut.size(), width));
  float* values = m_ < width ? scratch.cut.data() : out;
  const float factor = scale * lengthen_;
  for (std::size_t i = 0; i < dim_; ++i) values[i] = factor * vector[i];
  std::fill(values + dim_, values + width, 0.0F);
  rotation_.apply(values);
  if (m_ < width) std::copy_n(values, m_, out);
}

}  // namespace lookalike
