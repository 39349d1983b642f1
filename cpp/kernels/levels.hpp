// The levels of SIMD. Each table is defined in the file named after it; levels_<architecture>.cpp knows which
// exist there, so no other file asks what it is compiled for.

#pragma once

#include <vector>

#include "kernels.hpp"

namespace lookalike {

extern const Kernels scalar_kernels;       // everywhere
extern const Kernels avx2_kernels;         // x86-64
extern const Kernels avx512_kernels;       // x86-64
extern const Kernels avx512_vnni_kernels;  // x86-64
extern const Kernels neon_kernels;         // AArch64

/// The levels that this processor and its operating system run, slowest first.
std::vector<const Kernels*> levels_that_run();

}  // namespace lookalike
