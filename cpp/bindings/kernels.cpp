#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "bindings/bindings.hpp"
#include "kernels/dispatch.hpp"

namespace nb = nanobind;

namespace lookalike {

void bind_kernels(nb::module_& m) {
  // Chosen here, once; a wrong LOOKALIKE_SIMD stops the import with a sentence.
  m.attr("simd") = kernels().name;
  m.def(
      "simd_levels",
      [] {
        std::vector<std::string> names;
        for (const auto level : available_levels()) names.emplace_back(level);
        return names;
      },
      "The levels of SIMD that LOOKALIKE_SIMD can choose here, slowest first.");
}

}  // namespace lookalike
