// AVX-512 F, BW, DQ and VL (Intel servers since 2017, AMD since 2022).

#include "avx512_lanes.hpp"
#include "levels.hpp"

namespace lookalike {

constinit const Kernels avx512_kernels =
    make_kernels<Avx512Lanes<Avx512Sums>, Avx512StepLanes, HammingByWords>("avx512");

}  // namespace lookalike
