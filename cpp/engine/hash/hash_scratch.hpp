// What one thread keeps between two calls of HashFamily::order, whichever family it is.
#pragma once

#include <vector>

#include "engine/hash/probes.hpp"
#include "engine/hash/spheres.hpp"

namespace lookalike {

struct HashScratch {
  SpheresScratch spheres;
  std::vector<float> projections;
  ProbeOrder probes;
};

}  // namespace lookalike
