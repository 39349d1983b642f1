// Trying what the operating points say: by the search itself.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/recall/measured_share.hpp"
#include "engine/recall/point_tally.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/compare.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

/// A point that says this recall, and by how much less it finds.
struct Shortfall {
  float recall;
  float by;
};

// A step through so many that visits each once, whose first ones, however many, are from all over: by the
// golden ratio.
std::size_t spreading_step(std::size_t count) {
  auto step = static_cast<std::size_t>(0.618 * static_cast<double>(count));
  while (std::gcd(step, count) > 1) ++step;
  return step;
}

// Interpolated between the points that were tried; beyond them that of the last one.
float shortfall_at(std::span<const Shortfall> tried, float recall) {
  if (tried.empty()) return 0.0F;
  const auto above = std::ranges::lower_bound(tried, recall, {}, &Shortfall::recall);
  if (above == tried.begin()) return above->by;
  if (above == tried.end()) return tried.back().by;
  const Shortfall& below = *std::prev(above);
  return std::lerp(below.by, above->by, (recall - below.recall) / (above->recall - below.recall));
}

// The points with their recalls corrected, without those that find no more than a cheaper one, and what each
// of them said before.
struct Corrected {
  OperatingPoints::Points points;
  std::vector<float> said;

  Corrected(std::span<const OperatingPoints::Point> all, std::span<const Shortfall> tried) {
    for (const OperatingPoints::Point& each : all) {
      const float recall = std::max(Budget::kUnknown, each.recall - shortfall_at(tried, each.recall));
      if (!points.empty() && recall <= points.back().recall) continue;
      points.push_back(each);
      points.back().recall = recall;
      said.push_back(each.recall);
    }
  }

  // What the choice says, before it was corrected, that is taken for this recall.
  float said_for(float recall) const {
    const auto above = std::ranges::lower_bound(points, recall, {}, &OperatingPoints::Point::recall);
    if (above == points.end()) return said.back();
    const auto at = static_cast<std::size_t>(above - points.begin());
    if (at == 0 || points[at - 1].recall <= Budget::kUnknown) return said[at];
    const float part = (recall - points[at - 1].recall) / (above->recall - points[at - 1].recall);
    return std::lerp(said[at - 1], said[at], part);
  }
};

}  // namespace

// Between two k at which all that was measured holds, it is taken to hold.
void Measurer::verify(OperatingPoints::Levels& levels, float narrowing, std::span<const Sample> kinds) const {
  const Allowed every_row(Bits(segment_.rows(), true), segment_.copies());
  const bool long_rows = segment_.form().dim >= tuning::kDimOfLongRows;
  std::vector<Trial> trials;
  for (const Sample& kind : kinds)
    trials.push_back({kind, every_row, std::vector<Known>(long_rows ? kind.queries.count : 0)});
  std::array<std::optional<bool>, kMeasuredAt.size()> hold;
  const auto neighbours = [&](std::size_t at, bool value) {
    return (at > 0 && hold[at - 1] == value) || (at + 1 < hold.size() && hold[at + 1] == value);
  };
  for (const std::size_t first : {0, 1})
    for (std::size_t at = first; at < levels.size(); at += 2)
      if (!levels[at].empty() && (!neighbours(at, true) || neighbours(at, false)))
        hold[at] = correct(levels[at], at, narrowing, trials);
}

// First the points for some recalls are tried. If one finds less than it says, so are those for other common
// ones, and then those that these recalls take once they are corrected. Whether all find what they say.
bool Measurer::correct(OperatingPoints::Level& level, std::size_t at, float narrowing,
                       std::span<Trial> trials) const {
  using ByDegree = std::array<std::vector<Shortfall>, Budget::kDegrees>;
  const OperatingPoints::Level measured = level;
  ByDegree tried;
  bool hold = true;
  for (int round = 0; round < tuning::kTrialRounds; ++round) {
    bool all_hold = true, any_new = false;
    const ByDegree before = tried;  // so that the degrees of a budget are for the same recall
    for (const float recall : round == 0 ? std::span<const float>(tuning::kFirstTried)
                                         : std::span<const float>(tuning::kLaterTried)) {
      Budget budget;
      budget.error = measured.error;
      budget.usual_e = measured.usual_e;
      budget.narrowing = narrowing;
      std::array<float, Budget::kDegrees> said{};
      bool known = true;
      for (std::size_t degree = 0; degree < said.size(); ++degree) {
        const OperatingPoints::Points& all = measured.points[degree];
        said[degree] = Corrected(all, before[degree]).said_for(recall);
        const OperatingPoints::Point point = OperatingPoints::choice(all, double{said[degree]});
        budget.limits[degree] = {point.left, point.missed, point.recall};
        if (degree == 0) {
          budget.probes = static_cast<std::uint32_t>(std::lround(std::max(1.0F, point.probes)));
          budget.rerank = static_cast<std::uint32_t>(std::lround(point.rerank));
        }
        known = known && std::ranges::any_of(tried[degree], [&](const Shortfall& each) {
                  return std::abs(each.recall - said[degree]) <= tuning::kTriedWithin * (1.0F - each.recall);
                });
      }
      if (known) continue;
      any_new = true;
      const auto by = shortfalls(budget, at, trials);
      for (std::size_t degree = 0; degree < said.size(); ++degree) {
        all_hold = all_hold && by[degree] == 0.0F;
        auto& here = tried[degree];
        const auto place = std::ranges::lower_bound(here, said[degree], {}, &Shortfall::recall);
        if (place == here.end() || place->recall != said[degree])
          here.insert(place, {said[degree], by[degree]});
        else
          place->by = std::max(place->by, by[degree]);
      }
    }
    hold = hold && all_hold;
    if (all_hold || !any_new) break;
  }
  for (std::size_t degree = 0; degree < tried.size(); ++degree)
    level.points[degree] = Corrected(measured.points[degree], tried[degree]).points;
  return hold;
}

// Of the k nearest rows, copies among them, by distance: among several equally far any will do.
double Measurer::share_found(std::span<const Found> found, std::span<const Found> truth,
                             std::size_t level) const {
  constexpr float kRounding = 1e-5F;
  const std::size_t k = std::min(kMeasuredAt[level], truth.size());
  if (k == 0) return 1.0;  // of a hostile file
  std::size_t last = 0;
  for (std::size_t rows = rows_of(truth[0]); rows < k;) rows += rows_of(truth[++last]);
  const float kth = truth[last].key;
  const auto near = static_cast<std::size_t>(std::ranges::count_if(
      found, [&](const Found& each) { return each.key <= kth + kRounding * std::abs(kth); }));
  return static_cast<double>(std::min(k, near)) / static_cast<double>(k);
}

// By how much less than a budget says is found, by degree, of the kind that finds least: nothing where that
// may be chance.
std::array<float, Budget::kDegrees> Measurer::shortfalls(const Budget& budget, std::size_t level,
                                                         std::span<Trial> trials) const {
  const double some = enough_queries(level);
  struct Sum {
    double queries = 0.0, found = 0.0, squares = 0.0;

    void add(const Sum& other) { queries += other.queries, found += other.found, squares += other.squares; }
    MeasuredShare share() const {
      const double mean = found / queries;
      return {mean, std::max(0.0, squares / queries - mean * mean) / queries};
    }
  };
  std::array<std::vector<MeasuredShare>, Budget::kDegrees> shares;
  std::array<Sum, Budget::kDegrees> others{};  // few of several kinds count together
  for (Trial& trial : trials) {
    std::array<Sum, Budget::kDegrees> sums{};
    for (const Tried& each : tried(budget, level, trial))
      sums[each.degree].add({1.0, each.found, each.found * each.found});
    for (std::size_t degree = 0; degree < sums.size(); ++degree) {
      if (sums[degree].queries >= some)
        shares[degree].push_back(sums[degree].share());
      else
        others[degree].add(sums[degree]);
    }
  }
  std::array<float, Budget::kDegrees> by{};
  for (std::size_t degree = 0; degree < shares.size(); ++degree) {
    if (others[degree].queries >= some) shares[degree].push_back(others[degree].share());
    const double said = double{budget.limits[degree].recall};
    if (!shares[degree].empty() && said > least_of(shares[degree], -tuning::kErrors))
      by[degree] = static_cast<float>(std::min(said, said - least_of(shares[degree], tuning::kErrors)));
  }
  return by;
}

// Of ascending originals.
std::vector<std::uint32_t> Measurer::with_copies(std::span<const std::uint32_t> originals) const {
  std::vector<std::uint32_t> rows(originals.begin(), originals.end());
  for (const std::uint32_t original : originals)
    for (auto [row, last] = segment_.copies().of(original); row < last; ++row) rows.push_back(row);
  return rows;
}

// Some queries tell what one costs, and so how many more there are.
std::vector<Measurer::Tried> Measurer::tried(const Budget& budget, std::size_t level, Trial& trial) const {
  const double least = level < kShallow ? tuning::kLeastTried : enough_queries(level);  // queries
  // those of which so many neighbours are known
  std::vector<std::size_t> able;
  const auto& [queries, without, truths] = trial.sample;
  const std::size_t neighbours = std::min(kMeasuredAt[level], truths.front().size());
  for (std::size_t q = 0; q < queries.count; ++q)
    if (truths[q].size() >= std::min(neighbours, segment_.originals() - trial.sample.without_of(q).size()))
      able.push_back(q);
  const double most = std::max(
      least, std::min(static_cast<double>(level == 0 ? tuning::kQueriesMeasured : tuning::kQueriesTried),
                      tuning::kNeighboursTried / static_cast<double>(kMeasuredAt[level])));
  const auto up_to = [&](double count) { return std::min(able.size(), static_cast<std::size_t>(count)); };
  const std::size_t step = spreading_step(able.size());
  const RecallCurve::Costs costs = router_.costs(segment_.originals());
  Visit visit;
  visit.budget = budget;
  visit.k = kMeasuredAt[level];
  std::vector<Tried> tried;  // in the order of the queries: the same sums for any number of threads
  std::vector<double> cost;
  const auto try_up_to = [&](std::size_t count) {
    const std::size_t first = tried.size();
    tried.resize(count);
    cost.resize(count);
    const std::size_t piece = piece_of(count - first, tuning::kPieceForThread, threads_);
    parallel_for(count - first, piece, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
      Scratch scratch;
      TopK nearest;
      Stages stages;
      for (std::size_t i = first + begin; i < first + end; ++i) {
        const std::size_t q = able[i * step % able.size()];
        const Allowed others = trial.all.without(with_copies(trial.sample.without_of(q)), segment_.copies());
        stages = {};
        scratch.known = trial.known.empty() ? nullptr : &trial.known[q];
        nearest.reset(visit.k, std::numeric_limits<float>::infinity());
        RoutedSearch(segment_, &others)
            .search(queries.part(q, 1), visit, scratch, {&nearest, 1}, {&stages, 1});
        tried[i] = {Budget::degree(scratch.errand.e, budget.usual_e),
                    share_found(nearest.kept(), truths[q], level)};
        cost[i] = stages.probes * costs.probe + stages.candidates * costs.rerank +
                  cost_of_comparing(segment_, stages.reranked);
      }
    });
  };
  try_up_to(up_to(least));
  const double of_all = std::accumulate(cost.begin(), cost.end(), 0.0);
  const double affordable = tuning::kCostOfTrial * static_cast<double>(cost.size()) / std::max(of_all, 1.0);
  try_up_to(up_to(std::clamp(affordable, least, most)));
  return tried;
}

}  // namespace lookalike
