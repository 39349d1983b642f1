// Hash tables without hashing: a code of b bits is an address, a bucket is a run of row numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/column.hpp"
#include "engine/parallel.hpp"

namespace lookalike {

class Tables {
 public:
  Tables() = default;

  /// codes[table * rows + row]; within a bucket the rows ascend.
  Tables(std::span<const std::uint32_t> codes, std::uint32_t tables, std::uint32_t bits, int threads,
         const Interrupt& interrupt);

  /// Takes tables from a file; `problem` tells whether they can be walked safely.
  Tables(std::uint32_t tables, std::uint32_t bits, std::size_t rows, Column<std::uint32_t> starts,
         Column<std::uint32_t> members);

  /// Why these tables must not be used, or "": every bucket lies inside its table, every row number below
  /// rows.
  std::string problem() const;

  std::span<const std::uint32_t> bucket(std::uint32_t table, std::uint32_t code) const {
    const std::uint32_t* starts = starts_.data() + std::size_t{table} * stride();
    return {members_.data() + std::size_t{table} * rows_ + starts[code], starts[code + 1] - starts[code]};
  }

  std::uint32_t count() const { return tables_; }
  std::span<const std::uint32_t> starts() const { return starts_.view(); }
  std::span<const std::uint32_t> members() const { return members_.view(); }

  static std::size_t starts_of(std::uint32_t tables, std::uint32_t bits) {
    return std::size_t{tables} * ((std::size_t{1} << bits) + 1);
  }

 private:
  std::size_t stride() const { return (std::size_t{1} << bits_) + 1; }

  std::uint32_t tables_ = 0;
  std::uint32_t bits_ = 0;
  std::size_t rows_ = 0;
  Column<std::uint32_t> starts_;   // tables × (2^bits + 1), each table's own begin at 0 and end at rows
  Column<std::uint32_t> members_;  // tables × rows
};

}  // namespace lookalike
