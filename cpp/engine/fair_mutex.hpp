// A shared mutex whose writers do not starve: std::shared_mutex lets readers who keep coming pass a waiting
// writer.
#pragma once

#include <mutex>
#include <shared_mutex>

#include "engine/errors.hpp"

namespace lookalike {

/// Whoever waits to write holds the gate, so readers who come later wait behind. For std::unique_lock and
/// std::shared_lock. A thread that holds one may not ask for a second: it would wait for itself. It can only
/// come to that by an Interrupt (a signal handler of Python's may use the index), and gets a BusyError.
class FairMutex {
 public:
  void lock() {
    refuse_second();
    const std::scoped_lock gate(gate_);
    mutex_.lock();
    holding = true;
  }
  void unlock() {
    holding = false;
    mutex_.unlock();
  }

  void lock_shared() {
    refuse_second();
    const std::scoped_lock gate(gate_);
    mutex_.lock_shared();
    holding = true;
  }
  void unlock_shared() {
    holding = false;
    mutex_.unlock_shared();
  }

 private:
  static void refuse_second() {
    if (holding)
      throw BusyError(
          "a signal handler used an index while the call it interrupted was using one; "
          "set a flag in the handler, and act on it after the call");
  }

  static inline thread_local bool holding = false;
  std::mutex gate_;
  std::shared_mutex mutex_;
};

}  // namespace lookalike
