// What ends a search before it is done.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/base/parallel.hpp"

namespace lookalike {

/// Its time is over, or the calling thread was interrupted. All threads of the search ask for it, some
/// hundred times a second or more, and leave off; what they have found by then is worth nothing.
class Stop {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  explicit Stop(Interrupt interrupt, double seconds = kNever)
      : interrupt_(std::move(interrupt)), caller_(std::this_thread::get_id()), seconds_(seconds) {
    if (seconds_ < kNever) end_ = Clock::now() + std::chrono::duration<double>(std::min(seconds_, kLongest));
  }

  bool now() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (seconds_ < kNever && Clock::now() >= end_) stopped_ = true;
    if (interrupt_ && std::this_thread::get_id() == caller_) {
      try {
        interrupt_();
      } catch (...) {
        interrupted_ = std::current_exception();
        stopped_ = true;
      }
    }
    return stopped_;
  }

  /// So many vectors were compared with a query.
  void count_compared(std::size_t vectors) { compared_.fetch_add(vectors, std::memory_order_relaxed); }
  void count_answered(std::size_t queries) {
    if (!stopped_) answered_.fetch_add(queries, std::memory_order_relaxed);
  }

  /// On the calling thread, when the others are done: throws what the interrupt did, or TimeoutError.
  void require_done(std::size_t queries) const {
    if (!stopped_) return;
    if (interrupted_) std::rethrow_exception(interrupted_);
    std::string came =
        std::to_string(answered_) + " of " + std::to_string(queries) + " queries were answered";
    if (compared_ > 0) came += ", and " + std::to_string(compared_) + " pairs of vectors compared";
    throw TimeoutError("expected an answer within " + shown() + " s, received none: " + came +
                       "; allow more time, or ask for less recall or fewer queries");
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kLongest = 1e9;  // seconds, which a clock can count

  std::string shown() const {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%g", seconds_);
    return text.data();
  }

  Interrupt interrupt_;
  std::thread::id caller_;
  double seconds_;
  std::chrono::time_point<Clock, std::chrono::duration<double>> end_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::size_t> answered_{0}, compared_{0};
  std::exception_ptr interrupted_;
};

}  // namespace lookalike
