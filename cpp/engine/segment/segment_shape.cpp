#include "engine/segment/segment_shape.hpp"

#include <string>

#include "engine/base/errors.hpp"
#include "engine/recall/recall_curve.hpp"

namespace lookalike {
namespace {

struct ShapeOfVersion1 {
  std::uint64_t rows, dim, seed, next_id;
  std::uint32_t metric;
  std::array<std::uint32_t, 7> of_its_tables;
};
static_assert(sizeof(ShapeOfVersion1) == 64);

struct ShapeOfVersion2 {
  std::uint64_t rows, dim, seed, next_id;
  std::uint32_t metric, asked_buckets, groups, buckets, m, projection, probe_steps, rerank_steps;
  float largest_norm;
  std::uint32_t store, family, asked_tables, tables, digits, last_width;
  float narrowing;
  std::array<std::uint32_t, 5> margins;
  std::uint32_t copies, sketch_width;
  float mean_residual;
};
static_assert(sizeof(ShapeOfVersion2) == 128);

constexpr std::array<std::string_view, 3> kFamiliesOfVersion2 = {"spheres", "hyperplanes", "cross_polytope"};

SegmentShape read(const SegmentFile& file, std::string_view section) {
  if (file.version() > 2) return file.get<SegmentShape>(section, 1)[0];
  SegmentShape shape{};
  const auto take = [&](const auto& old) {
    shape.rows = old.rows;
    shape.dim = old.dim;
    shape.seed = old.seed;
    shape.next_id = old.next_id;
    shape.metric = old.metric;
  };
  shape.family = stored_name(kFamiliesOfVersion2[0]);
  if (file.version() == 1) {
    take(file.get<ShapeOfVersion1>(section, 1)[0]);
    return shape;
  }
  const auto old = file.get<ShapeOfVersion2>(section, 1)[0];
  take(old);
  shape.store = old.store;
  shape.copies = old.copies;
  shape.asked_buckets = old.asked_buckets;
  shape.asked_tables = old.asked_tables;
  if (old.family >= kFamiliesOfVersion2.size()) file.damaged("its shape makes no sense");
  shape.family = stored_name(kFamiliesOfVersion2[old.family]);
  return shape;
}

bool makes_sense(const SegmentShape& shape) {
  constexpr std::uint64_t kMostDims = std::uint64_t{1} << 20;
  return shape.rows < (std::uint64_t{1} << 32) && shape.dim > 0 && shape.dim < kMostDims &&
         (shape.copies == 0 || shape.copies < shape.rows) && shape.asked_tables <= kMaxTables &&
         (shape.store != static_cast<std::uint32_t>(Store::bits) || shape.dim % 8 == 0) &&
         fits(static_cast<Store>(shape.store), static_cast<Metric>(shape.metric)) &&
         family_named(shape.family)->takes(static_cast<Metric>(shape.metric)) &&
         shape.next_id <= std::uint64_t{1} << 63;
}

// A checksum says that it was written so: by a newer lookalike, or by a hostile hand.
void require_known(const SegmentFile& file, const SegmentShape& shape) {
  const auto require = [&](bool known, const std::string& what) {
    if (known) return;
    if (file.version() < 3) file.damaged("its shape makes no sense");
    file.newer(what);
  };
  require(shape.metric < kMetrics, "a metric");
  require(shape.store < kStores, "a store");
  require(family_named(shape.family) != nullptr, "a hash family");
}

RouterShape read_router(const SegmentFile& file, const SegmentShape& segment) {
  RouterShape shape{};
  if (file.version() > 2) {
    if (segment.router == RouterHash{}) return shape;
    if (file.bytes_of("router/shape") == 0) file.newer("a router in another file");
    shape = file.get<RouterShape>("router/shape", 1)[0];
    if (codebook_of(shape.sketch_width) == nullptr) file.newer("sketches");
    return shape;
  }
  if (file.version() == 1) return shape;
  const auto old = file.get<ShapeOfVersion2>("segment", 1)[0];
  shape.rows = old.rows - old.copies;
  shape.dim = RowForm(static_cast<Store>(old.store), static_cast<Metric>(old.metric), old.dim).dim;
  shape.seed = old.seed;
  shape.metric = old.metric;
  shape.buckets = old.buckets;
  shape.tables = old.tables;
  shape.m = old.m;
  shape.projection = old.projection;
  shape.sketch_width = old.sketch_width;
  shape.probe_steps = old.probe_steps;
  shape.rerank_steps = old.rerank_steps;
  shape.margins = old.margins;
  shape.largest_norm = old.largest_norm;
  shape.narrowing = old.narrowing;
  shape.mean_residual = old.mean_residual;
  shape.family = segment.family;
  return shape;
}

}  // namespace

Shape SegmentShape::asked() const {
  return {dim,
          seed,
          next_id,
          static_cast<Metric>(metric),
          asked_buckets,
          static_cast<Store>(store),
          family_named(family),
          asked_tables};
}

SegmentShape segment_shape(const SegmentFile& file, std::string_view section) {
  const SegmentShape shape = read(file, section);
  require_known(file, shape);
  if (!makes_sense(shape)) file.damaged("its shape makes no sense");
  return shape;
}

RouterShape router_shape(const SegmentFile& file, const SegmentShape& segment) {
  const RouterShape shape = read_router(file, segment);
  if (shape.buckets == 0 && file.version() < 3) {
    if (shape.m != 0 || shape.sketch_width != 0) file.damaged("its shape makes no sense");
    return {};
  }
  if (segment.router == RouterHash{} && file.version() > 2) return {};
  const std::uint64_t entries = (segment.rows - segment.copies) * shape.tables;
  const Shape asked = segment.asked();
  const RowForm form(asked.store, asked.metric, asked.dim);
  if (!shape.makes_sense() || entries > UINT32_MAX || shape.metric != segment.metric ||
      shape.dim != form.dim || shape.family != segment.family)
    file.damaged("the shape of its router makes no sense");
  return shape;
}

CodeLayout codes_of_version_2(const SegmentFile& file) {
  const auto old = file.get<ShapeOfVersion2>("segment", 1)[0];
  return {old.tables, old.digits, old.last_width};
}

}  // namespace lookalike
