// Which kernels this process uses: the fastest level the processor runs, or the one LOOKALIKE_SIMD names.

#pragma once

#include <string_view>
#include <vector>

#include "kernels.hpp"

namespace lookalike {

/// The kernels of this process. Chosen by the first call and fixed from then on; safe from any thread.
/// Throws std::invalid_argument, whose sentence lists the levels there are, if LOOKALIKE_SIMD names none of
/// them.
const Kernels& kernels();

/// The choice itself: the level of that name, or the fastest one if the name is empty. Throws as kernels()
/// does.
const Kernels& choose_kernels(std::string_view level);

/// The levels this build holds and this processor runs, slowest first; "scalar" is always the first.
std::vector<std::string_view> available_levels();

/// The kernels of one level, or nullptr where it does not run.
const Kernels* kernels_for(std::string_view level);

}  // namespace lookalike
