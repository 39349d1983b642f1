// Measuring the recall: queries whose neighbours are known are sent through the lists of a segment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/parallel.hpp"
#include "engine/base/spill.hpp"
#include "engine/base/top_k.hpp"
#include "engine/base/work_mutex.hpp"
#include "engine/hash/hash_family.hpp"
#include "engine/recall/course.hpp"
#include "engine/recall/recall_curve.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/distances.hpp"
#include "engine/sealing/unlike.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct Errand;
struct Known;
struct Scratch;

/// The nearest originals of each query; ids are rows.
using Truths = std::vector<std::vector<Found>>;

/// Queries of one kind whose neighbours are known.
struct Sample {
  QueryBlock queries;
  std::vector<std::vector<std::uint32_t>>
      without;  // rows that are no neighbours of a query, ascending; or none
  Truths truths;

  std::span<const std::uint32_t> without_of(std::size_t query) const {
    return without.empty() ? std::span<const std::uint32_t>() : std::span(without[query]);
  }
};

/// Queries that are copied behind each other.
struct CopiedQueries {
  std::vector<float> vectors, scales;
  std::vector<std::byte> bits;  // under hamming

  void add(const Query& query);
  QueryBlock block(const RowForm& form) const;
};

/// What a recall is measured with: rows that have not shaped the buckets, none of which is its own neighbour;
/// some of them without their relatives, as something new has none; and queries unlike all rows.
struct Samples {
  CopiedQueries copied;
  std::optional<Unlike> unlike;
  std::vector<Sample> kinds;

  const Sample& rows() const { return kinds.front(); }
};

/// So many times fewer queries measure the recall: 1 but in tests where instructions take many times as long,
/// as under sanitizers.
inline std::size_t fewer_queries = 1;

/// How many rows should be held out of so many.
std::size_t held_out_of(std::size_t originals, std::size_t dim);

/// Of a segment that is hashed.
class Measurer {
 public:
  Measurer(const Segment& segment, Threads threads, const Interrupt& interrupt, Spill* spill = nullptr)
      : segment_(segment),
        router_(*segment.router()),
        sketches_(segment.sketches()),
        threads_(threads),
        interrupt_(interrupt),
        spill_(spill) {}

  /// The curve for these queries: each is searched exactly and with growing budgets. What it says
  /// of common recalls was tried by searches with their budgets.
  RecallCurve measure(const QueryBlock& queries) const;
  /// The same, where any of these kinds finds as much.
  RecallCurve measure(std::span<const Sample> kinds) const;
  /// What budgets for 10 neighbours cost, with the first queries alone, and without those searches.
  RecallCurve measure_roughly(const Samples& samples, std::size_t count) const;

  Samples samples(std::span<const std::uint32_t> rows) const;

  // learn_hits.cpp
  HitModel learn_hits(std::span<const Sample> kinds, std::span<const HitModel::Bucket> buckets) const;

 private:
  static constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

  // An entry of a neighbour of a query: by which step of the probes it is met.
  struct Meeting {
    float estimate;
    std::uint32_t neighbour;
    std::uint32_t step;
  };

  // What one query needs to meet each of its neighbours.
  struct Walk {
    std::vector<std::uint32_t> step;  // of the probes, by neighbour
    std::vector<std::uint32_t> rank;  // by step, then by neighbour
  };

  std::size_t most_probes() const;
  RecallCurve measure_grid(const Sample& rows, std::size_t count, float narrowing,
                           OperatingPoints points) const;

  // truths.cpp
  Truths truths(const QueryBlock& queries, const std::vector<std::vector<std::uint32_t>>& without,
                std::size_t most = RecallCurve::kNeighbours) const;
  Truths by_comparing_all(const QueryBlock& queries, const std::vector<std::vector<std::uint32_t>>& without,
                          std::size_t neighbours) const;
  double cost_by_sketches(std::size_t neighbours) const;
  bool find_by_sketches(const Query& query, std::span<const std::uint32_t> without, double most,
                        Scratch& scratch, TopK& nearest) const;

  // an original and its copies
  std::uint32_t rows_of(const Found& original) const {
    const Copies::Run copies = segment_.copies().of(static_cast<std::uint32_t>(original.id));
    return 1 + copies.last - copies.first;
  }

  std::vector<std::size_t> deep_levels() const;
  Samples deep(std::span<const Sample> kinds, std::size_t neighbours) const;

  // measure_narrowing.cpp
  float measure_narrowing(const Sample& sample) const;

  // measure_points.cpp
  OperatingPoints::Levels measure_points(std::span<const Sample> kinds, std::size_t most,
                                         std::span<const std::size_t> levels) const;
  std::vector<Course> courses(const Sample& sample, std::size_t most) const;
  float error() const;
  Course course(const Sample& sample, std::size_t number, float error, Scratch& scratch) const;

  // verify.cpp
  struct Trial {
    const Sample& sample;
    const Allowed& all;
    std::vector<Known> known;  // of each query; or none
  };
  void verify(OperatingPoints::Levels& levels, float narrowing, std::span<const Sample> kinds) const;
  bool correct(OperatingPoints::Level& level, std::size_t at, float narrowing, std::span<Trial> trials) const;
  std::array<float, Budget::kDegrees> shortfalls(const Budget& budget, std::size_t level,
                                                 std::span<Trial> trials) const;
  struct Tried {
    std::size_t degree;
    double found;
  };
  double share_found(std::span<const Found> found, std::span<const Found> truth, std::size_t level) const;
  std::vector<std::uint32_t> with_copies(std::span<const std::uint32_t> originals) const;
  std::vector<Tried> tried(const Budget& budget, std::size_t level, Trial& trial) const;

  // measure_walk.cpp
  std::vector<std::uint32_t> later_entries() const;
  Walk walk(const Query& query, std::uint32_t own_row, std::span<const Found> truth,
            std::span<const std::uint32_t> later_entries, std::span<const std::uint32_t> probe_grid,
            Scratch& scratch) const;
  void count_nearer(Near near, std::uint32_t own_row, std::span<const float> meetings,
                    std::span<float> lowest, std::span<std::uint32_t> nearer, Errand& errand) const;

  const Segment& segment_;
  const Router& router_;
  const Sketches& sketches_;
  Threads threads_;
  const Interrupt& interrupt_;
  Spill* spill_;  // where large arrays are built, or null
};

}  // namespace lookalike
