// The table's entries of whole blocks of sketches, looked up and added up in registers: one body for every
// instruction set that shuffles bytes. In an anonymous namespace for the reason given in pair_kernels.hpp.
//
// A level's `Sums` holds its register of bytes, whose look-up serves Sums::step bytes of codes at once, and
// their sums in 16 bits. The bytes are added up as bytes as long as they hold, which takes half the work.

#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace lookalike {
namespace {

/// What codes are looked up in.
struct SketchEntries {
  static constexpr std::size_t in_block = sketches_per_block;

  const std::uint8_t* table;
  std::size_t bytes;     // of codes in a block
  std::size_t in_bytes;  // look-ups whose sum does not overflow a byte

  const std::uint8_t* high() const { return table; }
};

/// The same for short blocks: high nibbles are of groups that follow those of the low ones.
struct ShortSketchEntries : SketchEntries {
  static constexpr std::size_t in_block = sketches_per_short_block;

  const std::uint8_t* high() const { return table + bytes; }
};

template <class Entries, class Sums, std::size_t Blocks>
void add_up(const Entries& at, const std::uint8_t* const (&blocks)[Blocks], Sums (&low)[Blocks],
            Sums (&high)[Blocks]) {
  using Bytes = typename Sums::Bytes;
  const std::size_t chunk = at.in_bytes * Sums::step;
  for (std::size_t i = 0; i < at.bytes;) {
    const std::size_t end = at.bytes - i < chunk ? at.bytes : i + chunk;
    Bytes low_bytes[Blocks], high_bytes[Blocks];
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) low_bytes[b] = high_bytes[b] = Sums::zero();
    for (; i < end; i += Sums::step) {
      const Bytes entries = Sums::load(at.table + i);
      const Bytes high_entries = at.high() == at.table ? entries : Sums::load(at.high() + i);
#pragma GCC unroll 2
      for (std::size_t b = 0; b < Blocks; ++b) {
        const Bytes codes = Sums::load(blocks[b] + i);
        low_bytes[b] = Sums::add(low_bytes[b], Sums::look_up(entries, Sums::low_nibbles(codes)));
        high_bytes[b] = Sums::add(high_bytes[b], Sums::look_up(high_entries, Sums::high_nibbles(codes)));
      }
    }
#pragma GCC unroll 2
    for (std::size_t b = 0; b < Blocks; ++b) {
      low[b].widen_and_add(low_bytes[b]);
      high[b].widen_and_add(high_bytes[b]);
    }
  }
}

}  // namespace
}  // namespace lookalike
