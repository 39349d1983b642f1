#include "engine/recall_curve.hpp"

#include <cmath>
#include <utility>
#include <vector>

namespace lookalike {
namespace {

constexpr auto& kMeasuredAt = RecallCurve::kMeasuredAt;

// k lies in the interval of kMeasuredAt that ends with `upper`, at `part` of the way between the logarithms.
struct Between {
  std::size_t lower;
  std::size_t upper;
  double part;
};

Between between(std::size_t k) {
  const auto upper = static_cast<std::size_t>(std::lower_bound(kMeasuredAt.begin(), kMeasuredAt.end(), k) -
                                              kMeasuredAt.begin());
  if (upper == 0 || kMeasuredAt[upper] == k) return {upper, upper, 1.0};
  const double low = std::log(static_cast<double>(kMeasuredAt[upper - 1]));
  const double high = std::log(static_cast<double>(kMeasuredAt[upper]));
  return {upper - 1, upper, (std::log(static_cast<double>(k)) - low) / (high - low)};
}

std::uint32_t probes_at(std::span<const std::uint32_t> curve, double recall) {
  const auto needed = static_cast<std::size_t>(std::ceil(recall * static_cast<double>(curve.size())));
  return curve[std::clamp<std::size_t>(needed, 1, curve.size()) - 1];
}

double recall_at(std::span<const std::uint32_t> curve, std::uint32_t probes) {
  const auto met = std::upper_bound(curve.begin(), curve.end(), std::min(probes, RecallCurve::kNever - 1));
  return static_cast<double>(met - curve.begin()) / static_cast<double>(curve.size());
}

}  // namespace

RecallCurve::RecallCurve(std::span<const std::uint32_t> met, std::size_t samples, std::size_t neighbours)
    : samples_(samples), neighbours_(neighbours) {
  std::vector<std::uint32_t> values;
  for (const std::size_t k : kMeasuredAt) {
    const auto begin = static_cast<std::ptrdiff_t>(values.size());
    for (std::size_t sample = 0; sample < samples; ++sample) {
      const auto nearest = met.subspan(sample * neighbours, std::min(k, neighbours));
      values.insert(values.end(), nearest.begin(), nearest.end());
    }
    std::sort(values.begin() + begin, values.end());
  }
  values_ = Column<std::uint32_t>(std::move(values));
}

RecallCurve::RecallCurve(Column<std::uint32_t> values, std::size_t samples, std::size_t neighbours)
    : values_(std::move(values)), samples_(samples), neighbours_(neighbours) {}

std::string RecallCurve::problem() const {
  for (std::size_t i = 0; i < kMeasuredAt.size(); ++i)
    if (!std::is_sorted(at(i).begin(), at(i).end())) return "its recall curve makes no sense";
  return "";
}

std::size_t RecallCurve::values_of(std::size_t samples, std::size_t neighbours) {
  std::size_t values = 0;
  for (const std::size_t k : kMeasuredAt) values += samples * std::min(k, neighbours);
  return values;
}

std::span<const std::uint32_t> RecallCurve::at(std::size_t i) const {
  std::size_t begin = 0;
  for (std::size_t before = 0; before < i; ++before)
    begin += samples_ * std::min(kMeasuredAt[before], neighbours_);
  return values_.view().subspan(begin, samples_ * std::min(kMeasuredAt[i], neighbours_));
}

std::uint32_t RecallCurve::probes_for(double recall, std::size_t k) const {
  if (values_.size() == 0 || k > kNeighbours) return 0;
  std::uint32_t enough = probes_at(at(between(k).upper), recall);  // more neighbours take more probes
  if (enough == kNever) return 0;
  std::uint32_t few = 0;
  while (enough - few > 1) {
    const std::uint32_t middle = few + (enough - few) / 2;
    (recall_of(middle, k) >= recall ? enough : few) = middle;
  }
  return enough;
}

double RecallCurve::recall_of(std::uint32_t probes, std::size_t k) const {
  if (values_.size() == 0 || k > kNeighbours) return std::numeric_limits<double>::quiet_NaN();
  const auto [lower, upper, part] = between(k);
  return std::lerp(recall_at(at(lower), probes), recall_at(at(upper), probes), part);
}

}  // namespace lookalike
