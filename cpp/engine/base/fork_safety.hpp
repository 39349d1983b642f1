// What fork() must find in order: it copies the locks as they are, but only the thread that called it.
#pragma once

namespace lookalike {

/// Something whose locks fork() must neither find taken nor leave taken.
class ForkSafe {
 public:
  ForkSafe() = default;
  virtual ~ForkSafe() = default;
  ForkSafe(const ForkSafe&) = delete;
  ForkSafe& operator=(const ForkSafe&) = delete;

  virtual void before_fork() = 0;  // waits for changes under way, and keeps new ones out
  virtual void after_fork_in_parent() = 0;
  virtual void after_fork_in_child() = 0;  // no other thread is there any more

 protected:
  void enroll();    // last in the constructor of the final class
  void withdraw();  // first in its destructor
};

/// Around a fork, on the thread that calls it: every ForkSafe in turn. To be called without the GIL.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

}  // namespace lookalike
