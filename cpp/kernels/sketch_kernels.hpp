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
#include "scan_blocks.hpp"
#include "select_kernels.hpp"
#include "sketch_sums.hpp"

namespace lookalike {
namespace {

template <class Lanes>
struct SketchScan {
  using Vector = typename Lanes::Vector;
  static constexpr std::size_t parts = sketches_per_block / Lanes::width;

  Vector steps, bases, limits;
  float* estimates;
  std::uint32_t* numbers;

  static std::size_t scan(const BlocksToScan& blocks, const SketchTable& table, float limit, float* estimates,
                          std::uint32_t* numbers) {
    const SketchEntries entries{table.entries, 16 * table.groups, in_bytes(table)};
    return scan(blocks, entries, table, limit, estimates, numbers);
  }

  static std::size_t scan_short(const BlocksToScan& blocks, const SketchTable& table, float limit,
                                float* estimates, std::uint32_t* numbers) {
    const ShortSketchEntries entries{{table.entries, 16 * short_sketch_rows(table.groups), in_bytes(table)}};
    return scan(blocks, entries, table, limit, estimates, numbers);
  }

  static std::size_t in_bytes(const SketchTable& table) {
    return table.largest == 0 ? table.groups : 255U / table.largest;
  }

  template <class Entries>
  static std::size_t scan(const BlocksToScan& blocks, const Entries& entries, const SketchTable& table,
                          float limit, float* estimates, std::uint32_t* numbers) {
    SketchScan to{Lanes::broadcast(table.step), Lanes::broadcast(table.base), Lanes::broadcast(limit),
                  estimates, numbers};
    keep_of_all(to, entries, blocks, entries.bytes + 2 * Entries::in_block * sizeof(float));
    return static_cast<std::size_t>(to.estimates - estimates);
  }

  template <std::size_t Blocks, class Entries>
  void keep(const Entries& entries, const BlockToScan* blocks) {
    constexpr std::size_t in_block = Entries::in_block;
    const std::uint8_t* bytes[Blocks];
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) bytes[b] = blocks[b].bytes;
    Vector sums[Blocks][parts];
    Lanes::template sketch_sums<Blocks>(entries, bytes, sums);
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) {
      const std::uint8_t* factors = bytes[b] + entries.bytes;
      const Vector offset = Lanes::broadcast(blocks[b].offset);
      const std::uint32_t present = first_lanes(blocks[b].count);
#pragma GCC unroll 8
      for (std::size_t part = 0; part < in_block / Lanes::width; ++part) {
        const std::size_t lane = part * Lanes::width;
        Vector sum = sums[b][part];
        if constexpr (in_block == sketches_per_short_block) sum = Lanes::add(sum, sums[b][part + parts / 2]);
        const Vector estimate =
            estimates_of(factors + lane * sizeof(float), offset, sum, in_block * sizeof(float));
        const std::uint32_t keep = Lanes::below(estimate, limits) & (present >> lane);
        const std::size_t kept = keep_lanes<Lanes>(
            keep, estimate, Lanes::count_from(blocks[b].first + static_cast<std::uint32_t>(lane)), estimates,
            numbers);
        estimates += kept;
        numbers += kept;
      }
    }
  }

  Vector estimates_of(const std::uint8_t* factors, Vector offset, Vector sums, std::size_t to_f) const {
    const Vector a = Lanes::load_bytes(factors);
    const Vector f = Lanes::load_bytes(factors + to_f);
    const Vector signed_sums = Lanes::add(Lanes::multiply(steps, sums), bases);
    return Lanes::subtract(Lanes::add(a, offset), Lanes::multiply(f, signed_sums));
  }
};

}  // namespace
}  // namespace lookalike
