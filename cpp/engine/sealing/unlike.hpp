// Queries like nothing that is stored, made of rows: what a recall is measured with, beside rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/random.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/store.hpp"

namespace lookalike {

/// So many of each kind: midpoints of two rows; rows with as much noise as they differ from their mean;
/// Gaussian vectors of the mean and spread of each coordinate; rows of which a tenth of the coordinates is
/// kept, and the largest; vectors in any direction from the mean, as far as a row. Of bits: of two rows each
/// bit of either; a tenth of the bits turned; each bit as often set as in the rows; a tenth of the bits kept;
/// as many bits as in a row, any of them.
class Unlike {
 public:
  Unlike(const QueryBlock& rows, std::size_t each, const RowForm& form, std::uint64_t seed);

  /// The rows, by number, that each was made of; none of a Gaussian one.
  const std::vector<std::vector<std::uint32_t>>& made_of() const { return made_of_; }

  QueryBlock block() const {
    return {vectors_.data(), scales_.size(), form_.dim,
            form_.metric,    scales_.data(), bits_.empty() ? nullptr : bits_.data()};
  }

 private:
  enum Kind { midpoint, with_noise, gaussian, some_coordinates, any_direction, kinds };

  void describe();
  double value(std::size_t row, std::size_t i) const {
    return double{rows_.vectors[row * form_.dim + i]} * double{rows_.scales[row]};
  }
  std::vector<double> make(Kind kind, std::uint32_t row, std::uint32_t other);
  void add(const std::vector<double>& made);
  void add_bits(Kind kind, std::uint32_t row, std::uint32_t other);

  QueryBlock rows_;
  RowForm form_;
  Random random_;
  std::vector<double> mean_, spread_;  // of each coordinate
  std::vector<std::vector<std::uint32_t>> made_of_;
  std::vector<float> vectors_, scales_;
  std::vector<std::byte> bits_;
};

}  // namespace lookalike
