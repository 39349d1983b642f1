// A lock for long work.
#pragma once

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

  void reset_after_fork() { new (this) WorkMutex(); }

 private:
  std::mutex mutex_;  // over owner_, never held for long
  std::condition_variable free_;
  std::thread::id owner_;
};

}  // namespace lookalike
