#include "engine/tables.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace lookalike {

Tables::Tables(std::span<const std::uint32_t> codes, std::uint32_t tables, std::uint32_t bits, int threads,
               const Interrupt& interrupt)
    : tables_(tables), bits_(bits), rows_(codes.size() / tables) {
  std::vector<std::uint32_t> starts(starts_of(tables, bits));
  std::vector<std::uint32_t> members(codes.size());
  parallel_for(tables, 1, threads, interrupt, [&](std::size_t table, std::size_t) {
    const std::uint32_t* code = codes.data() + table * rows_;
    std::uint32_t* start = starts.data() + table * stride();
    // Counting sort. start[c + 1] walks from the first slot of bucket c to its end, which is where c + 1
    // begins.
    for (std::size_t row = 0; row < rows_; ++row) ++start[code[row] + 1];
    std::uint32_t before = 0;
    for (std::size_t c = 1; c < stride(); ++c) before += std::exchange(start[c], before);
    for (std::size_t row = 0; row < rows_; ++row)
      members[table * rows_ + start[code[row] + 1]++] = static_cast<std::uint32_t>(row);
  });
  starts_ = Column<std::uint32_t>(std::move(starts));
  members_ = Column<std::uint32_t>(std::move(members));
}

Tables::Tables(std::uint32_t tables, std::uint32_t bits, std::size_t rows, Column<std::uint32_t> starts,
               Column<std::uint32_t> members)
    : tables_(tables), bits_(bits), rows_(rows), starts_(std::move(starts)), members_(std::move(members)) {}

std::string Tables::problem() const {
  for (std::uint32_t table = 0; table < tables_; ++table) {
    const auto start = starts_.view().subspan(table * stride(), stride());
    if (start.front() != 0 || start.back() != rows_ || !std::is_sorted(start.begin(), start.end()))
      return "a bucket lies outside its table";
  }
  const auto out_of_range = [this](std::uint32_t row) { return row >= rows_; };
  return std::any_of(members_.view().begin(), members_.view().end(), out_of_range)
             ? "a bucket holds a row that is not there"
             : "";
}

}  // namespace lookalike
