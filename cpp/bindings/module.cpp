// lookalike._core: the table of contents of the compiled engine. Only this folder knows of Python.
#include <nanobind/nanobind.h>

#include "bindings/bindings.hpp"
#include "bindings/numpy.hpp"

NB_MODULE(_core, m) {
  m.doc() = "The compiled engine of lookalike; private, its public face is lookalike.Index.";
  nanobind::set_leak_warnings(false);  // an index that a daemon thread searches to the end is none
  lookalike::import_numpy();
  lookalike::bind_errors(m);
  lookalike::bind_kernels(m);
  lookalike::bind_hyperplanes(m);
  lookalike::bind_index(m);
  lookalike::bind_fork_safety(m);
}
