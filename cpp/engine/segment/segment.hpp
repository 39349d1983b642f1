// A segment: immutable rows, the originals in the order of their buckets, and what finds the nearest of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/column.hpp"
#include "engine/base/metric.hpp"
#include "engine/base/parallel.hpp"
#include "engine/base/top_k.hpp"
#include "engine/hash/families.hpp"
#include "engine/projection/projection.hpp"
#include "engine/projection/space.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/byte_rows.hpp"
#include "engine/rows/copies.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/rows.hpp"
#include "engine/rows/store.hpp"
#include "engine/segment/explanation.hpp"
#include "engine/segment/recall_curve.hpp"
#include "engine/segment/segment_file.hpp"
#include "engine/segment/stages.hpp"
#include "engine/sketch/sketches.hpp"

namespace lookalike {

class Candidates;
struct Course;
struct Errand;
struct Scratch;

/// What was asked for when the index was made.
struct Shape {
  std::uint64_t dim = 0;
  std::uint64_t seed = 0;
  std::uint64_t next_id = 0;
  Metric metric = Metric::cosine;
  std::uint32_t buckets = 0;  // 0: chosen at sealing
  Store store = Store::float32;
  Family family = Family::spheres;
  std::uint32_t tables = 0;  // 0: chosen at sealing
};

/// What could be read of a damaged segment file.
struct Salvage {
  Shape shape;
  std::string note;  // empty where it is damaged
  Rows rows;
  std::size_t lost = 0;  // rows
};

/// Every row of a segment file whose id and vector lie in blocks that are as they were written. Throws
/// NotAnIndexError, and DamagedError where not even the number of rows can be told.
Salvage salvage_segment(const std::string& path);

/// How a segment is to be searched.
struct Visit {
  Budget budget;
  std::size_t k = 0;
  const Allowed* allowed = nullptr;  // null: every row
  double evenly = 0.0;               // of these in a bucket, if they are spread evenly; 0: no need to know
};

/// How far the rows of a bucket lie from its centre, in the projected space; and the most that the projection
/// lost of a squared norm.
struct Reach {
  float radius = 0.0F;
  float left_out = 0.0F;

  void include(float squared_residual, float lost) {
    radius = std::max(radius, std::sqrt(squared_residual));
    left_out = std::max(left_out, lost);
  }
};

class Segment {
 public:
  static constexpr std::size_t kExactBelow = 4096;  // fewer rows are compared faster than hashed
  static constexpr std::size_t kMostCandidates = 32768;

  /// Seals rows, ascending by id: trains, hashes, sketches, and measures the recall. Where fewer than
  /// kExactBelow are different, they only get sorted.
  Segment(const Shape& shape, Rows rows, int threads, const Interrupt& interrupt);

  /// Maps a segment file. All but the vectors and their 8-bit form is verified now, these block by block when
  /// first used. Throws NotAnIndexError and DamagedError.
  explicit Segment(const std::string& path);

  /// Writes a segment file; throws WriteError, and DamagedError rather than pass damage on.
  void write(const std::string& path, const Shape& shape, const std::string& note, const RecallCurve& curve,
             const Interrupt& pause) const;

  const Shape& shape() const { return shape_; }
  const std::string& note() const { return note_; }
  std::size_t rows() const { return ids_.size(); }
  /// The first so many rows are all different; the others are copies of them.
  std::size_t originals() const { return originals_; }
  bool hashed() const { return sketches_.has_value(); }
  std::uint32_t buckets() const { return hashed() ? sketches_->buckets() : 0; }
  std::uint32_t tables() const { return hashed() ? family_->tables() : 0; }

  std::int64_t id(std::size_t row) const { return ids_[row]; }
  /// The rows as they are kept, for who touched them.
  StoredRows stored() const { return {form_, vectors_.data(), inverse_norms_.data(), rows()}; }
  const Copies& copies() const { return copies_; }
  std::span<const std::uint32_t> by_id() const { return by_id_.view(); }

  /// The row of an id, if there is one.
  std::optional<std::uint32_t> find(std::int64_t id) const;

  /// Must be called before the vectors of rows [begin, end) are read.
  void touch(std::size_t begin, std::size_t end) const {
    if (file_) file_->touch(stored().row(begin), (end - begin) * form_.bytes());
  }

  /// Verifies every byte of the file it was opened from. Throws DamagedError.
  void verify() const {
    if (file_) file_->touch_all();
  }

  /// What is mapped of its file; nothing where it has none.
  std::span<const std::byte> mapped() const { return file_ ? file_->mapped() : std::span<const std::byte>(); }

  const RecallCurve& curve() const { return curve_; }

  /// The curve for these queries: each is searched exactly and with growing budgets.
  RecallCurve measure(const QueryBlock& queries, int threads, const Interrupt& interrupt) const;

  /// What a budget costs, and what comparing with so many rows does, in the same unit.
  double cost_of(const Budget& budget) const {
    return budget.probes * costs().probe + budget.rerank * costs().rerank;
  }
  double cost_of_scan(std::size_t allowed) const;

  /// Hash, probe, scan, rerank.
  void search(const QueryBlock& queries, const Visit& visit, Scratch& scratch, std::span<TopK> nearest,
              std::span<Stages> stages) const;

  /// How many originals stand for a row that may be found: themselves, or a copy.
  std::size_t findable(const Allowed* allowed) const {
    return allowed != nullptr ? allowed->findable() : originals_;
  }

  /// Compares the queries with the originals [begin, end), or with those that stand for allowed rows.
  void scan(const QueryBlock& queries, const Allowed* allowed, std::size_t begin, std::size_t end,
            std::span<TopK> nearest) const;

  /// Every row whose key is at most max_key, in no order. Without `exact` a row may be left out whose sketch
  /// errs by more than four standard errors.
  void within(const Query& query, float max_key, const Allowed* allowed, bool exact, Scratch& scratch,
              std::vector<Found>& found) const;

  /// What became of a row in the search of one query, up to Reached::rerank.
  Trace trace(const Query& query, const Visit& visit, std::uint32_t row, Scratch& scratch) const;

 private:
  static constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

  // An entry of a neighbour of a query: by which step of the probes it is met.
  struct Meeting {
    float estimate;
    std::uint32_t neighbour;
    std::uint32_t step;
  };

  using Truths = std::vector<std::vector<Found>>;  // the nearest rows of each query

  // Rows that have not shaped the buckets, as queries; none of them is its own neighbour.
  struct HeldOut {
    std::vector<std::uint32_t> rows;
    std::vector<float> vectors;
    std::vector<float> scales;
    std::vector<std::byte> bits;  // under hamming
    Truths truths;

    QueryBlock first(std::size_t count, const RowForm& form) const;
  };

  // What one query needs to meet each of its neighbours.
  struct Walk {
    std::vector<std::uint32_t> step;  // of the probes, by neighbour
    std::vector<std::uint32_t> rank;  // by step, then by neighbour
  };

  // The 8-bit rows hold y where it keeps all distances, else the placed vector itself.
  std::size_t byte_width() const { return projection_.isometric() ? projection_.m() : space_.dim(); }

  StoredRows stored_originals() const { return stored().part(0, originals_); }
  float scale(std::size_t row) const { return form_.normed() ? inverse_norms_[row] : 1.0F; }

  // sealing: segment_build.cpp
  void build(Rows& rows, int threads, const Interrupt& interrupt);
  void keep(Rows rows);
  void sort_by_id();
  void learn(const Rows& rows, std::span<const std::uint32_t> free, int threads, const Interrupt& interrupt);
  std::vector<std::uint32_t> assign(const Rows& rows, int threads, const Interrupt& interrupt) const;
  void center(Array<float>& sample);
  void find_means(std::span<const std::uint32_t> starts, int threads, const Interrupt& interrupt) const;
  void choose_sketches(Array<std::uint32_t> starts, const HeldOut& held, int threads,
                       const Interrupt& interrupt);
  double cost_when_measured(const HeldOut& held, int threads, const Interrupt& interrupt) const;
  void sketch(Array<std::uint32_t> starts, const Codebook& codebook, int threads, const Interrupt& interrupt);
  float left_out(const float* placed, const float* projected) const;

  // measuring: segment_measure.cpp, segment_margins.cpp, segment_walk.cpp
  std::size_t most_probes() const;
  std::size_t sample_size() const;
  HeldOut held_out(std::vector<std::uint32_t> rows, int threads, const Interrupt& interrupt) const;
  RecallCurve measure(const HeldOut& held, std::size_t count, int threads, const Interrupt& interrupt) const;
  RecallCurve measure(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                      const Truths& truths, int threads, const Interrupt& interrupt) const;
  Truths truths(const QueryBlock& queries, std::span<const std::uint32_t> own_rows, int threads,
                const Interrupt& interrupt) const;
  float measure_narrowing(const QueryBlock& queries, const Truths& truths, int threads,
                          const Interrupt& interrupt) const;
  Margins measure_margins(const QueryBlock& queries, std::span<const std::uint32_t> own_rows,
                          const Truths& truths, int threads, const Interrupt& interrupt) const;
  float mean_factor() const;
  Course course(const Query& query, std::uint32_t own_row, std::span<const Found> truth, float most_error,
                Scratch& scratch) const;

  std::vector<std::uint32_t> later_entries() const;
  Walk walk(const Query& query, std::uint32_t own_row, std::span<const Found> truth,
            std::span<const std::uint32_t> later_entries, std::span<const std::uint32_t> probe_grid,
            Scratch& scratch) const;
  void count_nearer(Near near, std::uint32_t own_row, std::span<const Meeting> meetings,
                    std::span<float> lowest, std::span<std::uint32_t> nearer, Errand& errand) const;
  void estimate_bucket(Near near, Errand& errand, float limit = std::numeric_limits<float>::infinity()) const;
  RecallCurve::Costs costs() const;

  std::uint32_t row_of(std::uint32_t entry) const {
    return entry < originals_ ? entry : later_members_[entry - originals_];
  }

  // searching: segment_search.cpp
  void search(const Query& query, const Visit& visit, Scratch& scratch, TopK& nearest, Stages& stages) const;
  void hash(const QueryBlock& queries, Scratch& scratch) const;
  void take_up(std::size_t q, Scratch& scratch) const;
  void hash(const Query& query, Scratch& scratch) const;
  void order(const Visit& visit, Scratch& scratch, Errand& errand) const;
  bool choose(const Visit& visit, std::size_t begin, Scratch& scratch, Errand& errand) const;
  void order_more(std::size_t want, Scratch& scratch, Errand& errand) const;
  void scan_phase(const Visit& visit, Errand& errand, Stages& stages) const;
  void scan_buckets(std::span<const Near> buckets, std::span<const Near> next, const Allowed* allowed,
                    Errand& errand, Stages& stages) const;
  void scan_bucket(Near near, const Allowed* allowed, Errand& errand, Stages& stages) const;
  std::size_t count_findable(const Allowed& allowed, std::uint32_t begin, std::uint32_t end) const;
  std::size_t most_candidates(const Visit& visit, Errand& errand) const;
  void scan_further(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const;
  void scan_by_distance(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const;
  std::span<const std::uint32_t> shortlist(const Visit& visit, Scratch& scratch, Errand& errand) const;
  std::span<const std::uint32_t> narrow(const Visit& visit, const Errand& errand, Scratch& scratch) const;
  const float* byte_query(const Errand& errand) const;
  void rerank(const Query& query, std::span<const std::uint32_t> rows, const Allowed* allowed,
              TopK& nearest) const;

  // Calls take(id) for an original and its copies, as far as they may be found, in ascending order, until one
  // returns false.
  template <class Take>
  void take_equals(std::size_t original, const Allowed* allowed, Take take) const {
    if ((allowed == nullptr || (*allowed)[original]) && !take(ids_[original])) return;
    const auto [first, last] = copies_.of(static_cast<std::uint32_t>(original));
    for (std::size_t row = first; row < last; ++row) {
      if (allowed != nullptr) row = allowed->rows().next(row, last);
      if (row == last || !take(ids_[row])) return;
    }
  }

  // searching by radius: segment_range.cpp
  void gather_within(const Query& query, float square, const Allowed* allowed, Scratch& scratch,
                     std::vector<std::uint32_t>& rows) const;

  // files: segment_store.cpp
  void open();
  void open_version_1();
  Margins open_margins(const std::array<std::uint32_t, kMeasuredAt.size()>& counts) const;
  void check_ids() const;
  void open_copies(std::size_t copies);
  void check_members(std::span<const std::uint32_t> starts, std::size_t tables);

  Shape shape_;
  std::string note_;
  std::shared_ptr<Spill> spill_;  // where large arrays are built, or null
  std::unique_ptr<SegmentFile> file_;
  Column<std::int64_t> ids_;
  Column<std::uint32_t> by_id_;  // row numbers in ascending order of their ids
  std::size_t originals_ = 0;
  Copies copies_;  // of these
  RowForm form_;
  Column<std::byte> vectors_;
  Column<float> inverse_norms_;
  Space space_;
  float largest_norm_ = 0.0F;  // under dot
  Projection projection_;
  std::unique_ptr<HashFamily> family_;
  std::optional<Sketches>
      sketches_;  // an entry for each original and table: those of the first table are the originals
  Column<std::uint32_t> later_members_;  // the rows of the other tables' entries
  ByteRows bytes_;                       // none where the rows are compact themselves
  Column<Reach> reaches_;                // of each bucket
  RecallCurve curve_;
};

}  // namespace lookalike
