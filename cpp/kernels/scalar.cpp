// The level every processor runs, and the reference for the others.

#include "float_kernels.hpp"
#include "hamming_words.hpp"
#include "levels.hpp"

namespace lookalike {
namespace {

struct ScalarLanes {
  using Vector = float;
  static constexpr std::size_t width = 1;
  static constexpr std::size_t block_queries = 4;

  static Vector zero() { return 0.0F; }
  static Vector load(const float* p) { return *p; }
  static Vector load_first(const float* p, std::size_t) { return *p; }  // a width of 1 leaves no tail
  static Vector subtract(Vector a, Vector b) { return a - b; }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  static float sum(Vector v) { return v; }
};

}  // namespace

constinit const Kernels scalar_kernels = make_kernels<ScalarLanes>("scalar", hamming_words);

}  // namespace lookalike
