#include "engine/router/router.hpp"

#include <algorithm>
#include <span>

#include "engine/tuning.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

RecallCurve::Costs Router::costs(std::size_t rows) const {
  const auto groups = static_cast<double>(layout_.groups);
  const double entries = static_cast<double>(rows) / buckets();
  return {tuning::kCostOfBucket + entries * (tuning::kCostOfEntry + tuning::kCostOfSketchGroup * groups),
          tuning::kCostOfCandidate + tuning::kCostOfByte * static_cast<double>(byte_width())};
}

void Router::place(const StoredRows& rows, std::size_t row, Routed& out) const {
  out.placed.resize(space_.dim());
  out.projected.resize(m());
  space_.place_row(form_.floats(rows.row(row), out.room), rows.scale(row), out.placed.data());
  projection_.apply(out.placed.data(), 1.0F, out.projected.data(), out.projection);
}

void Router::route(const StoredRows& rows, std::size_t begin, std::size_t end, Routed& out) const {
  const std::size_t count = end - begin, dim = space_.dim();
  out.placed.resize(count * dim);
  out.projected.resize(count * m());
  out.bucket_of.resize(count * tables());
  out.left_out.resize(count);
  out.residuals.resize(count);
  out.beyond.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    space_.place_row(form_.floats(rows.row(begin + i), out.room), rows.scale(begin + i),
                     out.placed.data() + i * dim);
  projection_.apply(out.placed.data(), nullptr, count, out.projected.data(), out.projection);
  family_->assign(out.projected.data(), count, out.bucket_of.data());
  for (std::size_t i = 0; i < count; ++i) {
    const float* const y = out.projected.data() + i * m();
    const float left_out = this->left_out(out.placed.data() + i * dim, y);
    const float beyond = space_.beyond(form_.floats(rows.row(begin + i), out.room));
    out.left_out[i] = left_out - beyond;
    out.beyond[i] = beyond;
    if (!learned()) continue;  // there may be no centres yet
    const float* const centre = family_->centre(out.bucket_of[i * tables()]);
    out.residuals[i] = kernels().squared_l2(y, centre, m()) + left_out + beyond;
  }
}

float Router::left_out(const float* placed, const float* projected) const {
  if (projection_.kind() == Projection::Kind::rotation) return 0.0F;
  const float whole = kernels().dot(placed, placed, space_.dim());
  return std::max(0.0F, whole - kernels().dot(projected, projected, m()));
}

// A bucket of few rows tells little: each is taken to reach as far as nearly all do.
void Router::set_reach(std::span<const Reach> reaches, float mean_residual) {
  mean_residual_ = mean_residual;
  const auto usual = [&](auto value) {
    std::vector<float> values;
    for (const Reach& reach : reaches) values.push_back(value(reach));
    if (values.empty()) return 0.0F;
    const auto most =
        values.begin() + static_cast<std::ptrdiff_t>(tuning::kNearlyAll * static_cast<double>(values.size()));
    std::nth_element(values.begin(), most, values.end());
    return *most;
  };
  const float radius = usual([](const Reach& reach) { return reach.radius; });
  const float left_out = usual([](const Reach& reach) { return reach.left_out; });
  bounds_.clear();
  for (const Reach& reach : reaches) {
    const float farthest = std::max(reach.radius, radius);
    bounds_.push_back(tuning::kUnlikeBeyond * (farthest * farthest + std::max(reach.left_out, left_out)));
  }
}

Routed route_all(const Router& router, const StoredRows& rows) {
  const std::size_t m = router.m(), tables = router.tables();
  Routed all;
  all.projected.resize(rows.count * m);
  all.left_out.resize(rows.count);
  all.residuals.resize(rows.count);
  all.beyond.resize(rows.count);
  all.bucket_of.resize(rows.count * tables);
  const auto put = [](const auto& from, auto& into, std::size_t at) {
    std::ranges::copy(from, into.begin() + static_cast<std::ptrdiff_t>(at));
  };
  parallel_for(rows.count, tuning::kRowsRoutedAtOnce, rows.count < 4 * tuning::kRowsRoutedAtOnce ? 1 : 0,
               nullptr, [&](std::size_t begin, std::size_t end) {
                 Routed some;
                 router.route(rows, begin, end, some);
                 put(some.projected, all.projected, begin * m);
                 put(some.left_out, all.left_out, begin);
                 put(some.residuals, all.residuals, begin);
                 put(some.beyond, all.beyond, begin);
                 put(some.bucket_of, all.bucket_of, begin * tables);
               });
  return all;
}

}  // namespace lookalike
