// Hash functions that were drawn once: a vector gets a code in each table.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/hash/probes.hpp"

namespace lookalike {

class Coder {
 public:
  virtual ~Coder() = default;

  virtual std::uint32_t tables() const = 0;

  /// All codes of a table are smaller.
  virtual std::uint32_t codes() const = 0;

  /// Tells `order` what each digit of each table's code could be for this vector. `scratch` holds its
  /// memory between calls.
  virtual void look(const float* vector, std::vector<float>& scratch, ProbeOrder& order) const = 0;
};

}  // namespace lookalike
