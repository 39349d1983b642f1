#include "engine/recall/margin_tally.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/base/rank_in.hpp"

namespace lookalike {
namespace {

using Way = Ways::Way;

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Margins that leave out falling shares of the neighbours that these courses meet, from half to 0.1 %.
std::vector<float> probe_margins(std::span<const Course> courses, std::size_t level) {
  constexpr double kSteps = 40, kHalvings = 10;
  std::vector<float> needed;
  for (const Course& course : courses)
    for (const Course::Neighbour& neighbour : course.neighbours_at(level)) {
      if (neighbour.bucket == Course::kNever) continue;
      const float margin = course.centres[neighbour.bucket] - course.known_at(level, neighbour.bucket);
      if (std::isfinite(margin)) needed.push_back(margin);
    }
  std::sort(needed.begin(), needed.end());
  std::vector<float> margins;
  for (double step = 1; step <= kSteps && !needed.empty(); ++step) {
    const double share = 1.0 - std::exp2(-kHalvings * step / kSteps);
    margins.push_back(needed[static_cast<std::size_t>(share * static_cast<double>(needed.size()))]);
  }
  margins.push_back(needed.empty() ? 0.0F : needed.back());
  margins.erase(std::unique(margins.begin(), margins.end()), margins.end());
  return margins;
}

std::vector<float> probe_caps() {
  constexpr int kOctaves = 12, kPerOctave = 4;
  std::vector<float> caps;
  for (int i = 0; i <= kOctaves * kPerOctave; ++i)
    caps.push_back(std::exp2(static_cast<float>(i) / float{kPerOctave}));
  return caps;
}

// A query unlike the sample may need more probes than the sample tells: of ways that cost about the same, the
// one with the larger cap.
double weighed(double probes, float cap) {
  constexpr double kPerDoubling = 0.02;
  return probes * (1.0 - kPerDoubling * std::log2(double{cap}));
}

struct Outcome {
  Way way;
  double probes = 0;
  double met = 0;
};

// What each pair of a margin and a cap costs these courses, and brings.
std::vector<Outcome> outcomes(std::span<const Course> courses, std::size_t level, float typical) {
  const std::vector<float> margins = probe_margins(courses, level), caps = probe_caps();
  std::vector<Outcome> outcomes;
  for (const float margin : margins)
    for (const float cap : caps) outcomes.push_back({{margin, cap}});
  for (const Course& course : courses) {
    std::vector<double> met(course.centres.size() + 1);  // in the first buckets
    for (const Course::Neighbour& neighbour : course.neighbours_at(level))
      if (neighbour.bucket != Course::kNever) ++met[neighbour.bucket + std::size_t{1}];
    std::partial_sum(met.begin(), met.end(), met.begin());
    std::vector<std::size_t> under;
    for (const float cap : caps) under.push_back(course.under(level, cap, typical));
    const std::vector<float> margins_to = course.margins_to(level);
    auto outcome = outcomes.begin();
    for (const float margin : margins) {
      const std::size_t within = rank_in(margins_to, margin);
      for (const std::size_t most : under) {
        const std::size_t probes = std::min(within, most);
        outcome->probes += static_cast<double>(probes);
        outcome->met += met[probes];
        ++outcome;
      }
    }
  }
  return outcomes;
}

std::vector<Way> best_of(std::vector<Outcome> outcomes, double neighbours) {
  constexpr double kStep = 0.92;  // of what was left out before
  std::stable_sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) {
    return weighed(a.probes, a.way.cap) < weighed(b.probes, b.way.cap);
  });
  std::vector<Way> ways;
  double most = -1.0;
  for (const Outcome& each : outcomes) {
    if (!(each.met > most) || (most >= 0 && neighbours - each.met > kStep * (neighbours - most))) continue;
    most = each.met;
    ways.push_back(each.way);
  }
  return ways;
}

}  // namespace

Ways::Level Ways::worthwhile(std::span<const Course> courses, std::size_t level) {
  std::vector<float> kth;
  double neighbours = 0;
  for (const Course& course : courses) {
    if (const float last = course.kth_after(level, course.visited()); std::isfinite(last))
      kth.push_back(last);
    neighbours += static_cast<double>(course.neighbours_at(level).size());
  }
  Level chosen;
  if (kth.empty()) return chosen;  // the segment is too small for buckets to pay
  if (const float typical = median(std::move(kth)); typical > 0.0F) chosen.typical = typical;
  chosen.ways = best_of(outcomes(courses, level, chosen.typical), neighbours);
  return chosen;
}

MarginTally::MarginTally(const Ways& ways, std::size_t most_candidates)
    : ways_(&ways), steps_(most_candidates), caps_(steps_.values().begin(), steps_.values().end()) {
  for (std::size_t level = 0; level < rows_.size(); ++level)
    rows_[level].assign(ways.levels[level].ways.size(),
                        {0.0, std::vector<double>(caps_.size()), std::vector<double>(caps_.size())});
}

void MarginTally::add(const Course& course) {
  ++courses_;
  const Order order(course);
  for (std::size_t level = 0; level < rows_.size(); ++level)
    if (!ways_->levels[level].ways.empty()) add(course, order, level);
}

MarginTally::Order::Order(const Course& course) : neighbours(course.neighbours.size()) {
  std::iota(neighbours.begin(), neighbours.end(), 0U);
  std::sort(neighbours.begin(), neighbours.end(), [&](std::uint32_t a, std::uint32_t b) {
    return course.neighbours[a].estimate < course.neighbours[b].estimate;
  });
  std::vector<float> estimates;
  for (const std::uint32_t each : neighbours) estimates.push_back(course.neighbours[each].estimate);
  of_entries.reserve(course.entries.size());
  for (const float each : course.entries)
    of_entries.push_back(static_cast<std::uint32_t>(rank_in(estimates, each)));
}

// One pass over what was met, in which each way stops at its own bucket and asks how many entries are
// estimated nearer than each of the neighbours met by then.
void MarginTally::add(const Course& course, const Order& order, std::size_t level) {
  const auto& [typical, ways] = ways_->levels[level];
  const std::size_t most = course.neighbours_at(level).size();
  const std::size_t least = kMeasuredAt[level] > kAllCount ? most / 2 : 0;
  std::vector<Course::Neighbour> neighbours;  // that count, by estimate
  std::vector<std::uint32_t> before = {0};    // [i]: how many of them are among the first i by estimate
  for (const std::uint32_t each : order.neighbours) {
    if (each >= least && each < most) neighbours.push_back(course.neighbours[each]);
    before.push_back(static_cast<std::uint32_t>(neighbours.size()));
  }
  neighbours_[level] += static_cast<double>(neighbours.size());
  const std::vector<float> margins_to = course.margins_to(level);
  std::vector<std::pair<std::size_t, Row*>> stops;
  for (std::size_t i = 0; i < ways.size(); ++i)
    stops.emplace_back(
        std::min(rank_in(margins_to, ways[i].margin), course.under(level, ways[i].cap, typical)),
        &rows_[level][i]);
  std::sort(stops.begin(), stops.end());

  std::vector<std::uint32_t> nearer(neighbours.size() + 1);  // [i]: entries between neighbours i − 1 and i
  std::size_t entry = 0;
  for (const auto& [probes, row] : stops) {
    const std::size_t entries = course.entries_in[std::min(probes, course.visited())];
    for (; entry < entries; ++entry) ++nearer[before[order.of_entries[entry]]];
    const float factor = Budget::candidate_factor(Budget::farness(course.kth_after(level, probes), typical));
    row->probes += static_cast<double>(probes);
    const auto rows = static_cast<float>(course.rows_of(probes));
    for (std::size_t step = 0; step < caps_.size(); ++step)
      row->candidates[step] += double{std::min(caps_[step] * factor, rows)};
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      rank += nearer[i];
      if (neighbours[i].bucket >= probes) continue;
      const float needed = static_cast<float>(rank + 1) / factor;
      const auto whole = static_cast<std::uint32_t>(needed);
      const std::size_t cap = steps_.reaching(whole + (static_cast<float>(whole) < needed ? 1 : 0));
      if (cap < caps_.size()) ++row->needing[cap];
    }
  }
}

void MarginTally::add(const MarginTally& other) {
  courses_ += other.courses_;
  for (std::size_t level = 0; level < rows_.size(); ++level) {
    neighbours_[level] += other.neighbours_[level];
    for (std::size_t i = 0; i < rows_[level].size(); ++i) {
      Row& row = rows_[level][i];
      const Row& its = other.rows_[level][i];
      row.probes += its.probes;
      for (std::size_t step = 0; step < caps_.size(); ++step) {
        row.candidates[step] += its.candidates[step];
        row.needing[step] += its.needing[step];
      }
    }
  }
}

// Of all choices those that no other beats in both cost and recall.
Margins MarginTally::margins(RecallCurve::Costs costs) const {
  Margins::Levels levels;
  for (std::size_t level = 0; level < rows_.size(); ++level) {
    std::vector<std::pair<double, Margins::Step>> all;
    for (std::size_t i = 0; i < rows_[level].size(); ++i) {
      const Row& row = rows_[level][i];
      const auto [margin, most_probes] = ways_->levels[level].ways[i];
      double found = 0;
      for (std::size_t step = 0; step < caps_.size(); ++step) {
        found += row.needing[step];
        const double probes = row.probes / courses_, rerank = row.candidates[step] / courses_;
        const auto recall = static_cast<float>(less_its_error(found / neighbours_[level], courses_));
        if (recall > 0.0F && steps_.values()[step] >= kMeasuredAt[level])
          all.push_back({weighed(probes, most_probes) * costs.probe + rerank * costs.rerank,
                         {recall, margin, most_probes, caps_[step], ways_->levels[level].typical,
                          static_cast<float>(probes), static_cast<float>(rerank)}});
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [cost, step] : all)
      if (levels[level].empty() || step.recall > levels[level].back().recall) levels[level].push_back(step);
  }
  return Margins(std::move(levels));
}

}  // namespace lookalike
