#include "engine/recall/hit_model.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/tuning.hpp"

namespace lookalike {
namespace {

constexpr float kLeast = 1e-30F;         // of what is divided by
constexpr double kAsGoodAsEqual = 1e-6;  // a squared distance, beside r²

}  // namespace

HitModel::HitModel(std::span<const Bucket> buckets, const HitTerms& terms)
    : buckets_(buckets.begin(), buckets.end()), terms_(terms) {
  double sum = 0.0, rows = 0.0;
  for (const Bucket& each : buckets_) {
    sum += double{each.spread} * double{each.rows};
    rows += double{each.rows};
    log_spreads_.push_back(std::log2(each.spread));
  }
  least_ = std::max(kLeast, static_cast<float>(kAsGoodAsEqual * sum / std::max(rows, 1.0)));
}

bool HitModel::make_sense(std::span<const Bucket> buckets, const HitTerms& terms) {
  const auto finite = [](const auto& values) {
    return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
  };
  return finite(terms.lowest) && finite(terms.highest) && finite(terms.middle) && finite(terms.scale) &&
         finite(terms.terms) && std::ranges::all_of(buckets, [](const Bucket& each) {
           return each.spread > 0.0F && std::isfinite(each.spread) && each.rows >= 0.0F && each.rows < 4.3e9F;
         });
}

HitModel::Features HitModel::features(const Near& near, std::size_t rank, float e) const {
  const float spread = buckets_[near.bucket].spread, distance = std::max(near.key, kLeast);
  e = std::max(e, least_);
  return {(distance + spread - e) / (2.0F * std::sqrt(distance) * std::sqrt(spread)), std::log2(distance / e),
          std::log2(spread / e), std::log2(static_cast<float>(rank))};
}

std::array<double, HitModel::kTerms> HitModel::products(const std::array<double, kFeatures>& x) {
  std::array<double, kTerms> products{1.0};
  std::size_t term = 1;
  for (const double one : x) products[term++] = one;
  for (std::size_t i = 0; i < kFeatures; ++i)
    for (std::size_t j = i; j < kFeatures; ++j) products[term++] = x[i] * x[j];
  return products;
}

// First what lies anywhere in memory, then the arithmetic, many buckets at a time.
std::span<float> HitModel::expect(std::span<const Near> order, float e, float usual, Room& room,
                                  const float* log_ranks) const {
  const std::size_t count = order.size();
  if (room.hits.size() < count + kept_slack) {
    const std::size_t size = 2 * count + kept_slack;
    for (std::vector<float>* each :
         {&room.distance, &room.spread, &room.log_spread, &room.rows, &room.hits, &room.fewer})
      each->resize(size);
    while (room.log_rank.size() < size)
      room.log_rank.push_back(std::log2(static_cast<float>(room.log_rank.size() + 1)));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Bucket& bucket = buckets_[order[i].bucket];
    room.distance[i] = order[i].key;
    room.spread[i] = bucket.spread;
    room.log_spread[i] = log_spreads_[order[i].bucket];
    room.rows[i] = bucket.rows;
  }
  const HitInputs in{room.distance.data(), room.spread.data(), room.log_spread.data(), room.rows.data(),
                     log_ranks != nullptr ? log_ranks : room.log_rank.data()};
  kernels().expected_hits(terms_, std::max(e, least_), in, count, room.hits.data());
  if (usual < e) {
    kernels().expected_hits(terms_, std::max(usual, least_), in, count, room.fewer.data());
    for (std::size_t i = 0; i < count; ++i) room.hits[i] = std::max(room.hits[i], room.fewer[i]);
  }
  return std::span(room.hits).first(count);
}

float correction(std::span<const float> visited, float met) {
  const float expected = std::accumulate(visited.begin(), visited.end(), 0.0F);
  const float errs = tuning::kModelErrs / (tuning::kModelErrs + 1.0F / met);
  return std::max(std::pow(met / std::max(expected, kLeast), errs), 1.0F / tuning::kMostDivided);
}

float beyond(std::span<const float> hits, std::size_t buckets) {
  const auto last = hits.last(hits.size() / 2), before = hits.last(hits.size() - hits.size() / 4);
  float octave = std::accumulate(last.begin(), last.end(), 0.0F);
  const float half =
      std::accumulate(before.begin(), before.end() - static_cast<std::ptrdiff_t>(last.size()), 0.0F);
  constexpr float kEven = 2.0F;  // as many in each bucket
  const float times = octave < kEven * half ? octave / half : kEven;
  float sum = 0.0F;
  for (std::size_t begin = hits.size(); begin > 0 && begin < buckets; begin *= 2) {
    octave *= times;
    sum += octave * std::min(1.0F, static_cast<float>(buckets - begin) / static_cast<float>(begin));
  }
  return sum;
}

std::size_t enough(std::span<const float> hits, std::size_t begin, float met, float left, float beyond) {
  const float most = left / correction(hits.first(begin), met);
  float behind = beyond;
  std::size_t end = hits.size();
  while (end > begin && behind + hits[end - 1] <= most) behind += hits[--end];
  return end;
}

}  // namespace lookalike
