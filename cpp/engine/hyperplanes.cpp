#include "engine/hyperplanes.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "engine/random.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

Hyperplanes::Hyperplanes(std::size_t dim, std::uint32_t tables, std::uint32_t bits, std::uint64_t seed,
                         std::span<const float> centre)
    : dim_(dim), tables_(tables), bits_(bits) {
  Random random(seed);
  std::vector<float> normals(planes() * dim);
  std::vector<float> thresholds(planes());
  std::vector<double> normal(dim);
  for (std::size_t plane = 0; plane < planes(); ++plane) {
    double squares = 0.0;
    for (double& value : normal) {
      value = random.gaussian();
      squares += value * value;
    }
    const double inverse = 1.0 / std::sqrt(squares);
    double threshold = 0.0;
    for (std::size_t i = 0; i < dim; ++i) {
      const auto value = static_cast<float>(normal[i] * inverse);
      normals[plane * dim + i] = value;
      if (!centre.empty()) threshold += double{value} * double{centre[i]};
    }
    thresholds[plane] = static_cast<float>(threshold);
  }
  normals_ = Column<float>(std::move(normals));
  thresholds_ = Column<float>(std::move(thresholds));
}

Hyperplanes::Hyperplanes(std::size_t dim, std::uint32_t tables, std::uint32_t bits, Column<float> normals,
                         Column<float> thresholds)
    : dim_(dim),
      tables_(tables),
      bits_(bits),
      normals_(std::move(normals)),
      thresholds_(std::move(thresholds)) {}

void Hyperplanes::margins(const float* vector, float scale, float* out) const {
  kernels().dot_rows(vector, normals_.data(), dim_, planes(), dim_, out);
  for (std::size_t plane = 0; plane < planes(); ++plane) out[plane] = scale * out[plane] - thresholds_[plane];
}

}  // namespace lookalike
