#include "engine/base/fork_safety.hpp"

#include "bindings/bindings.hpp"
#include "bindings/gil.hpp"

namespace nb = nanobind;

namespace lookalike {

// For os.register_at_fork. A search that is waited for may need the GIL to look for Ctrl-C.
void bind_fork_safety(nb::module_& m) {
  using no_gil = nb::call_guard<NoGil>;
  m.def("before_fork", &before_fork, no_gil());
  m.def("after_fork_in_parent", &after_fork_in_parent);
  m.def("after_fork_in_child", &after_fork_in_child);
}

}  // namespace lookalike
