#include <cpuid.h>

#include "levels.hpp"

namespace lookalike {
namespace {

/// Not every compiler's __builtin_cpu_supports knows F16C. The registers are those of AVX.
bool cpu_supports_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

}  // namespace

// __builtin_cpu_supports asks CPUID, and XGETBV whether the operating system keeps the wide registers.
std::vector<const Kernels*> levels_that_run() {
  __builtin_cpu_init();
  std::vector<const Kernels*> levels{&scalar_kernels};
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("popcnt") || !cpu_supports_f16c())
    return levels;
  levels.push_back(&avx2_kernels);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return levels;
  levels.push_back(&avx512_kernels);
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") &&
      __builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx512vpopcntdq"))
    levels.push_back(&avx512_vnni_kernels);
  return levels;
}

}  // namespace lookalike
