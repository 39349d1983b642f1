// The hits that are expected in a bucket: the same at all levels, and what the formula says.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/recall/hit_model.hpp"
#include "kernels/dispatch.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kBuckets = 200;

HitTerms terms() {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  HitTerms terms{};
  for (std::size_t i = 0; i < HitModel::kFeatures; ++i) {
    terms.lowest[i] = -3.0F, terms.highest[i] = 6.0F, terms.middle[i] = 0.3F, terms.scale[i] = 0.5F;
  }
  for (float& term : terms.terms) term = normal(random);
  terms.terms[0] = -2.0F;
  return terms;
}

HitModel model() {
  std::mt19937 random(4);
  std::vector<HitModel::Bucket> buckets;
  for (std::size_t i = 0; i < kBuckets; ++i)
    buckets.push_back(
        {std::exp2(static_cast<float>(random() % 64) / 8.0F - 4.0F), static_cast<float>(1 + random() % 100)});
  return {buckets, terms()};
}

std::vector<Near> order(float nearest) {
  std::vector<Near> order;
  for (std::uint32_t i = 0; i < kBuckets; ++i)
    order.push_back(
        {nearest + 0.05F * static_cast<float>(i), (i * 77) % static_cast<std::uint32_t>(kBuckets)});
  return order;
}

double expected(const HitModel& model, const Near& near, std::size_t rank, float e) {
  const HitTerms by = model.terms();
  const auto features = model.features(near, rank, e);
  std::array<double, HitModel::kFeatures> standard{};
  for (std::size_t i = 0; i < standard.size(); ++i)
    standard[i] = double{(std::clamp(features[i], by.lowest[i], by.highest[i]) - by.middle[i]) * by.scale[i]};
  const auto products = HitModel::products(standard);
  double log_hits = 0.0;
  for (std::size_t term = 0; term < products.size(); ++term)
    log_hits += double{by.terms[term]} * products[term];
  return double{model.buckets()[near.bucket].rows} * std::exp2(std::clamp(log_hits, -100.0, 0.0));
}

}  // namespace

TEST(hits_are_what_the_regression_says) {
  const HitModel model = ::model();
  HitModel::Room room;
  for (const float nearest : {0.0F, 0.5F, 300.0F})
    for (const float e : {1e-12F, 0.7F, 250.0F}) {
      const auto buckets = order(nearest);
      const auto hits = model.expect(buckets, e, e, room);
      CHECK(hits.size() == kBuckets);
      for (std::size_t i = 0; i < kBuckets; ++i) {
        const double right = expected(model, buckets[i], i + 1, e);
        CHECK(std::abs(double{hits[i]} - right) <= 2e-3 * right + 1e-25, i, hits[i], right);
      }
    }
}

TEST(hits_are_the_same_at_all_levels) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> some(0.01F, 20.0F);
  constexpr std::size_t kMost = 70;
  std::vector<std::vector<float>> in(5, std::vector<float>(kMost + kept_slack, 1.0F));
  for (auto& each : in)
    for (float& value : each) value = some(random);
  const HitInputs inputs{in[0].data(), in[1].data(), in[2].data(), in[3].data(), in[4].data()};
  for (const std::size_t n : {1U, 3U, 16U, 17U, 70U}) {
    std::vector<float> first(kMost + kept_slack), other(kMost + kept_slack);
    kernels_for("scalar")->expected_hits(terms(), 1.3F, inputs, n, first.data());
    for (const std::string_view level : available_levels()) {
      kernels_for(level)->expected_hits(terms(), 1.3F, inputs, n, other.data());
      CHECK(std::memcmp(first.data(), other.data(), n * sizeof(float)) == 0, level, n);
    }
  }
}

TEST(other_ranks_may_be_given) {
  const HitModel model = ::model();
  HitModel::Room room;
  const auto buckets = order(1.0F);
  const std::vector<float> first(kBuckets + kept_slack, 0.0F);  // each is the first
  const auto hits = model.expect(buckets, 2.0F, 2.0F, room, first.data());
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const double right = expected(model, buckets[i], 1, 2.0F);
    CHECK(std::abs(double{hits[i]} - right) <= 2e-3 * right + 1e-25, i);
  }
}

TEST(within_more_than_is_usual_no_fewer_are_expected) {
  const HitModel model = ::model();
  HitModel::Room room;
  const auto buckets = order(1.0F);
  for (const auto& [e, usual] : {std::pair{6.0F, 0.7F}, {1.5F, 0.7F}, {0.5F, 0.7F}}) {
    const auto hits = model.expect(buckets, e, usual, room);
    for (std::size_t i = 0; i < kBuckets; ++i) {
      const double own = expected(model, buckets[i], i + 1, e);
      const double right = usual < e ? std::max(own, expected(model, buckets[i], i + 1, usual)) : own;
      CHECK(std::abs(double{hits[i]} - right) <= 2e-3 * right + 1e-25, i, e);
    }
  }
}

TEST(a_query_goes_on_until_few_hits_are_left) {
  const std::vector<float> hits = {8.0F, 1.0F, 0.5F, 0.25F, 0.25F, 0.0F};
  CHECK(enough(hits, 1, 8.0F, 0.0F, 0.0F) == 5 && enough(hits, 1, 8.0F, 0.3F, 0.0F) == 4);
  CHECK(enough(hits, 1, 8.0F, 1.0F, 0.0F) == 2 && enough(hits, 1, 8.0F, 2.0F, 0.0F) == 1);
  CHECK(enough(hits, 1, 16.0F, 1.0F, 0.0F) == 3);  // about twice as many were met as were expected
  CHECK(enough(hits, 1, 3.0F, 1.0F, 0.0F) == 1);
  CHECK(enough(hits, 1, 8.0F, 1.0F, 0.6F) == 4 && enough(hits, 1, 8.0F, 1.0F, 1.5F) == 6);
}

TEST(what_was_met_corrects_what_is_expected_the_more_the_more_it_is) {
  const std::vector<float> expected = {1e-9F};
  const auto near = [](float one, float other) { return std::abs(one / other - 1.0F) < 1e-3F; };
  CHECK(near(correction(expected, 1.0F), std::sqrt(1e9F)) &&
        near(correction(expected, 1e4F), 1e13F * 0.997F));
  CHECK(near(correction(std::vector{8.0F}, 8.0F), 1.0F));
  CHECK(near(correction(std::vector{8.0F}, 1.0F), 0.35355F));
  CHECK(correction(std::vector{800.0F}, 8.0F) == 1.0F / 3.0F);  // no less
  CHECK(correction({}, 10.0F) > 1e20F);
}

TEST(hits_beyond_those_that_are_looked_at_fall_as_before) {
  const std::vector<float> falling = {8.0F,  4.0F,  1.0F,  1.0F,
                                      0.25F, 0.25F, 0.25F, 0.25F};  // by octave: 4, 2, 1
  CHECK(beyond(falling, 8) == 0.0F && beyond(falling, 16) == 0.5F && beyond(falling, 64) == 0.875F);
  CHECK(beyond(falling, 12) == 0.25F);
  const std::vector<float> even(8, 0.5F), none(8, 0.0F);
  CHECK(beyond(even, 100) == 46.0F && beyond(none, 100) == 0.0F && beyond({}, 100) == 0.0F);
  std::vector<float> rising(8, 0.0F);
  rising.back() = 1.0F;
  CHECK(beyond(rising, 16) == 2.0F);  // no more than twice as many
}
