#include "engine/hash/cross_polytope.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "engine/base/random.hpp"
#include "engine/hash/coded_family.hpp"

namespace lookalike {
namespace {

PolytopeShape shape_of(const CodeLayout& layout, std::size_t m) {
  return {static_cast<std::uint32_t>(m), layout.digits, layout.last_width};
}

constexpr CodeKind kVertices = {
    [](std::uint32_t tables, std::size_t codes, std::size_t m) {
      const PolytopeShape shape = PolytopeShape::for_codes(m, codes);
      return CodeLayout{tables, shape.digits, shape.last_width};
    },
    [](const CodeLayout& layout, std::size_t m) -> std::size_t {
      if (layout.digits < 1 || layout.last_width < 1 || layout.last_width > m) return 0;
      return shape_of(layout, m).codes();
    },
    [](const CodeLayout& layout, std::size_t m, std::uint64_t seed) -> std::unique_ptr<const Coder> {
      return std::make_unique<CrossPolytope>(m, layout.tables, shape_of(layout, m), seed);
    }};

}  // namespace

constinit const Family kCrossPolytope = {
    "cross_polytope",
    any_metric,
    kMaxTables,
    false,
    sample_for_codes,
    [](FamilyChoice choice, const FamilySample& from, int, const Interrupt&) {
      return make_coded(kVertices, choice, from);
    },
    [](const PartSource& parts, std::uint32_t buckets, std::size_t m, std::uint64_t seed) {
      return open_coded(kVertices, parts, buckets, m, seed);
    }};

PolytopeShape PolytopeShape::for_codes(std::size_t dim, std::size_t codes) {
  const auto width = static_cast<std::uint32_t>((dim + 3) / 4 * 4);
  PolytopeShape shape{width, 1, 1};
  std::size_t others = 1;  // codes of all digits but the last
  for (; others * 2 * width * 2 <= codes; ++shape.digits) others *= 2 * width;
  shape.last_width = static_cast<std::uint32_t>(std::min<std::size_t>(width, codes / (2 * others)));
  return shape;
}

std::uint32_t PolytopeShape::codes() const {
  std::uint64_t codes = 1;
  for (std::uint32_t digit = 0; digit < digits && codes <= UINT32_MAX; ++digit)
    codes *= 2 * std::uint64_t{width_of(digit)};
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(codes, UINT32_MAX));
}

CrossPolytope::CrossPolytope(std::size_t dim, std::uint32_t tables, PolytopeShape shape, std::uint64_t seed)
    : dim_(dim), tables_(tables), shape_(shape) {
  Random random(seed);
  rotations_.reserve(std::size_t{tables} * shape.digits);
  while (rotations_.size() < rotations_.capacity()) rotations_.emplace_back(shape.width, random.bits());
}

void CrossPolytope::look(const float* vector, std::vector<float>& scratch, ProbeOrder& order) const {
  scratch.resize(shape_.width);
  float* const turned = scratch.data();
  order.reset();
  const Rotation* rotation = rotations_.data();
  for (std::uint32_t table = 0; table < tables_; ++table) {
    order.add_table();
    std::uint32_t place = 1;  // what a digit counts in the code
    for (std::uint32_t digit = 0; digit < shape_.digits; ++digit, ++rotation) {
      std::fill(std::copy_n(vector, dim_, turned), turned + shape_.width, 0.0F);
      rotation->apply(turned);
      const std::uint32_t width = shape_.width_of(digit);
      float most = 0.0F;
      for (std::uint32_t i = 0; i < width; ++i) most = std::max(most, std::abs(turned[i]));
      Choice* choice = order.add_digit(std::size_t{2} * width).data();
      for (std::uint32_t i = 0; i < width; ++i) {
        *choice++ = {probe_score(most - turned[i]), 2 * i * place};
        *choice++ = {probe_score(most + turned[i]), (2 * i + 1) * place};
      }
      place *= 2 * width;
    }
  }
}

}  // namespace lookalike
