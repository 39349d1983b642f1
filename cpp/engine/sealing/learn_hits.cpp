// Learning how many neighbours a bucket holds: Poisson regression over buckets that sampled queries came by.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/random.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kTerms = HitModel::kTerms, kFeatures = HitModel::kFeatures;

struct Example {  // a bucket, as a query came by it
  HitModel::Features features;
  float hits;
  float rows;
  float weight;
};

/// Those that lie near the query, and those with hits; of the others some, that stand for all.
void add_examples(const Course& course, std::size_t level, const HitModel& model, Random& random,
                  std::vector<Example>& examples) {
  const float e = course.kth_after(level, course.visited());
  const auto neighbours = course.neighbours_at(level);
  if (!std::isfinite(e) || neighbours.empty()) return;
  std::vector<float> hits(course.order.size());
  for (const Course::Neighbour& each : neighbours)
    if (each.bucket != Course::kNever) ++hits[each.bucket];
  for (std::size_t p = 0; p < hits.size(); ++p) {
    const std::size_t one_in = p < tuning::kNearBuckets || hits[p] > 0 ? 1
                               : p < tuning::kFartherBuckets           ? tuning::kOneInFew
                                                                       : tuning::kOneInMany;
    if (one_in > 1 && random.bits() % one_in != 0) continue;
    const Near& near = course.order[p];
    examples.push_back({model.features(near, p + 1, e), hits[p], model.buckets()[near.bucket].rows,
                        static_cast<float>(one_in) / static_cast<float>(neighbours.size())});
  }
}

using Vector = std::array<double, kTerms>;
using Matrix = std::array<Vector, kTerms>;

/// Of a positive definite matrix, by Cholesky's decomposition.
Vector solve(Matrix a, Vector b) {
  for (std::size_t j = 0; j < kTerms; ++j) {
    for (std::size_t i = j; i < kTerms; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(std::max(a[j][j], 1e-12)) : a[i][j] / a[j][j];
    }
  }
  for (std::size_t i = 0; i < kTerms; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = kTerms; i-- > 0;) {
    for (std::size_t k = i + 1; k < kTerms; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

/// Newton's method on the likelihood, with a little weight on small terms.
class Regression {
 public:
  explicit Regression(const std::vector<Example>& examples) {
    double hits = 0.0, rows = 0.0;
    for (const Example& each : examples) {
      weight_ += double{each.weight};
      hits += double{each.weight} * double{each.hits};
      rows += double{each.weight} * double{each.rows};
    }
    standardise(examples);
    points_.reserve(examples.size());
    for (const Example& each : examples) {
      std::array<double, kFeatures> standard;
      for (std::size_t i = 0; i < kFeatures; ++i)
        standard[i] = double{(each.features[i] - found_.middle[i]) * found_.scale[i]};
      points_.push_back({HitModel::products(standard), double{each.hits}, std::log(double{each.rows}),
                         double{each.weight}});
    }
    terms_[0] = std::log(hits / rows);
  }

  HitTerms fit() {
    constexpr int kMostSteps = 40;
    constexpr double kEnough = 1e-6, kShortest = 1e-3;
    double likelihood = this->likelihood(terms_);
    for (int i = 0; i < kMostSteps; ++i) {
      const Vector step = newton_step();
      double length = 1.0, better = likelihood;
      Vector next = terms_;
      for (; length > kShortest; length /= 2) {
        for (std::size_t t = 0; t < kTerms; ++t) next[t] = terms_[t] + length * step[t];
        if ((better = this->likelihood(next)) > likelihood) break;
      }
      if (!(better > likelihood)) break;
      terms_ = next;
      const double gain = better - likelihood;
      likelihood = better;
      if (gain < kEnough * std::abs(likelihood)) break;
    }
    for (std::size_t t = 0; t < kTerms; ++t)
      found_.terms[t] = static_cast<float>(terms_[t] / std::log(2.0));  // the model takes powers of 2
    return found_;
  }

 private:
  struct Point {
    Vector products;
    double hits, log_rows, weight;
  };

  void standardise(const std::vector<Example>& examples) {
    for (std::size_t i = 0; i < kFeatures; ++i) {
      double sum = 0.0, squares = 0.0;
      float low = std::numeric_limits<float>::infinity(), high = -low;
      for (const Example& each : examples) {
        const double value = double{each.features[i]};
        sum += double{each.weight} * value;
        squares += double{each.weight} * value * value;
        low = std::min(low, each.features[i]);
        high = std::max(high, each.features[i]);
      }
      const double mean = sum / weight_, variance = squares / weight_ - mean * mean;
      found_.lowest[i] = low;
      found_.highest[i] = high;
      found_.middle[i] = static_cast<float>(mean);
      found_.scale[i] = static_cast<float>(1.0 / std::sqrt(std::max(variance, 1e-12)));
    }
  }

  static double log_hits(const Point& point, const Vector& terms) {
    double sum = point.log_rows;
    for (std::size_t t = 0; t < kTerms; ++t) sum += terms[t] * point.products[t];
    return std::clamp(sum, -40.0, 12.0);
  }

  double likelihood(const Vector& terms) const {
    double sum = 0.0;
    for (const Point& each : points_) {
      const double log = log_hits(each, terms);
      sum += each.weight * (each.hits * log - std::exp(log));
    }
    for (std::size_t t = 1; t < kTerms; ++t) sum -= kRidge * weight_ * terms[t] * terms[t] / 2;
    return sum;
  }

  Vector newton_step() const {
    Vector gradient{};
    Matrix curvature{};
    for (const Point& each : points_) {
      const double expected = std::exp(log_hits(each, terms_));
      const double more = each.weight * (each.hits - expected), bend = each.weight * expected;
      for (std::size_t i = 0; i < kTerms; ++i) {
        gradient[i] += more * each.products[i];
        for (std::size_t j = 0; j <= i; ++j) curvature[i][j] += bend * each.products[i] * each.products[j];
      }
    }
    for (std::size_t i = 0; i < kTerms; ++i) {
      if (i > 0) gradient[i] -= kRidge * weight_ * terms_[i];
      curvature[i][i] += kRidge * weight_;
    }
    return solve(curvature, gradient);
  }

  static constexpr double kRidge = 1e-6;

  HitTerms found_{};
  std::vector<Point> points_;
  double weight_ = 0.0;
  Vector terms_{};
};

}  // namespace

HitModel Measurer::learn_hits(std::span<const Sample> samples,
                              std::span<const HitModel::Bucket> buckets) const {
  constexpr auto& some = tuning::kCoursesLearned;  // of each sample
  if (!segment_.shape().family->ordered_by_distance) return {};
  const HitModel model(buckets, {});
  std::vector<Example> examples;
  Random random(router_.seed());
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const std::size_t most = some[std::min(s, some.size() - 1)];
    const auto courses = this->courses(samples[s], most);
    for (std::size_t i = 0; i < courses.size(); ++i)
      add_examples(courses[i], i % kShallow, model, random, examples);
  }
  if (examples.size() < 2 * kTerms) return {};
  const HitTerms terms = Regression(examples).fit();
  if (!HitModel::make_sense(buckets, terms)) return {};  // of rows that are no numbers
  return {buckets, terms};
}

}  // namespace lookalike
