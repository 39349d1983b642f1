// Keys of the centres of buckets, 16 at a time: one body for every instruction set, in the terms of a level's
// `Lanes` and `CentreLanes`. A lane holds one centre, so nothing is added across lanes, and the sums are
// whole numbers: every level gives the same bits. In an anonymous namespace for the reason given in
// pair_kernels.hpp.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"
#include "scan_blocks.hpp"
#include "select_kernels.hpp"

namespace lookalike {
namespace {

template <class Lanes, class CentreLanes>
struct CentreScan {
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t parts = centres_per_block / Lanes::width;

  Vector step, limit;
  float* keys;
  std::uint32_t* numbers;

  static std::size_t scan(const BlocksToScan& blocks, const CentreQuery& query, float limit, float* keys,
                          std::uint32_t* numbers) {
    CentreScan to{Lanes::broadcast(query.step), Lanes::broadcast(limit), keys, numbers};
    keep_of_all(to, query, blocks, centre_block_bytes(query.planes, query.eights));
    return static_cast<std::size_t>(to.keys - keys);
  }

  /// Two blocks share each load of the query.
  template <std::size_t Blocks>
  void keep(const CentreQuery& query, const BlockToScan* blocks) {
    CentreLanes sums[Blocks][parts];
    std::size_t at = 0;
    for (std::size_t plane = 0; plane < query.planes; ++plane) {
#pragma GCC unroll 2
      for (std::size_t b = 0; b < Blocks; ++b)
#pragma GCC unroll 16
        for (std::size_t part = 0; part < parts; ++part) sums[b][part].next_plane();
      for (std::size_t eight = 0; eight < query.eights; ++eight, at += 4 * centres_per_block) {
        std::int32_t fours[4];  // of steps: high bytes of dimensions 0 to 3 and 4 to 7, then the low ones
        __builtin_memcpy(fours, query.bytes + 16 * eight, sizeof fours);
        const typename CentreLanes::Bytes steps[]{
            CentreLanes::broadcast(fours[0]), CentreLanes::broadcast(fours[1]),
            CentreLanes::broadcast(fours[2]), CentreLanes::broadcast(fours[3])};
#pragma GCC unroll 2
        for (std::size_t b = 0; b < Blocks; ++b)
#pragma GCC unroll 16
          for (std::size_t part = 0; part < parts; ++part)
            sums[b][part].add(blocks[b].bytes + at + part * 4 * Lanes::width, steps);
      }
    }
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) {
      const std::uint8_t* factors = blocks[b].bytes + at;
      const Vector offset = Lanes::broadcast(blocks[b].offset);
      const std::uint32_t present = first_lanes(blocks[b].count);
#pragma GCC unroll 16
      for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t lane = part * Lanes::width;
        const Vector key =
            key_of(factors + lane * sizeof(float), offset, sums[b][part].to_floats(query.base));
        const std::size_t kept = keep_lanes<Lanes>(
            Lanes::below(key, limit) & (present >> lane), key,
            Lanes::count_from(blocks[b].first + static_cast<std::uint32_t>(lane)), keys, numbers);
        keys += kept;
        numbers += kept;
      }
    }
  }

  Vector key_of(const std::uint8_t* factors, Vector offset, Vector sums) const {
    const Vector a = Lanes::load_bytes(factors);
    const Vector f = Lanes::load_bytes(factors + centres_per_block * sizeof(float));
    return Lanes::subtract(Lanes::add(a, offset), Lanes::multiply(f, Lanes::multiply(step, sums)));
  }
};

}  // namespace
}  // namespace lookalike
