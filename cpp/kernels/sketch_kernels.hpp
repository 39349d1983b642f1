// FastScan over sketches: one body for every instruction set. A level's `Lanes` adds up the table's entries
// of a few blocks (`sketch_sums`: where the byte shuffles are); the estimates and their selection are written
// here. In an anonymous namespace for the reason given in pair_kernels.hpp.
//
// Two blocks share each load of the table, and while one waits for its sums to be put in order the other
// works. What is kept is written without asking whether it is anything: a branch gains 3 ns a block where one
// entry in a thousand is kept, and loses as much where one in fifty is.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"
#include "select_kernels.hpp"
#include "sketch_sums.hpp"

namespace lookalike {
namespace {

template <class Lanes>
struct SketchScan {
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t parts = sketches_per_block / Lanes::width;

  Vector steps, bases, offsets, limits;
  float* estimates;
  std::uint32_t* numbers;

  static std::size_t scan(const std::uint8_t* blocks, std::size_t count, const SketchTable& table,
                          float offset, float limit, std::uint32_t first, float* estimates,
                          std::uint32_t* numbers) {
    SketchCodes at{blocks, table.entries, 16 * table.groups, sketch_block_bytes(table.groups),
                   table.largest == 0 ? table.groups : 255U / table.largest};
    SketchScan to{Lanes::broadcast(table.step),
                  Lanes::broadcast(table.base),
                  Lanes::broadcast(offset),
                  Lanes::broadcast(limit),
                  estimates,
                  numbers};
    for (; count > sketches_per_block; count -= min(count, 2 * sketches_per_block)) {
      if (count > 2 * sketches_per_block) prefetch(at.codes + 2 * at.block_bytes, 2 * at.block_bytes);
      to.template keep<2>(at, count, first);
      at.codes += 2 * at.block_bytes;
      first += 2 * sketches_per_block;
    }
    if (count > 0) to.template keep<1>(at, count, first);
    return static_cast<std::size_t>(to.estimates - estimates);
  }

  static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }

  /// The processor's own prefetcher stops at a page's end, and a bucket is only a few blocks.
  static void prefetch(const std::uint8_t* block, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(block + i);
  }

  template <std::size_t Blocks>
  void keep(const SketchCodes& at, std::size_t count, std::uint32_t first) {
    Vector sums[Blocks][parts];
    Lanes::template sketch_sums<Blocks>(at, sums);
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) {
      const std::uint8_t* factors = at.codes + b * at.block_bytes + at.bytes;
      const std::size_t before = b * sketches_per_block;
      const std::uint32_t present = first_lanes(count - before);
#pragma GCC unroll 8
      for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t lane = part * Lanes::width;
        const Vector estimate = estimates_of(factors + lane * sizeof(float), sums[b][part]);
        const std::uint32_t keep = Lanes::below(estimate, limits) & (present >> lane);
        const std::size_t kept = keep_lanes<Lanes>(
            keep, estimate, Lanes::count_from(first + static_cast<std::uint32_t>(before + lane)), estimates,
            numbers);
        estimates += kept;
        numbers += kept;
      }
    }
  }

  Vector estimates_of(const std::uint8_t* factors, Vector sums) const {
    const Vector a = Lanes::load_bytes(factors);
    const Vector f = Lanes::load_bytes(factors + sketches_per_block * sizeof(float));
    const Vector signed_sums = Lanes::add(Lanes::multiply(steps, sums), bases);
    return Lanes::subtract(Lanes::add(a, offsets), Lanes::multiply(f, signed_sums));
  }
};

}  // namespace
}  // namespace lookalike
