// Trying what the margins say: by the search itself, with rows that were held out as its queries.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "engine/recall/margin_tally.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {
namespace {

/// A step that says this recall, and by how much less it finds.
struct Shortfall {
  float recall;
  float by;
};

// Interpolated between the steps that were tried; beyond them that of the last one.
float shortfall_at(std::span<const Shortfall> tried, float recall) {
  if (tried.empty()) return 0.0F;
  const auto above = std::ranges::lower_bound(tried, recall, {}, &Shortfall::recall);
  if (above == tried.begin()) return above->by;
  if (above == tried.end()) return tried.back().by;
  const Shortfall& below = *std::prev(above);
  return std::lerp(below.by, above->by, (recall - below.recall) / (above->recall - below.recall));
}

// The steps with their recalls corrected, without those that find no more than a cheaper one, and what each
// of them said before.
struct Corrected {
  std::vector<Margins::Step> steps;
  std::vector<float> said;

  Corrected(std::span<const Margins::Step> all, std::span<const Shortfall> tried) {
    constexpr float kHardlyAny = 1e-6F;  // so that one is left
    for (const Margins::Step& each : all) {
      const float recall = std::max(kHardlyAny, each.recall - shortfall_at(tried, each.recall));
      if (!steps.empty() && recall <= steps.back().recall) continue;
      steps.push_back(each);
      steps.back().recall = recall;
      said.push_back(each.recall);
    }
  }
};

// How many of the k nearest were found, by distance: among several equally far any will do.
std::size_t met(std::span<const Found> found, std::span<const Found> truth, std::size_t k) {
  constexpr float kRounding = 1e-5F;
  if (k == 0) return 0;
  const float kth = truth[k - 1].key;
  const auto near = std::ranges::count_if(
      found, [&](const Found& each) { return each.key <= kth + kRounding * std::abs(kth); });
  return std::min(k, static_cast<std::size_t>(near));
}

// Of the neighbours that a level counts (margin_tally.cpp).
double share_found(std::span<const Found> found, std::span<const Found> truth, std::size_t level) {
  const std::size_t k = std::min(kMeasuredAt[level], truth.size());
  const std::size_t nearer = kMeasuredAt[level] > MarginTally::kAllCount ? k / 2 : 0;
  if (k == nearer) return 1.0;  // of a hostile file
  return static_cast<double>(met(found, truth, k) - met(found, truth, nearer)) /
         static_cast<double>(k - nearer);
}

}  // namespace

// First the steps for .95 and .99 are tried. If one finds less than it says, so are those for other common
// recalls, and then those that these recalls take once they are corrected. Where no step is left that finds
// what is asked for, all rows are compared.
Margins Measurer::verified(const Margins& margins, float narrowing, const QueryBlock& queries,
                           std::span<const std::uint32_t> own_rows, const Truths& truths) const {
  constexpr int kRounds = 5;
  constexpr std::array kFirst = {0.95F, 0.99F};
  constexpr std::array kAll = {0.8F, 0.9F, 0.95F, 0.99F, 1.0F};
  Bits bits(segment_.rows(), false);  // a copy takes no place among the neighbours
  for (std::size_t row = 0; row < segment_.originals(); ++row) bits.set(row);
  const Trial trial{queries, own_rows, truths, narrowing, Allowed(bits, segment_.copies())};
  Margins::Levels levels = margins.levels();
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const std::vector<Margins::Step>& steps = margins.levels()[level];
    if (steps.empty()) continue;
    std::vector<Shortfall> tried;
    for (int round = 0; round < kRounds; ++round) {
      const std::size_t before = tried.size();
      const Corrected corrected(steps, tried);
      for (const float recall : round == 0 ? std::span<const float>(kFirst) : std::span<const float>(kAll)) {
        auto at = std::ranges::lower_bound(corrected.steps, recall, {}, &Margins::Step::recall);
        if (at == corrected.steps.end()) --at;
        const float said = corrected.said[static_cast<std::size_t>(at - corrected.steps.begin())];
        const auto place = std::ranges::lower_bound(tried, said, {}, &Shortfall::recall);
        if (place != tried.end() && place->recall == said) continue;
        const auto step = std::ranges::lower_bound(steps, said, {}, &Margins::Step::recall);
        tried.insert(place, {said, shortfall(*step, level, trial)});
      }
      const bool all_hold = std::ranges::all_of(tried, [](const Shortfall& each) { return each.by == 0.0F; });
      if (all_hold || tried.size() == before) break;
    }
    levels[level] = Corrected(steps, tried).steps;
  }
  return Margins(std::move(levels));
}

// By how much less than a step says is found: nothing where that may be chance. The queries are taken from
// all over, since those that are given may be in some order.
float Measurer::shortfall(const Margins::Step& step, std::size_t level, const Trial& trial) const {
  constexpr std::size_t kTried = 400, kTriedForFew = 1000, kFew = 3;  // queries; of few neighbours
  constexpr std::size_t kAtOnce = 16;
  constexpr double kErrors = 2.0;
  constexpr double kProducts = 1e8, kLeast = 40.0;  // some hundredths of a second; queries
  const std::size_t given = trial.queries.count;
  const double compared =
      std::min(double{step.rerank}, double{trial.narrowing} * static_cast<double>(kMeasuredAt[level]) + 8.0);
  const double products = static_cast<double>(segment_.form().dim) * compared +
                          static_cast<double>(router_.m()) / 16.0 * step.probes *
                              static_cast<double>(segment_.originals()) / router_.buckets();
  const std::size_t count =
      std::min({given, kMeasuredAt[level] <= kFew ? kTriedForFew : kTried,
                static_cast<std::size_t>(std::max(kLeast, kProducts / std::max(products, 1.0)))});
  Visit visit;
  visit.budget = step.budget();
  visit.budget.narrowing = trial.narrowing;
  visit.k = visit.depth = kMeasuredAt[level];
  std::vector<double> shares(count);  // in the order of the queries: the same sum for any number of threads
  parallel_for(count, kAtOnce, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    TopK nearest;
    Stages stages;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t q = i * given / count;
      const Allowed others = trial.originals.without(
          trial.own_rows.empty() ? trial.own_rows : trial.own_rows.subspan(q, 1), segment_.copies());
      stages = {};
      nearest.reset(visit.k, std::numeric_limits<float>::infinity());
      RoutedSearch(segment_, &others)
          .search(trial.queries.part(q, 1), visit, scratch, {&nearest, 1}, {&stages, 1});
      shares[i] = share_found(nearest.sorted(), trial.truths[q], level);
    }
  });
  double sum = 0.0, squares = 0.0;
  for (const double share : shares) sum += share, squares += share * share;
  const auto asked = static_cast<double>(count), found = sum / asked;
  const double error = std::sqrt(std::max(0.0, squares / asked - found * found) / asked);
  const double by = double{step.recall} - found;
  return by > kErrors * error ? static_cast<float>(std::min(by + error, double{step.recall})) : 0.0F;
}

}  // namespace lookalike
