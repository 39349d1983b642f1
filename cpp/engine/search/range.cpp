// Buckets that cannot hold a row within the radius are left out, the sketches tell the likely rows, exact
// distances decide.
#include "engine/search/range.hpp"

#include <algorithm>
#include <cmath>

#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

// By the triangle inequality no row lies nearer than ‖q − c‖ − radius. The standard error of an estimate is
// that of sketches.hpp with F = 2‖r‖ / (ip √m), where √(1 − ip²) / ip is below 1 for a rotated residual of
// some length.
void gather_within(const Segment& segment, const Query& query, float square, const Allowed* allowed,
                   Scratch& scratch, std::vector<std::uint32_t>& rows) {
  constexpr float kRounding = 1e-4F;
  const Router& router = *segment.router();
  Errand& errand = scratch.errand;
  hash(router, query, scratch);
  const float radius = std::sqrt(std::max(0.0F, square));
  const auto m = static_cast<float>(router.m());
  const auto spread = tuning::kErrorsOfRange * 2.0F / std::sqrt(m - 1.0F);
  for (std::uint32_t bucket = 0; bucket < router.buckets(); ++bucket) {
    if (bucket % 64 == 63 && scratch.stopped()) return;
    // the first table holds every original
    if (segment.sketches().first(bucket) >= segment.originals()) break;
    const Near near{kernels().squared_l2(errand.projected, router.family().centre(bucket), router.m()),
                    bucket};
    const Reach& reach = segment.reach(bucket);
    const float distance = std::sqrt(near.key);
    if (distance - reach.radius > radius + kRounding * (radius + distance)) continue;
    const float limit = square + reach.left_out + spread * reach.radius * distance +
                        kRounding * (square + near.key) + errand.table.step() * m * reach.radius;
    estimate_bucket(segment.sketches(), near, errand, limit);
    for (const std::uint32_t row : errand.candidates.kept())
      if (allowed == nullptr || allowed->originals()[row]) rows.push_back(row);
  }
}

}  // namespace

void within(const Segment& segment, const Query& query, float max_key, const Allowed* allowed, bool exact,
            Scratch& scratch, std::vector<Found>& found) {
  const auto take = [&](std::size_t row, float key) {
    if (key <= max_key)
      segment.take_equals(row, allowed, [&](std::int64_t id) { return found.push_back({key, id}), true; });
  };
  const float square = segment.hashed() ? segment.router()->space().square_of(max_key, query.vector) : 0.0F;
  if (exact || !segment.hashed() || !segment.router()->projection().keeps_distances() ||
      !std::isfinite(square)) {
    const std::size_t originals = segment.originals();
    for (std::size_t begin = 0; begin < originals && !(begin > 0 && scratch.stopped());
         begin += tuning::kRowsBetweenAsking) {
      const std::size_t end = std::min(originals, begin + tuning::kRowsBetweenAsking);
      segment.touch(begin, end);
      segment.stored_originals()
          .part(begin, end)
          .scan(
              QueryBlock::of(query), [max_key](std::size_t) { return max_key; },
              [&](std::size_t, std::size_t row, float key) { take(begin + row, key); });
    }
    return;
  }
  std::vector<std::uint32_t> likely;
  gather_within(segment, query, square, allowed, scratch, likely);
  for (const std::uint32_t row : likely) segment.touch(row, row + std::size_t{1});
  segment.stored().gather(query, likely, take);
}

}  // namespace lookalike
