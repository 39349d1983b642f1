// A lock for long work.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

#include "engine/base/errors.hpp"
#include "engine/base/parallel.hpp"

namespace lookalike {

[[noreturn]] inline void refuse_to_wait_for_itself() {
  throw BusyError(
      "a signal handler sealed or saved an index while the call that it interrupted did so; "
      "set a flag in the handler, and act on it after the call");
}

/// For long work that one thread does at a time: those who wait for it look for Ctrl-C.
class WorkMutex {
 public:
  class Turn {
   public:
    Turn(WorkMutex& mutex, const Interrupt& interrupt) : mutex_(mutex) {
      std::unique_lock lock(mutex.mutex_);
      if (mutex.owner_ == std::this_thread::get_id()) refuse_to_wait_for_itself();
      const Waiting waiting(mutex.waiting_);
      while (mutex.owner_ != std::thread::id()) {
        mutex.free_.wait_for(lock, std::chrono::milliseconds(50));
        lock.unlock();
        if (interrupt) interrupt();
        lock.lock();
      }
      mutex.owner_ = std::this_thread::get_id();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      const std::scoped_lock lock(mutex_.mutex_);
      mutex_.owner_ = std::thread::id();
      mutex_.free_.notify_one();
    }

   private:
    WorkMutex& mutex_;
  };

  /// Whether another thread waits for its turn.
  bool wanted() const { return waiting_ > 0; }

  void reset_after_fork() { new (this) WorkMutex(); }

 private:
  class Waiting {
   public:
    explicit Waiting(std::atomic<int>& count) : count_(count) { ++count_; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { --count_; }

   private:
    std::atomic<int>& count_;
  };

  std::mutex mutex_;  // over owner_, never held for long
  std::condition_variable free_;
  std::thread::id owner_;
  std::atomic<int> waiting_ = 0;
};

/// How many threads long work takes, 0 for all: in the background fewer, until somebody waits for its turn.
class Threads {
 public:
  Threads(int count) : count_(count) {}  // NOLINT: as an int
  Threads(int count, const WorkMutex& turn) : count_(count), turn_(&turn) {}

  operator int() const { return turn_ != nullptr && turn_->wanted() ? 0 : count_; }  // NOLINT

 private:
  int count_;
  const WorkMutex* turn_ = nullptr;
};

}  // namespace lookalike
