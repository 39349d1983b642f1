// One walk along a query's probes: which budget of the grid brings which of its true neighbours.
#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/base/rank_in.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/search/hash.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/search/search_scratch.hpp"

namespace lookalike {

// The entries of row r in the tables after the first, from place r · (tables − 1) on.
std::vector<std::uint32_t> Measurer::later_entries() const {
  const std::size_t later = router_.tables() - 1;
  std::vector<std::uint32_t> entries(segment_.later_members().size());
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[segment_.later_members()[i] * later + i / segment_.originals()] =
        static_cast<std::uint32_t>(segment_.originals() + i);
  return entries;
}

// One walk along a query's probes tells for each of its neighbours by which step of the grid it is met, and
// how many rows are estimated nearer by then: those it must share the candidates with.
Measurer::Walk Measurer::walk(const Query& query, std::uint32_t own_row, std::span<const Found> truth,
                              std::span<const std::uint32_t> later_entries,
                              std::span<const std::uint32_t> probe_grid, Scratch& scratch) const {
  constexpr auto kNever = static_cast<std::uint32_t>(RecallCurve::kMostSteps);
  Walk walk{std::vector<std::uint32_t>(truth.size(), kNever),
            std::vector<std::uint32_t>(probe_grid.size() * truth.size())};
  struct Entry {
    std::uint32_t bucket, place, neighbour;
  };
  std::vector<Entry> entries;
  const auto add_entry = [&](std::uint32_t entry, std::uint32_t neighbour) {
    const std::uint32_t bucket = sketches_.bucket_of(entry);
    entries.push_back({bucket, entry - sketches_.first(bucket), neighbour});
  };
  const std::size_t later = router_.tables() - 1;
  for (std::uint32_t j = 0; j < truth.size(); ++j) {
    const auto found = static_cast<std::uint32_t>(truth[j].id);
    add_entry(found, j);
    for (std::size_t i = 0; i < later; ++i) add_entry(later_entries[found * later + i], j);
  }

  Errand& errand = scratch.errand;
  hash(router_, query, scratch);
  std::vector<bool> seen(router_.buckets());
  std::vector<Near> visited;
  std::vector<std::size_t> visited_by;  // the end of each step
  std::vector<Meeting> meetings;
  std::size_t met = 0;
  for (std::uint32_t p = 0; p < probe_grid.size() && met < truth.size(); ++p) {
    router_.family().order(errand.query(), probe_grid[p], scratch.hash, errand.order);
    for (const Near& near : errand.order)
      if (!seen[near.bucket]) {
        seen[near.bucket] = true;
        visited.push_back(near);
      }
    for (std::size_t i = visited_by.empty() ? 0 : visited_by.back(); i < visited.size(); ++i) {
      bool estimated = false;
      for (const Entry& entry : entries) {
        if (entry.bucket != visited[i].bucket) continue;
        if (std::exchange(walk.step[entry.neighbour], std::min(walk.step[entry.neighbour], p)) == kNever)
          ++met;
        if (!std::exchange(estimated, true)) estimate_bucket(sketches_, visited[i], errand);
        meetings.push_back({errand.candidates.kept_estimates()[entry.place], entry.neighbour, p});
      }
    }
    visited_by.push_back(visited.size());
  }
  std::sort(meetings.begin(), meetings.end(),
            [](const Meeting& a, const Meeting& b) { return a.estimate < b.estimate; });
  if (meetings.empty()) return walk;
  std::vector<float> ascending;
  for (const Meeting& each : meetings) ascending.push_back(each.estimate);

  std::vector<std::uint32_t> nearer(meetings.size() + 1);  // [i]: rows between estimate i − 1 and i
  std::vector<float> lowest(later > 0 ? segment_.originals() : 0, std::numeric_limits<float>::infinity());
  for (std::size_t p = 0, i = 0; p < probe_grid.size(); ++p) {
    for (; p < visited_by.size() && i < visited_by[p]; ++i)
      count_nearer(visited[i], own_row, ascending, lowest, nearer, errand);
    std::uint32_t rank = std::accumulate(nearer.begin(), nearer.end(), 0U);
    for (std::size_t e = meetings.size(); e-- > 0;) {  // so that the lowest of a neighbour's estimates stays
      rank -= nearer[e + 1];
      if (meetings[e].step <= p) walk.rank[p * truth.size() + meetings[e].neighbour] = rank;
    }
  }
  return walk;
}

void Measurer::count_nearer(Near near, std::uint32_t own_row, std::span<const float> meetings,
                            std::span<float> lowest, std::span<std::uint32_t> nearer, Errand& errand) const {
  estimate_bucket(sketches_, near, errand);
  const auto of_bucket = errand.candidates.kept_estimates();
  for (std::uint32_t i = 0; i < of_bucket.size(); ++i) {
    const std::uint32_t here = segment_.row_of(sketches_.first(near.bucket) + i);
    if (!(of_bucket[i] < meetings.back()) || here == own_row) continue;
    if (!lowest.empty()) {  // a row counts once, where its lowest estimate puts it
      if (!(of_bucket[i] < lowest[here])) continue;
      if (std::isfinite(lowest[here])) --nearer[rank_in(meetings, lowest[here])];
      lowest[here] = of_bucket[i];
    }
    ++nearer[rank_in(meetings, of_bucket[i])];
  }
}

}  // namespace lookalike
