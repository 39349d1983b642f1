#include "engine/segment/stored_shape.hpp"

#include "engine/hash/families.hpp"
#include "engine/recall/recall_curve.hpp"

namespace lookalike {
namespace {

struct ShapeOfVersion1 {
  std::uint64_t rows, dim, seed, next_id;
  std::uint32_t metric;
  std::array<std::uint32_t, 7> of_its_tables;
};
static_assert(sizeof(ShapeOfVersion1) == 64);

// As many tables as the family may have, codes of a layout that it can have, no more buckets than entries.
bool hash_makes_sense(const StoredShape& shape) {
  const auto family = static_cast<Family>(shape.family);
  if (shape.family >= kFamilies || shape.groups > shape.buckets || shape.asked_tables > kMaxTables)
    return false;
  if (shape.buckets == 0) return true;
  const std::uint64_t entries = (shape.rows - shape.copies) * shape.tables;
  if (shape.tables < 1 || shape.tables > kMaxTables || entries > UINT32_MAX || shape.buckets > entries)
    return false;
  if (family == Family::spheres) return shape.groups > 0 && shape.tables == 1;
  const std::size_t codes = codes_of(family, {shape.tables, shape.digits, shape.last_width}, shape.m);
  return shape.groups == 0 && codes > 0 && codes * shape.tables <= UINT32_MAX;
}

bool makes_sense(const StoredShape& shape) {
  constexpr std::uint64_t kMostDims = std::uint64_t{1} << 20;
  return shape.rows < (std::uint64_t{1} << 32) && shape.dim > 0 && shape.dim < kMostDims &&
         (shape.copies == 0 || shape.copies < shape.rows) && shape.metric < kMetrics &&
         shape.store < kStores &&
         (shape.store != static_cast<std::uint32_t>(Store::bits) || shape.dim % 8 == 0) &&
         fits(static_cast<Store>(shape.store), static_cast<Metric>(shape.metric)) &&
         shape.next_id <= std::uint64_t{1} << 63 && shape.projection <= 1 &&
         shape.m <= Projection::kMaxWidth && shape.m % 4 == 0 && (shape.buckets == 0) == (shape.m == 0) &&
         (shape.buckets == 0 ? shape.sketch_width == 0 : codebook_of(shape.sketch_width) != nullptr) &&
         hash_makes_sense(shape) && shape.probe_steps <= RecallCurve::kMostSteps &&
         shape.rerank_steps <= RecallCurve::kMostSteps;
}

StoredShape read(const SegmentFile& file, Section which) {
  if (file.version() != 1) return file.get<StoredShape>(which, 1)[0];
  const auto stored = file.get<ShapeOfVersion1>(which, 1)[0];
  StoredShape shape{};
  shape.rows = stored.rows;
  shape.dim = stored.dim;
  shape.seed = stored.seed;
  shape.next_id = stored.next_id;
  shape.metric = stored.metric;
  return shape;
}

}  // namespace

Shape StoredShape::asked() const {
  return {dim,
          seed,
          next_id,
          static_cast<Metric>(metric),
          asked_buckets,
          static_cast<Store>(store),
          static_cast<Family>(family),
          asked_tables};
}

StoredShape stored_shape(const SegmentFile& file, Section which) {
  const StoredShape shape = read(file, which);
  if (!makes_sense(shape)) file.damaged("its shape makes no sense");
  return shape;
}

}  // namespace lookalike
