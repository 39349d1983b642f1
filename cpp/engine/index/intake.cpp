#include "engine/index/intake.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "engine/base/errors.hpp"
#include "engine/base/vectors.hpp"
#include "engine/rows/byte_rows.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr std::uint64_t kOwnRotation = 0x9E3779B97F4A7C15;  // another than the segments' of the same seed
constexpr Half kInfiniteHalf = 0x7C00;

[[noreturn]] void refuse(const char* what, std::size_t i, const std::string& why) {
  throw VectorError(std::string(what) + " " + std::to_string(i) + " " + why);
}

}  // namespace

Intake::Intake(Metric metric, Store store, std::size_t dim, std::uint64_t seed)
    : dim_(dim), form_(store, metric, dim) {
  if (store == Store::none) rotation_ = Rotation(form_.dim, seed ^ kOwnRotation);
}

Rows Intake::rows(const void* vectors, std::size_t count) const {
  const auto* floats = static_cast<const float*>(vectors);
  if (form_.store != Store::bits)  // of which all are good
    for (std::size_t i = 0; i < count; ++i) check(floats + i * dim_, "vector", i);
  Rows rows;
  rows.vectors.resize(count * form_.bytes());
  switch (form_.store) {
    case Store::float16: {
      auto* halves = reinterpret_cast<Half*>(rows.vectors.data());
      kernels().to_half(floats, count * dim_, halves);
      check_halves(floats, count, halves);
      break;
    }
    case Store::none: {
      std::vector<float> turned(form_.dim);
      for (std::size_t i = 0; i < count; ++i) {
        turn(floats + i * dim_, turned.data());
        auto* row = reinterpret_cast<std::int8_t*>(rows.vectors.data() + i * form_.bytes());
        ByteRows::write(turned.data(), form_.dim, row);
      }
      break;
    }
    default:
      if (count > 0) std::memcpy(rows.vectors.data(), vectors, rows.vectors.size());
  }
  if (!form_.normed()) return rows;
  std::vector<float> room;
  rows.inverse_norms.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    rows.inverse_norms.push_back(
        inverse_norm(form_.floats(rows.vectors.data() + i * form_.bytes(), room), dim_));
  return rows;
}

void Intake::check_first(const void* vectors, std::size_t count) const {
  if (form_.store == Store::bits || form_.metric == Metric::cosine) return;
  const auto* floats = static_cast<const float*>(vectors);
  double largest = 0.0;
  for (std::size_t i = 0; i < count && largest < kSmallestOfAll; ++i)
    largest = std::max(largest, squared_norm(floats + i * dim_, dim_));
  if (largest > 0.0 && largest < kSmallestOfAll)
    throw VectorError(
        "these vectors have norms below 1e-18, too small for float32 distances; scale all vectors up");
}

std::vector<float> Intake::check_queries(const void* queries, std::size_t count) const {
  std::vector<float> scales(count, 1.0F);
  if (form_.store == Store::bits) return scales;
  for (std::size_t q = 0; q < count; ++q) {
    const double square = check(static_cast<const float*>(queries) + q * dim_, "query", q);
    if (form_.normed()) scales[q] = inverse_norm(square);
  }
  return scales;
}

QueryBlock Intake::queries(const void* queries, std::span<const float> scales, std::size_t first,
                           std::size_t count, std::vector<float>& room) const {
  const float* const scale = scales.data() + first;
  if (form_.compact()) room.resize(count * form_.dim);
  if (form_.store == Store::bits) {
    const auto* bits = static_cast<const std::byte*>(queries) + first * form_.bytes();
    for (std::size_t q = 0; q < count; ++q) form_.decode(bits + q * form_.bytes(), room.data() + q * dim_);
    return {room.data(), count, dim_, form_.metric, scale, bits};
  }
  const auto* floats = static_cast<const float*>(queries) + first * dim_;
  if (form_.store == Store::none) {
    for (std::size_t q = 0; q < count; ++q) turn(floats + q * dim_, room.data() + q * form_.dim);
    return {room.data(), count, form_.dim, form_.metric, scale};
  }
  return {floats, count, dim_, form_.metric, scale};
}

std::vector<float> Intake::vector(const std::byte* row) const {
  std::vector<float> values(form_.dim);
  form_.decode(row, values.data());
  if (form_.store == Store::none) rotation_.invert(values.data());
  values.resize(dim_);
  return values;
}

void Intake::turn(const float* vector, float* out) const {
  const float scale = form_.metric == Metric::cosine ? inverse_norm(vector, dim_) : 1.0F;
  for (std::size_t i = 0; i < dim_; ++i) out[i] = vector[i] * scale;
  std::fill(out + dim_, out + form_.dim, 0.0F);
  rotation_.apply(out);
}

// The vector's squared norm.
double Intake::check(const float* vector, const char* what, std::size_t number) const {
  const double square = squared_norm(vector, dim_);
  if (square >= kSmallestSquare && square <= kLargestSquare) return square;  // so nearly all are
  for (std::size_t j = 0; j < dim_; ++j)
    if (!std::isfinite(vector[j]))
      refuse(what, number,
             std::string("has ") + (std::isnan(vector[j]) ? "NaN" : "inf") + " at position " +
                 std::to_string(j) + "; expected finite numbers: drop or mend it");
  if (square > kLargestSquare)
    refuse(what, number, "has a norm above 3e18, too large for float32 distances; scale the vectors down");
  if (form_.metric != Metric::cosine) return square;
  if (square == 0.0)
    refuse(what, number, "is all zeros, which has no direction; drop it or use another metric than cosine");
  refuse(what, number, "has a norm below 1e-15, too small for float32 cosines; scale the vectors up");
}

void Intake::check_halves(const float* vectors, std::size_t count, const Half* halves) const {
  constexpr Half kMagnitude = 0x7FFF;
  for (std::size_t i = 0; i < count; ++i) {
    const Half* vector = halves + i * dim_;
    const auto infinite =
        std::find_if(vector, vector + dim_, [](Half h) { return (h & kMagnitude) == kInfiniteHalf; });
    if (const auto j = static_cast<std::size_t>(infinite - vector); j < dim_)
      refuse("vector", i,
             "has " + std::to_string(vectors[i * dim_ + j]) + " at position " + std::to_string(j) +
                 "; float16 ends at 65504: scale the vectors down, or store float32");
    if (form_.metric == Metric::cosine &&
        std::all_of(vector, vector + dim_, [](Half h) { return (h & kMagnitude) == 0; }))
      refuse(
          "vector", i,
          "rounds to all zeros in float16, which have no direction; scale the vectors up, or store float32");
  }
}

}  // namespace lookalike
