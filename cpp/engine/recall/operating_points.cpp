#include "engine/recall/operating_points.hpp"

#include <algorithm>
#include <cmath>

#include "engine/tuning.hpp"

namespace lookalike {
namespace {

float at_least(double recall) {
  const auto rounded = static_cast<float>(recall);
  return double{rounded} < recall ? std::nextafter(rounded, 2.0F) : rounded;
}

float share_between(float a, float b, float part) {
  return a * std::pow(b / a, part);
}

// So far on the way from what one k leaves to what another does. Where one leaves more behind its buckets and
// the other more of its candidates, what lay between both would find less than either: there what becomes
// stricter does so in the first half of the way, and what becomes less strict in the second.
template <class A, class B>
Budget::Limits limits_between(const A& a, const B& b, float part) {
  const bool apart = (b.left - a.left) * (b.missed - a.missed) < 0.0F;
  const auto between = [=](float from, float to) {
    const float half = to < from ? 2.0F * part : 2.0F * part - 1.0F;
    return share_between(from, to, apart ? std::clamp(half, 0.0F, 1.0F) : part);
  };
  return {between(a.left, b.left), between(a.missed, b.missed), std::min(a.recall, b.recall)};
}

// Each degree is twice as far as the one before.
float degrees_between(float near, float far) {
  if (!(near > 0.0F && far > near)) return 0.0F;
  return std::min(std::log2(far / near), float{Budget::kDegrees});
}

}  // namespace

bool OperatingPoints::make_sense(const Level& level) {
  const auto positive = [](float value) { return value > 0.0F && value < 4e9F; };
  if (!(level.error >= 0.0F) || !std::isfinite(level.error) || !std::isfinite(level.usual_e) ||
      std::isnan(level.farthest_e))
    return false;
  for (const Points& points : level.points) {
    float last = 0.0F;
    if (points.empty() != level.empty()) return false;
    for (const Point& point : points) {
      if (!(point.recall > last && point.recall <= 1.0F) || !positive(point.left) ||
          !(point.missed > 0.0F && point.missed <= 1.0F) || !positive(point.probes) ||
          !positive(point.rerank))
        return false;
      last = point.recall;
    }
  }
  return true;
}

// Of one below nothing may be known.
OperatingPoints::Point OperatingPoints::choice(const Points& points, double recall) {
  const auto above =
      std::ranges::lower_bound(points, recall, {}, [](const Point& point) { return double{point.recall}; });
  if (above == points.end()) return points.back();
  if (above == points.begin() || std::prev(above)->recall <= Budget::kUnknown) return *above;
  const Point& below = *std::prev(above);
  const float wanted = at_least(recall);
  const float part = std::min(1.0F, (wanted - below.recall) / (above->recall - below.recall));
  return {wanted, share_between(below.left, above->left, part),
          share_between(below.missed, above->missed, part), std::lerp(below.probes, above->probes, part),
          std::lerp(below.rerank, above->rerank, part)};
}

// How far it goes depends on k, and on what is met on the way. Of a share of the rows the k nearest lie as
// deep as k / share among all would: so many buckets are visited.
Budget OperatingPoints::budget_for(double recall, double k, double share) const {
  const double depth = k / share;
  if (empty() || depth > tuning::kBeyondMeasured * static_cast<double>(kMeasuredAt[measured() - 1]))
    return {};
  Budget budget = budget_at(recall, k);
  if (depth == k || budget.probes == 0) return budget;
  const Budget deeper = budget_at(recall, depth);
  if (deeper.probes == 0) return {};
  budget.probes = std::max(budget.probes, deeper.probes);
  budget.error = std::max(budget.error, deeper.error);
  budget.usual_e = std::max(budget.usual_e, deeper.usual_e);
  budget.farthest_e = std::min(budget.farthest_e, deeper.farthest_e);
  for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
    Budget::Limits& here = budget.limits[degree];
    const Budget::Limits& there = deeper.limits[degree];
    here = {std::min(here.left, there.left), std::min(here.missed, there.missed),
            std::min(here.recall, there.recall)};
  }
  return budget;
}

Budget OperatingPoints::budget_at(double recall, double depth) const {
  const std::size_t last = measured() - 1;
  const auto most = static_cast<double>(kMeasuredAt[last]);
  if (depth <= most) return budget_between(recall, depth);
  return last > 0 ? budget_beyond(recall, depth / most, last) : Budget();
}

// As of the most neighbours that were measured: the more they are, the less may be left. What is usual, and
// what it costs, grows on as between the last two. Nothing of this is tried at sealing: docs/performance.md,
// "Many neighbours", has what was found.
Budget OperatingPoints::budget_beyond(double recall, double times, std::size_t last) const {
  const auto fewer = static_cast<double>(kMeasuredAt[last - 1]),
             most = static_cast<double>(kMeasuredAt[last]);
  const Budget before = budget_between(recall, fewer);
  Budget budget = budget_between(recall, most);
  if (before.probes == 0 || budget.probes == 0) return {};
  const double steps = std::log(times) / std::log(most / fewer);
  const auto grown = [=](double from, double to) { return to * std::pow(to / from, steps); };
  const auto whole = [](double value) {
    return static_cast<std::uint32_t>(std::min(std::round(value), 4e9));
  };
  const auto usual = static_cast<float>(grown(double{before.usual_e}, double{budget.usual_e}));
  budget.farthest_e *= usual / budget.usual_e;
  budget.usual_e = usual;
  budget.probes = whole(grown(before.probes, budget.probes));
  budget.rerank = whole(grown(before.rerank, budget.rerank));
  for (Budget::Limits& each : budget.limits) {
    each.left /= static_cast<float>(times);
    each.missed /= static_cast<float>(times);
  }
  return budget;
}

Budget OperatingPoints::budget_between(double recall, double depth) const {
  const BetweenMeasured between(depth, measured());
  const Level& few = levels_[between.lower];
  const Level& many = levels_[between.upper];
  const auto has = [=](const Level& level) {
    return !level.empty() && double{level.points[0].back().recall} >= recall;
  };
  if (!has(few) || !has(many)) return {};
  const auto part = static_cast<float>(between.part);
  const auto between_them = [=](float at_few, float at_many) { return std::lerp(at_few, at_many, part); };
  const auto whole = [](float value) {
    return static_cast<std::uint32_t>(std::clamp(std::round(value), 1.0F, 4e9F));
  };
  Budget budget;
  budget.error = between_them(few.error, many.error);
  budget.usual_e = between_them(few.usual_e, many.usual_e);
  budget.farthest_e = std::min(few.farthest_e, many.farthest_e);
  // As far as what is usual changes, as where a row has fewer near relatives than k, a query of this degree
  // may be of another at the levels: so far its limits become as strict as those, less so near the other
  // level.
  const float more = degrees_between(few.usual_e, budget.usual_e);
  const float less = degrees_between(budget.usual_e, many.usual_e);
  const float of_few = std::min(1.0F, 2.0F * (1.0F - part)), of_many = std::min(1.0F, 2.0F * part);
  for (std::size_t degree = 0; degree < Budget::kDegrees; ++degree) {
    const Point a = choice(few.points[degree], recall);
    const Point b = choice(many.points[degree], recall);
    Budget::Limits& limits = budget.limits[degree];
    limits = limits_between(a, b, part);
    const auto as_strict_as = [&](const Point& other, float degrees, float weight) {
      const Budget::Limits strict = {std::min(limits.left, other.left), std::min(limits.missed, other.missed),
                                     std::min(limits.recall, other.recall)};
      const float by = weight * std::clamp(degrees, 0.0F, 1.0F);
      const float said = degrees < 0.5F ? limits.recall : strict.recall;
      limits = limits_between(limits, strict, by);
      limits.recall = said;
    };
    as_strict_as(a, more + less, of_few), as_strict_as(b, more + less, of_many);
    for (std::size_t i = 0; degree + i + 1 < Budget::kDegrees && static_cast<float>(i) < more; ++i)
      as_strict_as(choice(few.points[degree + i + 1], recall), more - static_cast<float>(i), of_few);
    for (std::size_t i = 0; i < degree && static_cast<float>(i) < less; ++i)
      as_strict_as(choice(many.points[degree - i - 1], recall), less - static_cast<float>(i), of_many);
    if (degree > 0) continue;
    budget.probes = whole(between_them(a.probes, b.probes));
    budget.rerank = whole(between_them(a.rerank, b.rerank));
    budget.recall = double{budget.limits[0].recall};
  }
  return budget;
}

}  // namespace lookalike
