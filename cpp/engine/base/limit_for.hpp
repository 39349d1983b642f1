// A limit that leaves about as many values as are wanted.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include "kernels/dispatch.hpp"

namespace lookalike {

/// Below it lie at least `least` of the values, of which there are as many, and at most `most`, unless many
/// are equal or next to it. None of the values is NaN or reaches `above`, and kept_slack elements more are
/// behind them. By false position, which takes half as many counts as bisection; what stays at one end of the
/// interval twice counts half (the Illinois algorithm: Dowell & Jarratt, BIT 11, 1971).
inline float limit_for(std::span<const float> values, std::size_t least, std::size_t most, float above) {
  constexpr int kSteps = 40;
  constexpr float kNearest = 1.0F / 16.0F;  // to an end of the interval: outliers are left behind soon
  const Kernels& kernel = kernels();
  float low, high;
  kernel.extremes(values.data(), values.size(), &low, &high);
  high = std::min(above, std::nextafter(high, std::numeric_limits<float>::infinity()));
  const float wanted = static_cast<float>(least + most) / 2.0F;
  float missing = wanted, excess = static_cast<float>(values.size()) - wanted;  // at the two ends
  bool moved_high = false, moved_low = false;
  for (int step = 0; step < kSteps; ++step) {
    const float part = std::clamp(missing / (missing + excess), kNearest, 1.0F - kNearest);
    const float middle = low + (high - low) * part;
    if (!(middle > low && middle < high)) break;
    const std::size_t below = kernel.count_below(values.data(), values.size(), middle);
    if (below >= least) {
      high = middle;
      if (below <= most) break;
      excess = static_cast<float>(below) - wanted;
      if (moved_high) missing /= 2.0F;
    } else {
      low = middle;
      missing = wanted - static_cast<float>(below);
      if (moved_low) excess /= 2.0F;
    }
    moved_high = below >= least;
    moved_low = !moved_high;
  }
  return high;
}

}  // namespace lookalike
