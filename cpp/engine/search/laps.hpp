// How long each stage of a search took, for who asks: `explain` does, `search` does not.
#pragma once

#include <chrono>

namespace lookalike {

/// Seconds.
struct Laps {
  double hash = 0.0;
  double probe = 0.0;
  double scan = 0.0;
  double narrow = 0.0;
  double rerank = 0.0;
};

/// Without laps to fill it does nothing.
class Stopwatch {
 public:
  explicit Stopwatch(Laps* laps) : laps_(laps) {
    if (laps_ != nullptr) last_ = Clock::now();
  }

  void lap(double Laps::* stage) {
    if (laps_ == nullptr) return;
    const auto now = Clock::now();
    laps_->*stage += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Laps* laps_;
  Clock::time_point last_;
};

}  // namespace lookalike
