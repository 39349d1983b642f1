// Locks that are fair to writers, refuse to wait for their own holder, and survive a fork.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <thread>

#include "engine/base/errors.hpp"
#include "engine/base/parallel.hpp"

namespace lookalike {

[[noreturn]] inline void refuse_to_wait_for_itself() {
  throw BusyError(
      "a signal handler used an index while the call it interrupted was using one; "
      "set a flag in the handler, and act on it after the call");
}

/// A shared mutex whose writers do not starve: whoever waits to write holds the gate, so readers who come
/// later wait behind. For std::unique_lock and std::shared_lock. A thread that holds one may not ask for a
/// second: it would wait for itself. It can only come to that by an Interrupt (a signal handler of Python's
/// may use the index), and gets a BusyError.
class FairMutex {
 public:
  void lock() {
    if (holding) refuse_to_wait_for_itself();
    const std::scoped_lock gate(gate_);
    mutex_.lock();
    holding = true;
  }
  void unlock() {
    holding = false;
    mutex_.unlock();
  }

  void lock_shared() {
    if (holding) refuse_to_wait_for_itself();
    const std::scoped_lock gate(gate_);
    mutex_.lock_shared();
    holding = true;
  }
  void unlock_shared() {
    holding = false;
    mutex_.unlock_shared();
  }

  /// Around a fork one thread takes those of all indexes.
  void lock_for_fork() {
    gate_.lock();
    mutex_.lock();
  }
  void unlock_after_fork() {
    mutex_.unlock();
    gate_.unlock();
  }
  /// In the child the locks are made anew: unlocking them is for the thread that locked them, and its number
  /// there is another.
  void reset_after_fork() { new (this) FairMutex(); }

 private:
  // The module's other threads would get theirs from malloc, and glibc ends the process where that has
  // nothing.
  [[gnu::tls_model("initial-exec")]] static inline thread_local bool holding = false;
  std::mutex gate_;
  std::shared_mutex mutex_;
};

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
