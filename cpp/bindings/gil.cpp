#include "bindings/gil.hpp"

#include <pthread.h>
#include <unistd.h>

namespace lookalike {

// pthread_exit calls what was pushed before it unwinds any further.
void take_gil(PyThreadState* state) {
  pthread_cleanup_push(
      [](void*) {
        for (;;) pause();
      },
      nullptr);
  PyEval_RestoreThread(state);
  pthread_cleanup_pop(0);
}

}  // namespace lookalike
