#include "engine/router/router_parts.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#define XXH_INLINE_ALL
#include "xxhash.h"

namespace lookalike {
namespace {

OperatingPoints open_points(const PartSource& parts) {
  if (parts.find("hits").empty()) return {};
  const auto stored = parts.get<StoredLevel>("levels", kMeasuredAt.size());
  std::size_t points = 0;
  for (const StoredLevel& each : stored) points += each.points;
  auto all = parts.get<StoredPoint>("points", points);
  const auto farthest = parts.find("farthest").empty()  // a file of before
                            ? std::span<const float>()
                            : parts.get<float>("farthest", kMeasuredAt.size());
  OperatingPoints::Levels levels;
  for (std::size_t at = 0; at < levels.size(); ++at) {
    OperatingPoints::Level& level = levels[at];
    level.error = stored[at].error;
    level.usual_e = stored[at].usual_e;
    if (!farthest.empty()) level.farthest_e = farthest[at];
    bool known = true;
    for (const StoredPoint& each : all.first(stored[at].points)) {
      if (known = known && each.degree >= 0.0F && each.degree < float{Budget::kDegrees}; !known) break;
      level.points[static_cast<std::size_t>(each.degree)].push_back(each.point);
    }
    if (!known || !OperatingPoints::make_sense(level)) parts.damaged("its operating points make no sense");
    all = all.subspan(stored[at].points);
  }
  return OperatingPoints(std::move(levels));
}

HitModel open_hits(const RouterShape& shape, const PartSource& parts) {
  if (parts.find("hits").empty()) {  // of another family, or of before
    parts.find("levels");
    if (!parts.find("points").empty() || !parts.find("farthest").empty() || !parts.find("spreads").empty())
      parts.wrong_length("hits");
    parts.find("margins");
    return {};
  }
  const HitTerms& terms = parts.get<HitTerms>("hits", 1).front();
  const auto buckets = parts.get<HitModel::Bucket>("spreads", shape.buckets);
  if (!HitModel::make_sense(buckets, terms)) parts.damaged("its expected hits make no sense");
  return {buckets, terms};
}

}  // namespace

StoredName stored_name(std::string_view name) {
  StoredName stored{};
  std::ranges::copy(name.substr(0, stored.size() - 1), stored.begin());
  return stored;
}

const Family* family_named(const StoredName& name) {
  for (const Family* family : families())
    if (stored_name(family->name) == name) return family;
  return nullptr;
}

bool RouterShape::makes_sense() const {
  return rows > 0 && rows < (std::uint64_t{1} << 32) && buckets > 0 && tables > 0 && tables <= kMaxTables &&
         m > 0 && m <= Projection::kMaxWidth && m % 4 == 0 && projection <= 1 &&
         codebook_of(sketch_width) != nullptr && probe_steps <= RecallCurve::kMostSteps &&
         rerank_steps <= RecallCurve::kMostSteps;
}

RouterParts::RouterParts(const Router& router, const Family& family, const RecallCurve& curve) {
  shape_.rows = router.rows();
  shape_.dim = router.form().dim;
  shape_.seed = router.seed();
  shape_.metric = static_cast<std::uint32_t>(router.form().metric);
  shape_.buckets = router.buckets();
  shape_.tables = router.tables();
  shape_.m = static_cast<std::uint32_t>(router.m());
  shape_.projection = static_cast<std::uint32_t>(router.projection().kind());
  shape_.sketch_width = static_cast<std::uint32_t>(router.layout().codebook->width);
  shape_.probe_steps = static_cast<std::uint32_t>(curve.probe_steps());
  shape_.rerank_steps = static_cast<std::uint32_t>(curve.rerank_steps());
  for (std::size_t at = 0; at < kMeasuredAt.size(); ++at) {
    const OperatingPoints::Level& level = curve.points().levels()[at];
    std::uint32_t points = 0;
    for (std::size_t degree = 0; degree < level.points.size(); ++degree)
      for (const OperatingPoints::Point& point : level.points[degree]) {
        ++points;
        points_.push_back({static_cast<float>(degree), point});
      }
    if (router.hits().empty()) continue;
    levels_.push_back({level.error, level.usual_e, points});
    farthest_.push_back(level.farthest_e);
  }
  shape_.largest_norm = router.space().largest_norm();
  shape_.narrowing = curve.narrowing();
  shape_.mean_residual = router.mean_residual();
  shape_.family = stored_name(family.name);
  const std::size_t modelled = router.hits().empty() ? 0 : 1;
  parts_ = {named("shape", std::span<const RouterShape>(&shape_, 1)),
            named("middle", router.space().middle()),
            named("projection", router.projection().matrix()),
            named("bounds", router.bounds()),
            named("curve", curve.recalls()),
            named("levels", std::span<const StoredLevel>(levels_)),
            named("points", std::span<const StoredPoint>(points_)),
            named("farthest", std::span<const float>(farthest_)),
            named("hits", std::span<const HitTerms>(&router.hits().terms(), modelled)),
            named("spreads", router.hits().buckets())};
  for (const NamedBytes& part : router.family().parts()) parts_.push_back(part);
  std::ranges::sort(parts_, {}, &NamedBytes::name);
}

// Parts without bytes are in no file.
RouterHash router_hash(const std::vector<NamedBytes>& parts) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const auto& [name, bytes] : parts) {
    const std::uint64_t length = bytes.size();
    if (length == 0) continue;
    XXH3_128bits_update(&state, name.data(), name.size());
    XXH3_128bits_update(&state, &length, sizeof length);
    XXH3_128bits_update(&state, bytes.data(), bytes.size());
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return {hash.low64, hash.high64};
}

std::shared_ptr<Router> open_router(const RouterShape& shape, const RowForm& form, const Family& family,
                                    const PartSource& parts) {
  Space space(form.metric, form.dim, shape.largest_norm);
  space.set_middle(Column(parts.get<float>("middle", space.dim())));
  if (!(shape.narrowing >= 1.0F)) parts.damaged("its narrowing makes no sense");
  const std::size_t m = shape.m, dim = space.dim();
  if (m > dim + 3) parts.damaged("its projection makes no sense");
  const bool rotates = static_cast<Projection::Kind>(shape.projection) == Projection::Kind::rotation;
  const auto matrix = parts.get<float>("projection", rotates ? 0 : m * dim);
  Projection projection = rotates ? Projection(dim, m, shape.seed) : Projection(dim, m, Column(matrix));
  auto buckets = family.open(parts, shape.buckets, m, shape.seed);
  if (const std::string problem = buckets->problem(); !problem.empty()) parts.damaged(problem);
  if (buckets->buckets() != shape.buckets) parts.damaged("its groups do not hold its buckets");
  if (buckets->tables() != shape.tables) parts.damaged("its tables do not hold its buckets");
  auto router = std::make_shared<Router>(form, std::move(space), std::move(projection), std::move(buckets),
                                         shape.rows, shape.seed);
  router->choose(*codebook_of(shape.sketch_width));
  router->set_hits(open_hits(shape, parts));
  const std::size_t recalls = kShallow * shape.probe_steps * shape.rerank_steps;
  router->set_curve(RecallCurve(Column(parts.get<float>("curve", recalls)), shape.probe_steps,
                                shape.rerank_steps, router->costs(shape.rows), shape.narrowing,
                                open_points(parts)));
  return router;
}

}  // namespace lookalike
