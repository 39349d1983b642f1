#include "engine/projection/principal.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "engine/base/product.hpp"
#include "engine/base/random.hpp"
#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kPiece = 1024;  // vectors transposed at a time
constexpr std::size_t kTile = 64;     // dimensions a side: two tiles of a piece fit in the second cache
constexpr std::size_t kBlock = 32;    // rows made orthogonal at a time

// A sample with its split: vectors 0, 8, 16, ... are held out.
struct Sample {
  const float* vectors;
  std::size_t rows;
  std::size_t dim;

  std::size_t held_out() const { return (rows + tuning::kMeasuringOneIn - 1) / tuning::kMeasuringOneIn; }
  std::size_t taught() const { return rows - held_out(); }
  const float* taught(std::size_t i) const {
    return vectors + (i + i / (tuning::kMeasuringOneIn - 1) + 1) * dim;
  }
};

// A power of two that brings the mean square near 1: squares of float32 leave its range from 1e19 on.
float normaliser(const Sample& sample, const Interrupt& interrupt) {
  double squares = 0.0;
  for (std::size_t row = 0; row < sample.rows; ++row) {
    for (std::size_t i = row * sample.dim; i < (row + 1) * sample.dim; ++i)
      squares += double{sample.vectors[i]} * double{sample.vectors[i]};
    if (interrupt && row % tuning::kRowsBetweenAsking == 0) interrupt();
  }
  if (squares == 0.0) return 0.0F;
  const double mean = squares / static_cast<double>(sample.rows * sample.dim);
  return static_cast<float>(std::exp2(-std::round(0.5 * std::log2(mean))));
}

// columns[d * kPiece + i] = scale · dimension d of vector first + i
void transpose(const Sample& sample, std::size_t first, std::size_t count, float scale, std::size_t begin,
               std::size_t end, float* columns) {
  for (std::size_t i = 0; i < count; ++i) {
    const float* vector = sample.taught(first + i);
    for (std::size_t d = begin; d < end; ++d) columns[d * kPiece + i] = scale * vector[d];
  }
}

// Σ x xᵀ, scaled: dim × dim, symmetric.
std::vector<float> second_moments(const Sample& sample, float scale, int threads,
                                  const Interrupt& interrupt) {
  const std::size_t dim = sample.dim, taught = sample.taught();
  std::vector<float> columns(dim * kPiece);
  std::vector<float> moments(dim * dim);
  for (std::size_t first = 0; first < taught; first += kPiece) {
    const std::size_t count = std::min(kPiece, taught - first);
    parallel_for(dim, kTile, threads, interrupt, [&](std::size_t begin, std::size_t end) {
      transpose(sample, first, count, scale, begin, end, columns.data());
    });
    parallel_for(dim, kTile, threads, interrupt, [&](std::size_t begin, std::size_t end) {
      multiply(
          {columns.data(), dim, kPiece, count, begin, end, true},
          [&](std::size_t i, std::size_t d, std::size_t n, float* to) {
            const float* const from = sample.taught(first + i) + d;
            for (std::size_t j = 0; j < n; ++j) to[j] = scale * from[j];
          },
          [&](std::size_t row, std::size_t d, const float* sums, std::size_t n) {
            for (std::size_t j = 0; j < n; ++j) moments[row * dim + d + j] += sums[j];
          });
    });
  }
  for (std::size_t a = 0; a < dim; ++a)
    for (std::size_t b = 0; b < a; ++b) moments[a * dim + b] = moments[b * dim + a];
  return moments;
}

// out = rows · moments, both count × dim
void times_moments(const std::vector<float>& rows, std::size_t count, const std::vector<float>& moments,
                   std::size_t dim, int threads, const Interrupt& interrupt, std::vector<float>& out) {
  parallel_for(dim, kTile, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    multiply(
        {rows.data(), count, dim, dim, begin, end},
        [&](std::size_t i, std::size_t d, std::size_t n, float* to) {
          std::copy_n(moments.data() + i * dim + d, n, to);
        },
        [&](std::size_t row, std::size_t d, const float* sums, std::size_t n) {
          std::copy_n(sums, n, out.data() + row * dim + d);
        });
  });
}

// Takes from `targets` what lies along the orthonormal `basis`.
void project_out(const float* basis, std::size_t basis_count, float* targets, std::size_t target_count,
                 std::size_t dim, int threads) {
  if (basis_count == 0) return;
  constexpr std::size_t kColumns = 256;
  std::vector<float> along(target_count * basis_count);
  parallel_for(basis_count, kTile, threads, {}, [&](std::size_t begin, std::size_t end) {
    std::vector<float> tile(target_count * (end - begin));
    kernels().dot_tile(targets, dim, target_count, basis + begin * dim, dim, end - begin, dim, tile.data());
    for (std::size_t t = 0; t < target_count; ++t)
      std::copy_n(tile.data() + t * (end - begin), end - begin, along.data() + t * basis_count + begin);
  });
  parallel_for(dim, kColumns, threads, {}, [&](std::size_t begin, std::size_t end) {
    multiply(
        {along.data(), target_count, basis_count, basis_count, begin, end},
        [&](std::size_t i, std::size_t d, std::size_t n, float* to) {
          std::copy_n(basis + i * dim + d, n, to);
        },
        [&](std::size_t t, std::size_t d, const float* sums, std::size_t n) {
          for (std::size_t j = 0; j < n; ++j) targets[t * dim + d + j] -= sums[j];
        });
  });
}

// Scales to length 1; false if there is no direction to speak of.
bool normalise(std::span<float> row, double at_least) {
  double squares = 0.0;
  for (const float value : row) squares += double{value} * double{value};
  const double length = std::sqrt(squares);
  if (!(length > at_least)) return false;
  for (float& value : row) value = static_cast<float>(value / length);
  return true;
}

void draw(std::span<float> row, Random& random) {
  for (float& value : row) value = static_cast<float>(random.gaussian());
}

// Gram-Schmidt by blocks, each step done twice, which is enough (Giraud, Langou & Rozložník 2005). Where the
// data have fewer dimensions than there are rows, those without a direction of their own are drawn at random.
void orthonormalise(std::vector<float>& rows, std::size_t count, std::size_t dim, Random& random, int threads,
                    const Interrupt& interrupt) {
  float* data = rows.data();
  for (std::size_t block = 0; block < count; block += kBlock) {
    const std::size_t end = std::min(count, block + kBlock);
    for (std::size_t i = block; i < end; ++i) {
      const std::span<float> row(data + i * dim, dim);
      if (normalise(row, 0.0)) continue;
      draw(row, random);
      normalise(row, 0.0);
    }
    for (int pass = 0; pass < 2; ++pass)
      project_out(data, block, data + block * dim, end - block, dim, threads);
    for (std::size_t i = block; i < end; ++i) {
      const std::span<float> row(data + i * dim, dim);
      project_out(data + block * dim, i - block, row.data(), 1, dim, 1);
      while (!normalise(row, 1e-5)) {
        draw(row, random);
        normalise(row, 0.0);
        project_out(data, i, row.data(), 1, dim, threads);
      }
      project_out(data, i, row.data(), 1, dim, threads);
      normalise(row, 0.0);
    }
    if (interrupt) interrupt();
  }
}

// Of the energy of the held-out vectors about their mean, the share along the first axis, the first two, ...
std::vector<double> held_out_shares(const Sample& sample, float scale, const PrincipalAxes& found,
                                    int threads, const Interrupt& interrupt) {
  const std::size_t dim = sample.dim;
  const std::size_t count = sample.held_out();
  const auto n = static_cast<double>(count);
  const auto spread = [&](auto value) {  // the sum of squares about the mean
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      const double x = double{value(i)} * double{scale};
      sum += x;
      squares += x * x;
    }
    return squares - sum * sum / n;
  };
  std::vector<double> total(dim);
  parallel_for(dim, kTile, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    for (std::size_t d = begin; d < end; ++d)
      total[d] = spread([&](std::size_t i) { return sample.vectors[i * tuning::kMeasuringOneIn * dim + d]; });
  });
  std::vector<double> shares(found.count);
  parallel_for(found.count, kTile, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    const std::size_t width = end - begin;
    std::vector<float> along(count * width);
    kernels().dot_tile(sample.vectors, tuning::kMeasuringOneIn * dim, count, found.axes.data() + begin * dim,
                       dim, width, dim, along.data());
    for (std::size_t a = 0; a < width; ++a)
      shares[begin + a] = spread([&](std::size_t i) { return along[i * width + a]; });
  });
  const double all = std::accumulate(total.begin(), total.end(), 0.0);
  std::partial_sum(shares.begin(), shares.end(), shares.begin());
  const bool any = all > 1e-12 * n * static_cast<double>(dim);  // else it is the rounding of equal vectors
  for (double& share : shares) share = any ? share / all : 0.0;
  return shares;
}

}  // namespace

std::size_t enough_for_axes(std::size_t dim) {
  const double affordable =
      2.0 * tuning::kProductsForAxes / (static_cast<double>(dim) * static_cast<double>(dim));
  return std::max(tuning::kEnoughRowsForAxes, static_cast<std::size_t>(affordable)) *
         tuning::kMeasuringOneIn / (tuning::kMeasuringOneIn - 1);
}

PrincipalAxes principal_axes(const float* vectors, std::size_t rows, std::size_t dim,
                             const AxesWanted& wanted, std::uint64_t seed, int threads,
                             const Interrupt& interrupt) {
  const Sample sample{vectors, rows, dim};
  if (rows < tuning::kMostAxes || wanted.most == 0) return {};
  const float scale = normaliser(sample, interrupt);
  if (scale == 0.0F) return {};
  const std::vector<float> moments = second_moments(sample, scale, threads, interrupt);
  Random random(seed);
  for (std::size_t count = std::min(wanted.first, wanted.most);; count = std::min(2 * count, wanted.most)) {
    PrincipalAxes found{count, std::vector<float>(count * dim), {}};
    draw(found.axes, random);
    std::vector<float> product(count * dim);
    for (int iteration = 0; iteration < tuning::kAxesRounds; ++iteration) {
      times_moments(found.axes, count, moments, dim, threads, interrupt, product);
      found.axes.swap(product);
      orthonormalise(found.axes, count, dim, random, threads, interrupt);
    }
    found.shares = held_out_shares(sample, scale, found, threads, interrupt);
    if (count == wanted.most || found.shares.back() >= wanted.share) return found;
  }
}

}  // namespace lookalike
