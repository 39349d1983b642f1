// Giving up the GIL and taking it back, also on a thread that the interpreter does not wait for when it ends.
#pragma once

#include <Python.h>

#include "engine/base/errors.hpp"

namespace lookalike {

/// Before Python 3.14 a thread that asks for the GIL of an interpreter that is ending is ended by
/// pthread_exit, in the middle of a call: the stack is unwound through destructors, which aborts the process,
/// or is gone while other threads still work on what lies there. Here such a thread sleeps instead until the
/// process ends, as it does from 3.14 on.
void take_gil(PyThreadState* state);

/// Without the GIL as long as it lives, and ready to run out of memory.
class NoGil {
 public:
  NoGil() : state_(PyEval_SaveThread()) { prepare_to_throw(); }
  ~NoGil() { take_gil(state_); }
  NoGil(const NoGil&) = delete;
  NoGil& operator=(const NoGil&) = delete;

 private:
  PyThreadState* state_;
};

/// With the GIL as long as it lives, on a thread that gave it up.
class Gil {
 public:
  explicit Gil(PyThreadState* state) { take_gil(state); }
  ~Gil() { PyEval_SaveThread(); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;
};

}  // namespace lookalike
