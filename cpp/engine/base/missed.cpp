#include "engine/base/missed.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "engine/tuning.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kMissed = 61, kGrowths = 33;  // steps of the table: 40 octaves
constexpr float kPerOctave = 1.5F, kPerGrowth = 4.0F;

double beyond(double x) {
  return std::erfc(x / std::numbers::sqrt2) / 2.0;
}

double missed_at(double a, double growth) {
  return beyond(a) - std::exp(growth * a + growth * growth / 2.0) * beyond(a + growth);
}

// Missed falls with a: by halves.
double errors_for(double missed, double growth) {
  double low = -growth / 2.0, high = 8.0;  // of fewer than k nobody asks
  if (missed_at(low, growth) <= missed) return low;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2.0;
    (missed_at(middle, growth) > missed ? low : high) = middle;
  }
  return high;
}

using Table = std::array<std::array<float, kGrowths>, kMissed>;

const Table& table() {
  static const Table made = [] {
    Table all;
    for (std::size_t i = 0; i < kMissed; ++i)
      for (std::size_t j = 0; j < kGrowths; ++j) {
        const double growth = static_cast<double>(j) / double{kPerGrowth};
        const double errors = errors_for(std::exp2(-static_cast<double>(i) / double{kPerOctave}), growth);
        all[i][j] = static_cast<float>(std::max(0.0, errors));
      }
    return all;
  }();
  return made;
}

float place(float value, std::size_t steps) {
  return std::clamp(value, 0.0F, static_cast<float>(steps - 1) - 1e-3F);
}

}  // namespace

Crowd::Crowd(std::size_t near, std::size_t k) {
  const float growth =
      std::log((static_cast<float>(std::max(near, k)) + tuning::kPartOfRow) / static_cast<float>(k));
  column_ = place(kPerGrowth * growth, kGrowths);
}

float Crowd::errors_beyond(float missed) const {
  const float row = place(-kPerOctave * std::log2(missed), kMissed);
  const auto i = static_cast<std::size_t>(row), j = static_cast<std::size_t>(column_);
  const auto between = [&](const std::array<float, kGrowths>& of) {
    return std::lerp(of[j], of[j + 1], column_ - static_cast<float>(j));
  };
  return std::lerp(between(table()[i]), between(table()[i + 1]), row - static_cast<float>(i));
}

Crowd::Beyond::Beyond(std::span<const float> missed) : count_(missed.size()) {
  for (std::size_t j = 0; j < kGrowths; ++j)
    for (const float each : missed) {
      const float row = place(-kPerOctave * std::log2(each), kMissed);
      const auto i = static_cast<std::size_t>(row);
      columns_.push_back(std::lerp(table()[i][j], table()[i + 1][j], row - static_cast<float>(i)));
    }
}

void Crowd::Beyond::of(const Crowd& crowd, std::span<float> errors) const {
  const auto j = static_cast<std::size_t>(crowd.column_);
  const float part = crowd.column_ - static_cast<float>(j);
  const float* const here = columns_.data() + j * count_;
  for (std::size_t i = 0; i < count_; ++i) errors[i] = here[i] + part * (here[count_ + i] - here[i]);
}

}  // namespace lookalike
