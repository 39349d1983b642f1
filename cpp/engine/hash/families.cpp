#include "engine/hash/families.hpp"

#include <array>

#include "engine/hash/cross_polytope.hpp"
#include "engine/hash/hyperplanes.hpp"
#include "engine/hash/spheres.hpp"

namespace lookalike {

std::span<const Family* const> families() {
  static constexpr std::array kAll = {&kSpheres, &kHyperplanes, &kCrossPolytope};
  return kAll;
}

const Family* find_family(std::string_view name) {
  for (const Family* family : families())
    if (family->name == name) return family;
  return nullptr;
}

}  // namespace lookalike
