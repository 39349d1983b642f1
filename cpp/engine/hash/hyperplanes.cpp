#include "engine/hash/hyperplanes.hpp"

#include <bit>
#include <cmath>
#include <memory>

#include "engine/base/random.hpp"
#include "engine/hash/coded_family.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr CodeKind kSigns = {
    [](std::uint32_t tables, std::size_t codes, std::size_t) {
      return CodeLayout{tables, static_cast<std::uint32_t>(std::bit_width(codes)) - 1, 0};
    },
    [](const CodeLayout& layout, std::size_t) {
      return layout.digits >= 1 && layout.digits <= Hyperplanes::kMaxBits ? std::size_t{1} << layout.digits
                                                                          : 0;
    },
    [](const CodeLayout& layout, std::size_t m, std::uint64_t seed) -> std::unique_ptr<const Coder> {
      return std::make_unique<Hyperplanes>(m, layout.tables, layout.digits, seed);
    }};

}  // namespace

constinit const Family kHyperplanes = {
    "hyperplanes",
    any_metric,
    kMaxTables,
    false,
    sample_for_codes,
    [](FamilyChoice choice, const FamilySample& from, int, const Interrupt&) {
      return make_coded(kSigns, choice, from);
    },
    [](const PartSource& parts, std::uint32_t buckets, std::size_t m, std::uint64_t seed) {
      return open_coded(kSigns, parts, buckets, m, seed);
    }};

Hyperplanes::Hyperplanes(std::size_t dim, std::uint32_t tables, std::uint32_t bits, std::uint64_t seed)
    : dim_(dim), tables_(tables), bits_(bits), normals_(planes() * dim) {
  Random random(seed);
  std::vector<double> normal(dim);
  for (std::size_t plane = 0; plane < planes(); ++plane) {
    double squares = 0.0;
    for (double& value : normal) {
      value = random.gaussian();
      squares += value * value;
    }
    const double inverse = 1.0 / std::sqrt(squares);
    for (std::size_t i = 0; i < dim; ++i) normals_[plane * dim + i] = static_cast<float>(normal[i] * inverse);
  }
}

void Hyperplanes::margins(const float* vector, float* out) const {
  kernels().dot_rows(vector, normals_.data(), dim_, planes(), dim_, out);
}

void Hyperplanes::look(const float* vector, std::vector<float>& scratch, ProbeOrder& order) const {
  scratch.resize(planes());
  margins(vector, scratch.data());
  order.reset();
  for (std::uint32_t table = 0; table < tables_; ++table) {
    order.add_table();
    for (std::uint32_t bit = 0; bit < bits_; ++bit) {
      const float margin = scratch[std::size_t{table} * bits_ + bit];
      const std::uint32_t set = std::uint32_t{1} << bit;
      const std::span<Choice> choices = order.add_digit(2);
      choices[0] = {0.0F, margin > 0.0F ? set : 0};
      choices[1] = {probe_score(margin), margin > 0.0F ? 0 : set};
    }
  }
}

}  // namespace lookalike
