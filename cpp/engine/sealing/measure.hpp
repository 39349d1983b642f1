// Measuring the recall: queries whose neighbours are known are sent through the lists of a segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/parallel.hpp"
#include "engine/base/spill.hpp"
#include "engine/base/top_k.hpp"
#include "engine/hash/hash_family.hpp"
#include "engine/recall/course.hpp"
#include "engine/recall/recall_curve.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/distances.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct Errand;
struct Scratch;

/// The nearest originals of each query; ids are rows.
using Truths = std::vector<std::vector<Found>>;

/// Rows that have not shaped the buckets, as queries; none of them is its own neighbour.
struct HeldOut {
  std::vector<std::uint32_t> rows;
  std::vector<float> vectors;
  std::vector<float> scales;
  std::vector<std::byte> bits;  // under hamming
  Truths truths;

  QueryBlock first(std::size_t count, const RowForm& form) const;
};

/// How many rows should be held out of so many.
std::size_t held_out_of(std::size_t originals, std::size_t dim);

/// Of a segment that is hashed.
class Measurer {
 public:
  Measurer(const Segment& segment, int threads, const Interrupt& interrupt, Spill* spill = nullptr)
      : segment_(segment),
        router_(*segment.router()),
        sketches_(segment.sketches()),
        threads_(threads),
        interrupt_(interrupt),
        spill_(spill) {}

  /// The curve for these queries: each is searched exactly and with growing budgets. What it says
  /// of common recalls was tried by searches with their budgets.
  RecallCurve measure(const QueryBlock& queries) const { return measure(queries, {}, truths(queries, {})); }
  RecallCurve measure(const HeldOut& held) const {
    return measure(held.first(held.rows.size(), segment_.form()), held.rows, held.truths);
  }
  /// What budgets for 10 neighbours cost, with the first queries alone, and without those searches.
  RecallCurve measure_roughly(const HeldOut& held, std::size_t count) const;

  HeldOut held_out(std::vector<std::uint32_t> rows) const;

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
  RecallCurve measure(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                      const Truths& truths) const;
  RecallCurve measure_grid(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                           const Truths& truths, float narrowing, Margins margins) const;
  Truths truths(const QueryBlock& queries, std::span<const std::uint32_t> own_rows) const;

  // measure_narrowing.cpp
  float measure_narrowing(const QueryBlock& queries, const Truths& truths) const;

  // measure_margins.cpp
  Margins measure_margins(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                          const Truths& truths, std::span<const std::size_t> levels) const;
  float mean_factor() const;
  Course course(const Query& query, std::uint32_t own_row, std::span<const Found> truth, float most_error,
                Scratch& scratch) const;

  // verify.cpp
  struct Trial {
    const QueryBlock& queries;
    std::span<const std::uint32_t> own_rows;
    const Truths& truths;
    float narrowing;
    Allowed originals;
  };
  Margins verified(const Margins& margins, float narrowing, const QueryBlock& queries,
                   std::span<const std::uint32_t> own_rows, const Truths& truths) const;
  float shortfall(const Margins::Step& step, std::size_t level, const Trial& trial) const;

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
  int threads_;
  const Interrupt& interrupt_;
  Spill* spill_;  // where large arrays are built, or null
};

}  // namespace lookalike
