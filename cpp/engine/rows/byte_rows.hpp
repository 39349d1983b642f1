// Rows in 8 bits a dimension, in the order of the buckets: enough to tell which few deserve an exact
// distance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/base/steps.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

/// A row is two floats, scale and square, then its codes from −127 to 127, side by side so that one miss of
/// the cache brings both: y ≈ scale · code, and ‖q − y‖² ≈ ‖q‖² + square − 2 scale ⟨q, code⟩.
class ByteRows {
 public:
  ByteRows() = default;
  ByteRows(std::size_t m, Column<std::int8_t> bytes) : m_(m), bytes_(std::move(bytes)) {}

  /// What `keys` works in.
  struct Room {
    std::vector<std::int16_t> steps;
    std::vector<std::int32_t> products;
  };

  static std::size_t stride(std::size_t m) { return sizeof(Factors) + m; }

  struct Factors {
    float scale;
    float square;
  };
  static Factors factors(const std::int8_t* row) {
    Factors factors{};
    std::memcpy(&factors, row, sizeof factors);
    return factors;
  }
  static const std::int8_t* codes(const std::int8_t* row) { return row + sizeof(Factors); }

  /// What a row was rounded to.
  static void read(const std::int8_t* row, std::size_t m, float* out) {
    const float scale = factors(row).scale;
    for (std::size_t i = 0; i < m; ++i) out[i] = scale * static_cast<float>(codes(row)[i]);
  }

  /// Rounds one row, which lies nearer to every query by `beyond` than it is placed (Space::beyond).
  static void write(const float* y, std::size_t m, std::int8_t* row, float beyond = 0.0F) {
    float largest = 0.0F;
    for (std::size_t i = 0; i < m; ++i) largest = std::max(largest, std::abs(y[i]));
    const float scale = largest > kSmallest ? largest / 127.0F : 0.0F;
    const float to_code = scale > 0 ? 1.0F / scale : 0.0F;
    std::int8_t* into = row + sizeof(Factors);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < m; ++i) {
      const float code = std::nearbyint(y[i] * to_code);
      into[i] = static_cast<std::int8_t>(code >= -127.0F ? std::min(code, 127.0F) : -127.0F);  // NaN too
      sum += std::int64_t{into[i]} * into[i];
    }
    const Factors factors{scale, scale * scale * static_cast<float>(sum) - beyond};
    std::memcpy(row, &factors, sizeof factors);
  }

  /// keys[i]: the squared distance of row which[i], short of ‖q‖², which is the same for all. The query is
  /// rounded to 16 bits, a hundredth of what the rows are rounded to.
  void keys(const float* query, std::span<const std::uint32_t> which, Room& room, float* keys) const {
    const float step = make_steps(query, m_, room.steps);
    room.products.resize(std::max(room.products.size(), which.size()));
    kernels().dot_steps_gather(room.steps.data(), codes(bytes_.data()), stride(m_), which.data(),
                               which.size(), m_, room.products.data());
    for (std::size_t i = 0; i < which.size(); ++i) {
      const Factors of_row = factors(row(which[i]));
      keys[i] = of_row.square - 2.0F * of_row.scale * (step * static_cast<float>(room.products[i]));
    }
  }

  const std::int8_t* row(std::size_t i) const { return bytes_.data() + i * stride(m_); }
  std::span<const std::int8_t> bytes() const { return bytes_.view(); }

 private:
  static constexpr float kSmallest = 1e-30F;  // all below is zero: its scale has no inverse

  std::size_t m_ = 0;
  Column<std::int8_t> bytes_;
};

}  // namespace lookalike
