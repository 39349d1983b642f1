#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/base/random.hpp"
#include "engine/projection/principal.hpp"
#include "engine/projection/projection.hpp"

using namespace lookalike;

namespace {

Projection::Scratch scratch;  // of the one thread

std::vector<float> gaussians(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.gaussian());
  return values;
}

// Vectors around a mean of length `mean`: the deviation is `weights[i]` along axis i of a rotation.
std::vector<float> spread(std::size_t count, std::size_t dim, const std::vector<float>& weights,
                          float mean = 0) {
  const Rotation rotation(dim, 77);
  std::vector<float> vectors = gaussians(count * dim, 3);
  for (std::size_t row = 0; row < count; ++row) {
    float* vector = vectors.data() + row * dim;
    for (std::size_t i = 0; i < dim; ++i) vector[i] *= i < weights.size() ? weights[i] : 0.0F;
    vector[dim - 1] += mean;
    rotation.apply(vector);
  }
  return vectors;
}

// 60 strong dimensions, the others weak: 95 % of the energy is in the 60.
std::vector<float> few_strong(std::size_t dim) {
  std::vector<float> weights(dim, std::sqrt(0.05F / static_cast<float>(dim - 60)));
  std::fill_n(weights.begin(), 60, std::sqrt(0.95F / 60.0F));
  return weights;
}

double squared_distance(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return sum;
}

Projection learn(const std::vector<float>& sample, std::size_t dim, int threads = 2) {
  return Projection::learn(sample.data(), sample.size() / dim, dim, 1, threads, {});
}

bool is_principal(const Projection& projection) {
  return projection.kind() == Projection::Kind::principal;
}

}  // namespace

TEST(a_rotating_projection_keeps_distances_of_any_dimension) {
  for (const std::size_t dim : {1, 2, 3, 4, 5, 31, 63, 100, 127, 301, 960, 1023}) {
    const std::size_t m = (dim + 3) / 4 * 4;
    const Projection projection(dim, m, 4);
    CHECK(projection.matrix().empty());
    const std::vector<float> vectors = gaussians(2 * dim, dim);
    std::vector<float> out(2 * m);
    projection.apply(vectors.data(), nullptr, 2, out.data(), scratch);
    const double before = squared_distance(vectors.data(), vectors.data() + dim, dim);
    const double after = squared_distance(out.data(), out.data() + m, m);
    CHECK(std::abs(after / before - 1) < 1e-5, dim, before, after);
  }
}

TEST(a_cut_rotation_keeps_distances_on_average) {
  constexpr std::size_t kDim = 2001, kM = 1024, kPairs = 300;
  const std::vector<float> vectors = gaussians(2 * kPairs * kDim, 6);
  std::vector<float> out(2 * kPairs * kM);
  Projection(kDim, kM, 4).apply(vectors.data(), nullptr, 2 * kPairs, out.data(), scratch);
  double ratio = 0;
  for (std::size_t pair = 0; pair < kPairs; ++pair) {
    const float* a = vectors.data() + 2 * pair * kDim;
    const float* b = out.data() + 2 * pair * kM;
    const double own = squared_distance(b, b + kM, kM) / squared_distance(a, a + kDim, kDim);
    CHECK(std::abs(own - 1) < 6 * std::sqrt(2.0 / kM), pair, own);
    ratio += own / kPairs;
  }
  CHECK(std::abs(ratio - 1) < 6 * std::sqrt(2.0 / (kM * kPairs)), ratio);
}

TEST(a_million_dimensions_need_no_matrix) {
  constexpr std::size_t kDim = (1 << 20) - 1;
  const Projection projection = Projection::learn(nullptr, 0, kDim, 8, 1, {});
  CHECK(!is_principal(projection) && projection.m() == 1024, projection.m());
  std::vector<float> one_hot(kDim), out(projection.m());
  one_hot[kDim - 1] = 2.0F;
  projection.apply(one_hot.data(), 1.0F, out.data(), scratch);
  double squares = 0;
  for (const float value : out) squares += double{value} * double{value};
  CHECK(std::abs(squares / 4 - 1) < 0.3, squares);
}

TEST(principal_axes_find_what_holds_the_energy) {
  constexpr std::size_t kDim = 256, kRows = 4000, kAxes = 64;
  const std::vector<float> sample = spread(kRows, kDim, few_strong(kDim));
  const PrincipalAxes found = principal_axes(sample.data(), kRows, kDim, {kAxes, kAxes, 1.0}, 1, 2, {});
  CHECK(found.count == kAxes && found.shares.size() == kAxes);
  CHECK(std::is_sorted(found.shares.begin(), found.shares.end()));
  CHECK(std::abs(found.shares[59] - 0.95) < 0.005, found.shares[59]);
  for (std::size_t a = 0; a < kAxes; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double dot = 0;
      for (std::size_t d = 0; d < kDim; ++d)
        dot += double{found.axes[a * kDim + d]} * double{found.axes[b * kDim + d]};
      CHECK(std::abs(dot - (a == b ? 1 : 0)) < 1e-5, a, b, dot);
    }
  // The subspace itself: each of the 60 strong directions lies in it.
  const Rotation rotation(kDim, 77);
  for (std::size_t strong = 0; strong < 60; ++strong) {
    std::vector<float> direction(kDim);
    direction[strong] = 1.0F;
    rotation.apply(direction.data());
    double kept = 0;
    for (std::size_t a = 0; a < kAxes; ++a) {
      double dot = 0;
      for (std::size_t d = 0; d < kDim; ++d) dot += double{found.axes[a * kDim + d]} * double{direction[d]};
      kept += dot * dot;
    }
    CHECK(kept > 0.99, strong, kept);
  }
}

TEST(shares_are_measured_on_vectors_that_did_not_teach) {
  constexpr std::size_t kDim = 512, kRows = 600;
  const std::vector<float> sample = gaussians(kRows * kDim, 2);
  const PrincipalAxes found = principal_axes(sample.data(), kRows, kDim, {256, 256, 1.0}, 1, 2, {});
  CHECK(std::abs(found.shares.back() - 0.5) < 0.03, found.shares.back());  // of those that taught, 0.8
}

TEST(as_many_axes_are_found_as_hold_the_share_that_is_wanted) {
  constexpr std::size_t kDim = 256, kRows = 2000;
  const std::vector<float> sample = spread(kRows, kDim, few_strong(kDim));  // 95 % in 60
  const auto found = [&](const AxesWanted& wanted) {
    return principal_axes(sample.data(), kRows, kDim, wanted, 1, 2, {}).count;
  };
  CHECK(found({16, 200, 0.2}) == 16, found({16, 200, 0.2}));
  CHECK(found({16, 200, 0.9}) == 64, found({16, 200, 0.9}));
  CHECK(found({16, 200, 1.0}) == 200, found({16, 200, 1.0}));
}

TEST(the_mean_is_kept_too) {
  constexpr std::size_t kDim = 384;
  const std::vector<float> sample = spread(3000, kDim, few_strong(kDim), 20.0F);
  const Projection projection = learn(sample, kDim);
  CHECK(is_principal(projection) && projection.m() == 128, projection.m());
  std::vector<float> out(projection.m());
  projection.apply(sample.data(), 1.0F, out.data(), scratch);
  const std::vector<float> origin(kDim);
  const double before = squared_distance(sample.data(), origin.data(), kDim);
  const double after = squared_distance(out.data(), origin.data(), projection.m());
  CHECK(after > 0.995 * before && after < 1.005 * before, before, after);
}

TEST(principal_axes_keep_distances_and_spread_them_evenly) {
  constexpr std::size_t kDim = 512, kRows = 1500;
  const std::vector<float> sample = spread(kRows, kDim, few_strong(kDim));
  const Projection projection = learn(sample, kDim);
  CHECK(is_principal(projection) && projection.m() == 128, projection.m());
  CHECK(projection.matrix().size() == 128 * kDim);
  std::vector<float> out(kRows * 128);
  projection.apply(sample.data(), nullptr, kRows, out.data(), scratch);
  for (std::size_t row = 1; row < 200; ++row) {
    const double before = squared_distance(sample.data(), sample.data() + row * kDim, kDim);
    const double after = squared_distance(out.data(), out.data() + row * 128, 128);
    CHECK(after < 1.01 * before && after > 0.85 * before, row, before, after);
  }
  std::vector<double> energy(128);
  for (std::size_t i = 0; i < out.size(); ++i) energy[i % 128] += double{out[i]} * double{out[i]} / kRows;
  const auto [least, most] = std::minmax_element(energy.begin(), energy.end());
  CHECK(*most < 3 * *least, *least, *most);  // the axes themselves: 20 times
}

TEST(axes_are_kept_only_where_they_pay) {
  const Projection whole = learn(gaussians(900 * 510, 1), 510);
  CHECK(!is_principal(whole) && whole.m() == 512, whole.m());
  CHECK(!is_principal(learn(spread(900, 256, few_strong(256)), 256)));
  CHECK(!is_principal(learn(spread(400, 512, few_strong(512)), 512)));  // too few to learn from
  const Projection cut = learn(gaussians(300 * 1100, 1), 1100);
  CHECK(!is_principal(cut) && cut.m() == 1024, cut.m());
}

TEST(many_vectors_are_projected_as_one_by_one) {
  constexpr std::size_t kDim = 400, kCount = 37;  // two blocks of 16, and a part
  const std::vector<float> vectors = gaussians(kCount * kDim, 5);
  const std::vector<float> scales = gaussians(kCount, 6);
  for (const bool principal : {false, true}) {
    const Projection projection =
        principal ? Projection(kDim, 128, Column<float>(gaussians(128 * kDim, 9))) : Projection(kDim, 400, 3);
    std::vector<float> many(kCount * projection.m()), one(projection.m());
    projection.apply(vectors.data(), scales.data(), kCount, many.data(), scratch);
    for (std::size_t i = 0; i < kCount; ++i) {
      projection.apply(vectors.data() + i * kDim, scales[i], one.data(), scratch);
      CHECK(std::equal(one.begin(), one.end(), many.data() + i * projection.m()), principal, i);
    }
  }
}

TEST(bytes_multiply_as_well_as_floats) {
  constexpr std::size_t kDim = 1280, kM = 64;
  std::vector<float> matrix = gaussians(kM * kDim, 4);
  for (std::size_t row = 0; row < kM; ++row) {
    const std::vector<float> origin(kDim);
    const double length = std::sqrt(squared_distance(matrix.data() + row * kDim, origin.data(), kDim));
    for (std::size_t d = 0; d < kDim; ++d) matrix[row * kDim + d] /= static_cast<float>(length);
  }
  std::vector<float> vector = gaussians(kDim, 8);
  vector[7] = 40.0F;  // one feature far above the others
  std::vector<float> out(kM);
  Projection(kDim, kM, Column<float>(matrix)).apply(vector.data(), 0.5F, out.data(), scratch);
  double error = 0, squares = 0;
  for (std::size_t row = 0; row < kM; ++row) {
    double exact = 0;
    for (std::size_t d = 0; d < kDim; ++d) exact += 0.5 * double{matrix[row * kDim + d]} * double{vector[d]};
    error += std::pow(exact - double{out[row]}, 2);
    squares += exact * exact;
  }
  CHECK(error < 1e-4 * 2 * squares, error, squares);
}

TEST(learning_is_the_same_for_any_number_of_threads) {
  const std::vector<float> sample = spread(1500, 400, few_strong(400));
  const Projection one = learn(sample, 400, 1);
  CHECK(is_principal(one));
  const Projection three = learn(sample, 400, 3);
  CHECK(std::equal(one.matrix().begin(), one.matrix().end(), three.matrix().begin(), three.matrix().end()));
}

TEST(data_without_directions_do_no_harm) {
  constexpr std::size_t kDim = 400, kRows = 700;
  const std::vector<float> zeros(kRows * kDim), constant(kRows * kDim, 0.1F);
  CHECK(!is_principal(learn(zeros, kDim)));
  CHECK(!is_principal(learn(constant, kDim)));  // no energy about the mean
  for (const float size : {1e-18F, 3e37F}) {
    std::vector<float> sample = spread(kRows, kDim, {4.0F, 2.0F, 1.0F});  // 3 dimensions of 400
    for (float& value : sample) value *= size;
    const Projection projection = learn(sample, kDim);
    CHECK(is_principal(projection) && projection.m() == 128, size, projection.m());
    std::vector<float> out(128);
    projection.apply(sample.data(), 1 / size, out.data(), scratch);
    double before = 0, after = 0;
    for (std::size_t d = 0; d < kDim; ++d) before += std::pow(double{sample[d]} / double{size}, 2);
    for (const float value : out) after += std::pow(double{value}, 2);
    CHECK(std::abs(after / before - 1) < 0.02, size, before, after);
  }
}

TEST(a_matrix_of_any_values_gives_finite_results) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInfinity = std::numeric_limits<float>::infinity();
  const Projection projection(4, 4,
                              Column<float>(std::vector<float>{0.0F, 0.0F, 0.0F, 0.0F,             //
                                                               kNan, 1.0F, -1.0F, 2.0F,            //
                                                               kInfinity, 1.0F, -kInfinity, kNan,  //
                                                               3e38F, -3e38F, 1e-45F, 0.0F}));
  for (const float value : {0.0F, 1e-40F, 1.0F, -1e30F}) {
    const std::vector<float> vector = {value, 0.0F, -value, value};
    std::vector<float> out(4);
    projection.apply(vector.data(), 1.0F, out.data(), scratch);
    for (const float result : out) CHECK(std::isfinite(result), value, result);
  }
}

TEST(learning_can_be_interrupted) {
  const std::vector<float> sample = gaussians(1000 * 400, 1);
  for (const int after : {0, 5, 20}) {
    int calls = 0;
    const auto interrupt = [&] {
      if (calls++ == after) throw std::runtime_error("stop");
    };
    CHECK_THROWS(std::runtime_error, "stop", Projection::learn(sample.data(), 1000, 400, 1, 2, interrupt));
  }
}
