// The table of a level: every kernel made from its `Lanes`, its `StepLanes`, its `CentreLanes` and its
// `Hamming`.

#pragma once

#include "centre_kernels.hpp"
#include "hadamard.hpp"
#include "half.hpp"
#include "hamming_kernels.hpp"
#include "hit_kernels.hpp"
#include "kernels.hpp"
#include "pair_kernels.hpp"
#include "panel_kernels.hpp"
#include "select_kernels.hpp"
#include "sketch_kernels.hpp"
#include "step_kernels.hpp"
#include "table_kernels.hpp"

namespace lookalike {
namespace {

template <class Lanes, class StepLanes, class CentreLanes, class Hamming>
constexpr Kernels make_kernels(const char* name) {
  using D = PairKernels<Lanes, Dot, float>;
  using L = PairKernels<Lanes, SquaredL2, float>;
  using HalfD = PairKernels<Lanes, Dot, Half>;
  using HalfL = PairKernels<Lanes, SquaredL2, Half>;
  using ByteD = PairKernels<Lanes, Dot, std::int8_t>;
  using StepD = PairKernels<StepLanes, Dot, std::int8_t, std::int16_t, std::int32_t>;
  using H = HammingKernels<Hamming>;
  return {.name = name,
          .dot = D::pair,
          .dot_rows = D::rows,
          .dot_gather = D::gather,
          .dot_tile = D::tile,
          .dot_panel = DotPanel<Lanes>::tile,
          .squared_l2 = L::pair,
          .squared_l2_rows = L::rows,
          .squared_l2_gather = L::gather,
          .squared_l2_tile = L::tile,
          .dot_half_rows = HalfD::rows,
          .dot_half_gather = HalfD::gather,
          .dot_half_tile = HalfD::tile,
          .squared_l2_half_rows = HalfL::rows,
          .squared_l2_half_gather = HalfL::gather,
          .squared_l2_half_tile = HalfL::tile,
          .dot_bytes_rows = ByteD::rows,
          .dot_bytes_gather = ByteD::gather,
          .dot_steps_tile = StepD::tile,
          .dot_steps_gather = StepD::gather,
          .to_steps = to_steps<Lanes>,
          .to_bytes = to_bytes<Lanes>,
          .point_products = point_products<Lanes>,
          .nearest_points = nearest_points<Lanes>,
          .to_half = to_half<Lanes>,
          .from_half = from_half<Lanes>,
          .hadamard = Hadamard<Lanes>::transform,
          .scan_sketches = SketchScan<Lanes>::scan,
          .scan_short_sketches = SketchScan<Lanes>::scan_short,
          .scan_centres = CentreScan<Lanes, CentreLanes>::scan,
          .extremes = extremes<Lanes>,
          .count_below = count_below<Lanes>,
          .kth_lowest = kth_lowest<Lanes>,
          .copy_below = copy_below<Lanes>,
          .keep_below = keep_below<Lanes>,
          .expected_hits = ExpectedHits<Lanes::width>::expect,
          .hamming = Hamming::pair,
          .hamming_rows = H::rows,
          .hamming_gather = H::gather};
}

}  // namespace
}  // namespace lookalike
