#include "engine/sketch/sketches.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace lookalike {
namespace {

/// Where an entry of a list of blocks is, each of which holds so many.
template <class Byte>
struct Place {
  std::size_t rows, entries, in_block;
  Byte* nibbles;  // of the entry's block
  Byte* factors;

  Place(Byte* blocks, const SketchLayout& layout, std::size_t i, std::size_t in_each)
      : rows(layout.rows(in_each)),
        entries(in_each),
        in_block(i % in_each),
        nibbles(blocks + i / in_each * layout.block_bytes(in_each)),
        factors(nibbles + rows * 16) {}

  struct Nibble {
    std::size_t byte;
    unsigned shift;
  };
  Nibble at(std::size_t group) const {
    const bool second_half = group >= rows;
    return {(second_half ? group - rows : group) * 16 + in_block % 16,
            second_half || in_block >= 16 ? 4U : 0U};
  }
  unsigned get(std::size_t group) const {
    const auto [byte, shift] = at(group);
    return nibbles[byte] >> shift & 0xFU;
  }
  void set(std::size_t group, unsigned nibble) const {
    const auto [byte, shift] = at(group);
    nibbles[byte] |= static_cast<std::uint8_t>(nibble << shift);
  }
  Factors get() const {
    Factors values;
    std::memcpy(&values.a, factors + in_block * sizeof(float), sizeof(float));
    std::memcpy(&values.f, factors + (entries + in_block) * sizeof(float), sizeof(float));
    return values;
  }
  void set(Factors values) const {
    std::memcpy(factors + in_block * sizeof(float), &values.a, sizeof(float));
    std::memcpy(factors + (entries + in_block) * sizeof(float), &values.f, sizeof(float));
  }
};

}  // namespace

SketchWriter::SketchWriter(const SketchLayout& layout)
    : layout_(layout), unit_(layout.groups * layout.codebook->width), points_(layout.groups) {}

float SketchWriter::write(const float* y, const float* centre, float left_out, std::size_t i,
                          std::uint8_t* blocks) {
  const float square = make(y, centre, left_out);
  put(i, blocks);
  return square;
}

float SketchWriter::make(const float* y, const float* centre, float left_out) {
  const Codebook& codebook = *layout_.codebook;
  const auto m = static_cast<double>(layout_.m);
  double square = 0.0, along_residual = 0.0, along_centre = 0.0;
  for (std::size_t j = 0; j < layout_.m; ++j) square += std::pow(double{y[j]} - double{centre[j]}, 2);
  const double to_unit = square > 0 ? std::sqrt(m / square) : 0.0;
  for (std::size_t j = 0; j < layout_.m; ++j)
    unit_[j] = static_cast<float>((double{y[j]} - double{centre[j]}) * to_unit);
  // Of equally near points the last, so that zeros have the sign +.
  kernels().nearest_points(unit_.data(), layout_.groups, codebook.coordinates[0].data(), codebook.width,
                           codebook.half_squares.data(), points_.data());
  for (std::size_t group = 0, j = 0; j < layout_.m; ++group) {
    const unsigned point = points_[group];
    for (std::size_t b = 0; b < codebook.width && j < layout_.m; ++b, ++j) {
      along_residual += double{codebook.coordinates[b][point]} * double{unit_[j]};
      along_centre += double{codebook.coordinates[b][point]} * double{centre[j]};
    }
  }
  // A vector that lies on the centre has no residual: its estimate is exact.
  const double f = along_residual > 0 ? 2.0 * std::sqrt(m * square) / along_residual : 0.0;
  factors_ = {static_cast<float>(square + f * along_centre + double{left_out}), static_cast<float>(f)};
  return static_cast<float>(square);
}

void SketchWriter::put(std::size_t i, std::uint8_t* blocks, std::size_t entries) const {
  const Place place(blocks, layout_, i, entries);
  for (std::size_t group = 0; group * layout_.codebook->width < layout_.m; ++group)
    place.set(group, points_[group]);
  place.set(factors_);
}

Factors factors_in(const std::uint8_t* block, std::size_t entry, const SketchLayout& layout,
                   std::size_t entries) {
  return Place(block, layout, entry, entries).get();
}

void copy_sketch(const SketchLayout& layout, const std::uint8_t* block, std::size_t from, std::size_t i,
                 std::uint8_t* blocks, std::size_t entries) {
  const Place place(blocks, layout, i, SketchLayout::kEntries);
  const Place source(block, layout, from, entries);
  for (std::size_t group = 0; group < layout.groups; ++group) place.set(group, source.get(group));
  place.set(source.get());
}

void close_sketches(std::size_t count, const SketchLayout& layout, std::uint8_t* blocks,
                    std::size_t entries) {
  for (std::size_t i = count; i % entries != 0; ++i)
    Place(blocks, layout, i, entries).set({std::numeric_limits<float>::infinity(), 0.0F});
}

void QueryTable::make(const float* query, const SketchLayout& layout) {
  const Codebook& codebook = *layout.codebook;
  groups_ = layout.groups;
  values_.assign(groups_ * codebook.width, 0.0F);
  std::copy_n(query, layout.m, values_.begin());
  products_.resize(groups_ * Codebook::kPoints);
  entries_.assign(2 * short_sketch_rows(groups_) * Codebook::kPoints, 0);
  float largest = 0.0F;
  kernels().point_products(values_.data(), groups_, codebook.coordinates[0].data(), codebook.width,
                           products_.data(), &base_, &largest);
  step_ = largest / static_cast<float>(kLargestEntry);
  const float to_steps = step_ > 0 ? 1.0F / step_ : 0.0F;
  if (std::isfinite(to_steps) && std::isfinite(step_) && std::isfinite(base_))
    kernels().to_bytes(products_.data(), products_.size(), to_steps, kLargestEntry, entries_.data());
  else
    std::ranges::fill(entries_, std::uint8_t{0});
}

Sketches::Sketches(const SketchLayout& layout, Column<std::uint32_t> starts, Column<std::uint8_t> blocks)
    : layout_(layout), starts_(std::move(starts)), blocks_(std::move(blocks)) {
  first_block_.reserve(starts_.size());
  std::size_t block = 0;
  for (std::uint32_t bucket = 0; bucket < buckets(); ++bucket) {
    first_block_.push_back(block);
    block += SketchLayout::blocks_for(count(bucket));
  }
}

Factors Sketches::factors(std::uint32_t bucket, std::uint32_t i) const {
  return factors_in(blocks(bucket) + i / SketchLayout::kEntries * layout_.block_bytes(),
                    i % SketchLayout::kEntries, layout_);
}

std::size_t Sketches::bytes_for(const SketchLayout& layout, std::span<const std::uint32_t> starts) {
  std::size_t blocks = 0;
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    blocks += SketchLayout::blocks_for(starts[i + 1] - starts[i]);
  return blocks * layout.block_bytes();
}

}  // namespace lookalike
