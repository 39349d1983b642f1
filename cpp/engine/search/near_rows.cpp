#include "engine/search/near_rows.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr float kRounding = 1e-4F, kLeastRounding = 1e-6F, kErrorPerFactor = 0.7F;
constexpr float kLeftOutByRounding =
    0.01F;  // of a squared length: of the axes' bytes, rather more than it is

float length_of(const float* values, std::size_t count) {
  return std::sqrt(kernels().dot(values, values, count));
}

}  // namespace

// The standard error of an estimate is that of sketches.hpp, where √(1 − ip²) is below 0.7 for nearly all
// rotated residuals; what it errs by since the query is rounded, half a step for each group of dimensions, is
// at most F times that.
NearRows::NearRows(const Segment& segment, Scratch& scratch)
    : segment_(segment),
      errand_(scratch.errand),
      length_(length_of(errand_.projected, segment.router()->m())),
      root_m_(std::sqrt(static_cast<float>(segment.router()->m()))) {
  const float left_out = segment.router()->left_out(errand_.placed, errand_.projected);
  left_out_ = std::sqrt(std::max(0.0F, left_out - kLeftOutByRounding * (left_out + length_ * length_)));
  errors_ = tuning::kErrorsOfRange / std::sqrt(std::max(1.0F, root_m_ * root_m_ - 1.0F));
  of_table_ = static_cast<float>(segment.sketches().layout().groups) * errand_.table.step() / 2.0F;
}

std::vector<Near> NearRows::buckets() const {
  const Router& router = *segment_.router();
  std::vector<Near> buckets;
  for (std::uint32_t bucket = 0; bucket < router.buckets(); ++bucket) {
    if (segment_.sketches().first(bucket) >= segment_.originals()) break;
    buckets.push_back(
        {kernels().squared_l2(errand_.projected, router.family().centre(bucket), router.m()), bucket});
  }
  return buckets;
}

bool NearRows::may_hold(const Near& bucket, float square) const {
  const float distance = std::sqrt(bucket.key), radius = std::sqrt(std::max(0.0F, square));
  return distance - segment_.reach(bucket.bucket).radius <=
         radius + kRounding * (radius + distance) + kLeastRounding * length_;
}

// What an estimate may be at most, but for its errors. Beside the axes the query is left_out_ long, a row of
// the bucket no longer than it reaches there: so far apart are they at least.
float NearRows::certain(const Near& bucket, float square) const {
  const float of_rows = segment_.reach(bucket.bucket).left_out;
  const float apart = std::max(0.0F, left_out_ - std::sqrt(of_rows));
  return square + of_rows - apart * apart + kRounding * (square + bucket.key) +
         kLeastRounding * length_ * length_;
}

float NearRows::per_factor(const Near& bucket) const {
  return kErrorPerFactor * errors_ * root_m_ * std::sqrt(bucket.key) + of_table_;
}

// F is looked up where even the largest would do: 2‖r‖ / (ip √m), with √(1 − ip²) / ip below 1, ip above 0.5,
// and the bucket's radius for ‖r‖.
void NearRows::estimate(const Near& bucket, float certain) const {
  const float radius = segment_.reach(bucket.bucket).radius;
  estimate_bucket(segment_.sketches(), bucket, errand_,
                  certain + radius * (2.0F * errors_ * std::sqrt(bucket.key) + 4.0F * of_table_ / root_m_));
}

}  // namespace lookalike
