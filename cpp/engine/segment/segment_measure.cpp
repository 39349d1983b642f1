// Measuring the recall at sealing: rows that were held out ask for their own neighbours.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/segment/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kLevels = RecallCurve::kMeasuredAt.size();
constexpr std::uint32_t kMostReranked = 32768;
constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

/// How many true neighbours need a step of the budget: met by so many probes, after so many candidates.
class Tally {
 public:
  Tally(std::size_t probe_steps, std::size_t rerank_steps)
      : probe_steps_(probe_steps),
        rerank_steps_(rerank_steps),
        counts_(kLevels * probe_steps * rerank_steps) {}

  std::uint32_t& at(std::size_t level, std::size_t p, std::size_t r) {
    return counts_[(level * probe_steps_ + p) * rerank_steps_ + r];
  }
  void add(const Tally& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

  /// The recalls of the first `probe_steps` steps.
  std::vector<float> recalls(std::size_t samples, std::size_t neighbours, std::size_t probe_steps) {
    std::vector<float> recalls;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const auto asked = static_cast<double>(samples * std::min(RecallCurve::kMeasuredAt[level], neighbours));
      for (std::size_t p = 0; p < probe_steps; ++p) {
        double met = 0;
        for (std::size_t r = 0; r < rerank_steps_; ++r)
          recalls.push_back(static_cast<float>((met += at(level, p, r)) / asked));
      }
    }
    return recalls;
  }

 private:
  std::size_t probe_steps_;
  std::size_t rerank_steps_;
  std::vector<std::uint32_t> counts_;
};

}  // namespace

// What the stages cost beside each other, in nanoseconds of one machine; only the ratios count.
RecallCurve::Costs Segment::costs() const {
  const auto m = static_cast<double>(projection_.m());
  const double entries = static_cast<double>(rows()) / buckets();
  return {100.0 + 0.8 * m + entries * (0.6 + 0.0125 * m), 30.0 + 0.09 * static_cast<double>(byte_width())};
}

// Rows that are read in turn come faster than rows that are picked.
double Segment::cost_of_scan(std::size_t allowed) const {
  const auto bytes = static_cast<double>(form_.bytes());
  return std::min(static_cast<double>(rows()) * (1.0 + 0.025 * bytes),
                  static_cast<double>(allowed) * (10.0 + 0.05 * bytes));
}

// So many buckets cost what comparing with all rows does.
std::size_t Segment::most_probes() const {
  return static_cast<std::size_t>(
      std::clamp(cost_of_scan(rows()) / costs().probe, 1.0, static_cast<double>(buckets())));
}

std::size_t Segment::sample_size(std::size_t rows) const {
  constexpr double kProducts = 2e11;  // a few seconds of exact distances
  const double affordable = kProducts / (static_cast<double>(rows) * static_cast<double>(shape_.dim));
  const auto size = static_cast<std::size_t>(std::clamp(affordable, 500.0, 2500.0));
  return std::min(size, rows / 4);
}

void Segment::measure_held_out(std::span<const std::uint32_t> sampled, int threads,
                               const Interrupt& interrupt) {
  std::vector<float> vectors(sampled.size() * form_.dim), scales;
  std::vector<std::byte> bits;
  for (std::size_t i = 0; i < sampled.size(); ++i) {
    const std::byte* row = stored().row(sampled[i]);
    form_.decode(row, vectors.data() + i * form_.dim);
    if (form_.store == Store::bits) bits.insert(bits.end(), row, row + form_.bytes());
    scales.push_back(scale(sampled[i]));
  }
  const std::byte* packed = bits.empty() ? nullptr : bits.data();
  const QueryBlock queries{vectors.data(), sampled.size(), form_.dim, form_.metric, scales.data(), packed};
  curve_ = measure(queries, sampled, threads, interrupt);
}

RecallCurve Segment::measure(const QueryBlock& queries, std::span<const std::uint32_t> own_rows, int threads,
                             const Interrupt& interrupt) const {
  const std::size_t neighbours = std::min(RecallCurve::kNeighbours, rows() - 1);
  const auto probe_grid = RecallCurve::grid_up_to(most_probes());
  const auto rerank_grid = RecallCurve::grid_up_to(std::min<std::size_t>(rows(), kMostReranked));
  const std::vector<std::uint32_t> later_entries = this->later_entries();
  Tally tally(probe_grid.size(), rerank_grid.size());
  std::mutex tally_mutex;
  parallel_for(queries.count, kQueriesAtOnce, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    const QueryBlock block = queries.part(begin, end - begin);
    const auto own_row = [&](std::size_t i) { return own_rows.empty() ? kNoRow : own_rows[begin + i]; };
    std::vector<TopK> nearest(block.count);
    for (TopK& each : nearest) each.reset(neighbours, std::numeric_limits<float>::infinity());
    stored().scan(block, [&](std::size_t q, std::size_t row, float key) {
      if (row != own_row(q)) nearest[q].push(key, static_cast<std::int64_t>(row));
    });
    Tally mine(probe_grid.size(), rerank_grid.size());
    Scratch scratch;
    for (std::size_t i = 0; i < block.count; ++i) {
      const std::vector<Found>& truth = nearest[i].sorted();
      const Walk walk = this->walk(block.query(i), own_row(i), truth, later_entries, probe_grid, scratch);
      for (std::size_t p = 0; p < probe_grid.size(); ++p)
        for (std::size_t j = 0; j < truth.size(); ++j) {
          if (walk.step[j] > p) continue;
          const std::uint32_t needed = walk.rank[p * truth.size() + j] + 1;
          const auto step =
              std::lower_bound(rerank_grid.begin(), rerank_grid.end(), needed) - rerank_grid.begin();
          if (static_cast<std::size_t>(step) == rerank_grid.size()) continue;
          for (std::size_t level = 0; level < kLevels; ++level)
            if (j < RecallCurve::kMeasuredAt[level]) ++mine.at(level, p, static_cast<std::size_t>(step));
        }
    }
    const std::scoped_lock lock(tally_mutex);
    tally.add(mine);
  });
  return {Column(tally.recalls(queries.count, neighbours, probe_grid.size())), probe_grid.size(),
          rerank_grid.size(), costs(), measure_narrowing(queries, own_rows, threads, interrupt)};
}

// The entries of row r in the tables after the first, from place r · (tables − 1) on.
std::vector<std::uint32_t> Segment::later_entries() const {
  const std::size_t later = tables() - 1;
  std::vector<std::uint32_t> entries(later_members_.size());
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[later_members_[i] * later + i / rows()] = static_cast<std::uint32_t>(rows() + i);
  return entries;
}

// One walk along a query's probes tells for each of its neighbours by which step of the grid it is met, and
// how many rows are estimated nearer by then: those it must share the candidates with.
Segment::Walk Segment::walk(const Query& query, std::uint32_t own_row, std::span<const Found> truth,
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
    const std::uint32_t bucket = sketches_->bucket_of(entry);
    entries.push_back({bucket, entry - sketches_->first(bucket), neighbour});
  };
  const std::size_t later = tables() - 1;
  for (std::uint32_t j = 0; j < truth.size(); ++j) {
    const auto found = static_cast<std::uint32_t>(truth[j].id);
    add_entry(found, j);
    for (std::size_t i = 0; i < later; ++i) add_entry(later_entries[found * later + i], j);
  }

  Errand& errand = scratch.errand(0);
  hash(query, scratch, errand);
  std::vector<bool> seen(buckets());
  std::vector<Near> visited;
  std::vector<std::size_t> visited_by;  // the end of each step
  std::vector<Meeting> meetings;
  std::size_t met = 0;
  for (std::uint32_t p = 0; p < probe_grid.size() && met < truth.size(); ++p) {
    family_->order(errand.projected.data(), probe_grid[p], scratch.hash, errand.order);
    for (const Near& near : errand.order)
      if (!seen[near.bucket]) {
        seen[near.bucket] = true;
        visited.push_back(near);
      }
    for (std::size_t i = visited_by.empty() ? 0 : visited_by.back(); i < visited.size(); ++i)
      for (const Entry& entry : entries) {
        if (entry.bucket != visited[i].bucket) continue;
        if (std::exchange(walk.step[entry.neighbour], std::min(walk.step[entry.neighbour], p)) == kNever)
          ++met;
        estimate_bucket(visited[i], errand);
        meetings.push_back({errand.candidates.kept_estimates()[entry.place], entry.neighbour, p});
      }
    visited_by.push_back(visited.size());
  }
  std::sort(meetings.begin(), meetings.end(),
            [](const Meeting& a, const Meeting& b) { return a.estimate < b.estimate; });
  if (meetings.empty()) return walk;

  std::vector<std::uint32_t> nearer(meetings.size() + 1);  // [i]: rows between estimate i − 1 and i
  std::vector<float> lowest(later > 0 ? rows() : 0, std::numeric_limits<float>::infinity());
  for (std::size_t p = 0, i = 0; p < probe_grid.size(); ++p) {
    for (; p < visited_by.size() && i < visited_by[p]; ++i)
      count_nearer(visited[i], own_row, meetings, lowest, nearer, errand);
    std::uint32_t rank = std::accumulate(nearer.begin(), nearer.end(), 0U);
    for (std::size_t e = meetings.size(); e-- > 0;) {  // so that the lowest of a neighbour's estimates stays
      rank -= nearer[e + 1];
      if (meetings[e].step <= p) walk.rank[p * truth.size() + meetings[e].neighbour] = rank;
    }
  }
  return walk;
}

void Segment::count_nearer(Near near, std::uint32_t own_row, std::span<const Meeting> meetings,
                           std::span<float> lowest, std::span<std::uint32_t> nearer, Errand& errand) const {
  const auto place_of = [&](float estimate) {
    const auto above =
        std::upper_bound(meetings.begin(), meetings.end(), estimate,
                         [](float value, const Meeting& other) { return value < other.estimate; });
    return static_cast<std::size_t>(above - meetings.begin());
  };
  estimate_bucket(near, errand);
  const auto of_bucket = errand.candidates.kept_estimates();
  for (std::uint32_t i = 0; i < of_bucket.size(); ++i) {
    const std::uint32_t here = row_of(sketches_->first(near.bucket) + i);
    if (!(of_bucket[i] < meetings.back().estimate) || here == own_row) continue;
    if (!lowest.empty()) {  // a row counts once, where its lowest estimate puts it
      if (!(of_bucket[i] < lowest[here])) continue;
      if (std::isfinite(lowest[here])) --nearer[place_of(lowest[here])];
      lowest[here] = of_bucket[i];
    }
    ++nearer[place_of(of_bucket[i])];
  }
}

void Segment::estimate_bucket(Near near, Errand& errand) const {
  const std::uint32_t count = sketches_->count(near.bucket);
  Candidates& all = errand.candidates;
  all.start(count);
  float* estimates = all.estimates(count);
  kernels().scan_sketches(sketches_->blocks(near.bucket), count, errand.table.view(), near.key, all.limit(),
                          sketches_->first(near.bucket), estimates, all.numbers());
  all.take(count);
}

}  // namespace lookalike
