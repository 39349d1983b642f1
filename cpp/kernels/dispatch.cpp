#include "dispatch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "levels.hpp"

namespace lookalike {
namespace {

const std::vector<const Kernels*>& levels() {
  static const std::vector<const Kernels*> found = levels_that_run();
  return found;
}

std::string refusal(std::string_view level) {
  std::string names;
  for (const Kernels* each : levels()) names += (names.empty() ? "" : ", ") + std::string(each->name);
  return "LOOKALIKE_SIMD is '" + std::string(level) + "', but the levels this processor runs are: " + names +
         "; set it to one of these, or unset it to use the fastest.";
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = []() -> const Kernels& {
    const char* level = std::getenv("LOOKALIKE_SIMD");
    return choose_kernels(level == nullptr ? "" : level);
  }();
  return chosen;
}

const Kernels& choose_kernels(std::string_view level) {
  if (level.empty()) return *levels().back();
  const Kernels* found = kernels_for(level);
  if (found == nullptr) throw std::invalid_argument(refusal(level));
  return *found;
}

std::vector<std::string_view> available_levels() {
  std::vector<std::string_view> names;
  for (const Kernels* each : levels()) names.emplace_back(each->name);
  return names;
}

const Kernels* kernels_for(std::string_view level) {
  for (const Kernels* each : levels())
    if (level == each->name) return each;
  return nullptr;
}

}  // namespace lookalike
