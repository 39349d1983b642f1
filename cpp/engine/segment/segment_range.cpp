// Every row within a radius: buckets that cannot hold one are left out, the sketches tell the likely rows,
// exact distances decide.
#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/segment/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kRowsAtATime = 8192;  // compared before it is asked whether to stop

}  // namespace

void Segment::within(const Query& query, float max_key, const Allowed* allowed, bool exact, Scratch& scratch,
                     std::vector<Found>& found) const {
  const auto take = [&](std::size_t row, float key) {
    if (key <= max_key)
      take_equals(row, allowed, [&](std::int64_t id) { return found.push_back({key, id}), true; });
  };
  const float square = hashed() ? space_.square_of(max_key, query.vector) : 0.0F;
  if (exact || !hashed() || !projection_.keeps_distances() || !std::isfinite(square)) {
    for (std::size_t begin = 0; begin < originals_ && !(begin > 0 && scratch.stopped());
         begin += kRowsAtATime) {
      const std::size_t end = std::min(originals_, begin + kRowsAtATime);
      touch(begin, end);
      stored_originals()
          .part(begin, end)
          .scan(
              QueryBlock::of(query), [max_key](std::size_t) { return max_key; },
              [&](std::size_t, std::size_t row, float key) { take(begin + row, key); });
    }
    return;
  }
  std::vector<std::uint32_t> likely;
  gather_within(query, square, allowed, scratch, likely);
  for (const std::uint32_t row : likely) touch(row, row + std::size_t{1});
  stored().gather(query, likely, take);
}

// By the triangle inequality no row lies nearer than ‖q − c‖ − radius. The standard error of an estimate is
// that of sketches.hpp with F = 2‖r‖ / (ip √m), where √(1 − ip²) / ip is below 1 for a rotated residual of
// some length.
void Segment::gather_within(const Query& query, float square, const Allowed* allowed, Scratch& scratch,
                            std::vector<std::uint32_t>& rows) const {
  constexpr float kStandardErrors = 4.0F;
  constexpr float kRounding = 1e-4F;
  Errand& errand = scratch.errand;
  hash(query, scratch);
  const float radius = std::sqrt(std::max(0.0F, square));
  const auto spread = kStandardErrors * 2.0F / std::sqrt(static_cast<float>(projection_.m()) - 1.0F);
  for (std::uint32_t bucket = 0; bucket < buckets(); ++bucket) {
    if (bucket % 64 == 63 && scratch.stopped()) return;
    if (sketches_->first(bucket) >= originals_) break;  // the first table holds every original
    const Near near{kernels().squared_l2(errand.projected, family_->centre(bucket), projection_.m()), bucket};
    const Reach& reach = reaches_[near.bucket];
    const float distance = std::sqrt(near.key);
    if (distance - reach.radius > radius + kRounding * (radius + distance)) continue;
    const float limit = square + reach.left_out + spread * reach.radius * distance +
                        kRounding * (square + near.key) +
                        errand.table.step() * static_cast<float>(projection_.m()) * reach.radius;
    estimate_bucket(near, errand, limit);
    for (const std::uint32_t row : errand.candidates.kept())
      if (allowed == nullptr || allowed->originals()[row]) rows.push_back(row);
  }
}

}  // namespace lookalike
