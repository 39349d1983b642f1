// The table's entries of whole blocks of sketches, looked up and added up in registers: one body for every
// instruction set that shuffles bytes. In an anonymous namespace for the reason given in pair_kernels.hpp.
//
// A level's `Sums` holds its register of bytes, whose look-up serves Sums::step bytes of codes at once, and
// their sums in 16 bits. The bytes are added up as bytes as long as they hold, which takes half the work.

#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {
namespace {

/// What codes are looked up in.
struct SketchEntries {
  const std::uint8_t* table;
  std::size_t bytes;     // of the table, and of codes in a block
  std::size_t in_bytes;  // look-ups whose sum does not overflow a byte
};

template <class Sums, std::size_t Blocks>
void add_up(const SketchEntries& at, const std::uint8_t* const (&blocks)[Blocks], Sums (&low)[Blocks],
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
#pragma GCC unroll 2
      for (std::size_t b = 0; b < Blocks; ++b) {
        const Bytes codes = Sums::load(blocks[b] + i);
        low_bytes[b] = Sums::add(low_bytes[b], Sums::look_up(entries, Sums::low_nibbles(codes)));
        high_bytes[b] = Sums::add(high_bytes[b], Sums::look_up(entries, Sums::high_nibbles(codes)));
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
