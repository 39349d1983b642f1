// An index: sealed segments, a fresh part that is compared row by row, and bits for what was removed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/base/bits.hpp"
#include "engine/base/fair_mutex.hpp"
#include "engine/base/fork_safety.hpp"
#include "engine/base/metric.hpp"
#include "engine/base/parallel.hpp"
#include "engine/index/filter.hpp"
#include "engine/index/intake.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/rows.hpp"
#include "engine/segment/explanation.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

struct SearchOptions {
  static constexpr long kMostNeighbours = 1L
                                          << 24;  // their places are made whether they can be filled or not
  static constexpr long kMostThreads = 1024;

  std::size_t k = 10;
  double recall = 0.95;
  std::uint32_t probes = 0;  // 0: as many as the recall needs
  std::uint32_t rerank = 0;  // likewise
  bool exact = false;
  float max_distance = std::numeric_limits<float>::infinity();
  int threads = 0;
  const Filter* only = nullptr;  // no others may be found
};

struct SearchResult {
  std::vector<std::int64_t> ids;  // queries × k, padded with -1
  std::vector<float> distances;   // queries × k, padded with infinity
  std::vector<Stages> stages;     // of each query
  double recall = 1.0;            // expected
};

/// Where a search leaves what a SearchResult holds, in room for as much.
struct SearchRoom {
  std::int64_t* ids;
  float* distances;
  Stages* stages;
};

/// The neighbours of each query within a radius, nearest first: those of query i are [starts[i], starts[i +
/// 1]).
struct RangeResult {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
};

class ScratchPool;

/// Safe from many threads: searches run side by side, what changes the index runs alone, and for a moment;
/// sealing builds beside them. Every method that takes vectors or ids checks all of them before it changes
/// anything.
class Index : private ForkSafe {
 public:
  explicit Index(const Shape& shape);
  /// Opens segment files, each with ids of its own, of one index: of the same dim, metric, store and note.
  explicit Index(std::span<const std::string> paths);
  explicit Index(const std::string& path) : Index(std::span(&path, 1)) {}
  /// What could be read of a damaged file.
  explicit Index(Salvage salvage);
  ~Index() override;

  /// Vectors are dim floats each, or dim / 8 bytes under hamming. ids may be null: the next free ones are
  /// taken. Returns the ids.
  std::vector<std::int64_t> add(const void* vectors, std::size_t count, const std::int64_t* ids,
                                bool overwrite);
  /// Throws IdError, and removes nothing, if one of them is missing.
  void remove(std::span<const std::int64_t> ids);

  SearchResult search(const void* queries, std::size_t count, const SearchOptions& options,
                      const Interrupt& interrupt) const;
  /// Returns the expected recall.
  double search(const void* queries, std::size_t count, const SearchOptions& options,
                const Interrupt& interrupt, const SearchRoom& room) const;

  /// One query searched as `search` does, with what each stage did; and, where `id` is given, how far that
  /// got.
  Explanation explain(const void* query, const SearchOptions& options, std::optional<std::int64_t> id) const;

  /// Everything within options.max_distance; options.k, recall, probes and rerank do not count.
  RangeResult range_search(const void* queries, std::size_t count, const SearchOptions& options,
                           const Interrupt& interrupt) const;

  /// Measures the recall with these queries, for all searches until the next sealing.
  void tune(const void* queries, std::size_t count, int threads, const Interrupt& interrupt);

  /// Brings all rows into one segment and forgets the removed ones.
  void optimize(int threads, const Interrupt& interrupt);
  /// Verifies every byte of the files it was opened from. Throws DamagedError.
  void verify(const Interrupt& interrupt) const;
  /// With little_memory, what is sealed for it passes through files beside `path` and stays in one.
  void save(const std::string& path, const std::string& note, bool little_memory, const Interrupt& interrupt);

  std::size_t size() const;
  bool contains(std::int64_t id) const;
  /// As it was added, but for rounding; bits as 1 and −1. Throws IdError.
  std::vector<float> vector(std::int64_t id) const;
  std::vector<std::int64_t> ids() const;  // ascending
  const Shape& shape() const { return shape_; }
  std::string note() const;
  std::size_t segments() const;
  std::size_t buckets() const;  // of all segments; 0 while every search compares all

 private:
  /// A segment, and which of its rows were not removed.
  struct Part {
    std::shared_ptr<const Segment> segment;
    Allowed live;
    std::shared_ptr<const RecallCurve> tuned;  // null: the segment's own curve

    const RecallCurve& curve() const { return tuned != nullptr ? *tuned : segment->curve(); }
  };
  struct Place {
    std::uint32_t part;  // parts_.size(): fresh
    std::uint32_t row;
  };
  struct Plan;  // what a search does with a part

  /// How the scan of one block of queries is shared out.
  struct RowSharing {
    int threads;
    Interrupt interrupt;  // none where the blocks have threads of their own
  };

  // index_search.cpp
  std::vector<Plan> plans(const SearchOptions& options) const;
  Plan plan(const Part& part, const SearchOptions& options) const;
  void search_block(const QueryBlock& queries, std::span<const Plan> plans, const SearchOptions& options,
                    std::size_t first, const RowSharing& sharing, Scratch& scratch,
                    const SearchRoom& room) const;
  std::vector<Found> within(const QueryBlock& query, std::span<const Plan> plans,
                            const SearchOptions& options, Scratch& scratch) const;
  Trace trace(const QueryBlock& query, const Plan& plan, std::uint32_t row, Scratch& scratch) const;
  bool allows_fresh(std::size_t row, const SearchOptions& options) const;
  void scan(const Plan& plan, const QueryBlock& queries, const RowSharing& sharing, std::span<TopK> nearest,
            std::span<Stages> stages) const;
  void scan_fresh(const QueryBlock& queries, const SearchOptions& options, const RowSharing& sharing,
                  std::span<TopK> nearest, std::span<Stages> stages) const;
  std::size_t rows_of_a_part() const;
  template <class ScanPart>
  void scan_in_parts(std::size_t rows, const RowSharing& sharing, std::span<TopK> nearest,
                     ScanPart scan_part) const;

  // index_change.cpp
  std::vector<std::int64_t> check_ids(const std::int64_t* ids, std::size_t count) const;
  std::vector<Place> places_of(std::span<const std::int64_t> ids, bool overwrite) const;
  void bury(Place place);

  // index_seal.cpp
  class Watch;
  struct Harvest;
  Harvest harvest(bool everything, const std::shared_ptr<Spill>& spill) const;
  std::shared_ptr<const Segment> seal(bool everything, int threads, const Interrupt& interrupt,
                                      const std::shared_ptr<Spill>& spill = nullptr);
  void publish(const Harvest& harvest, std::shared_ptr<const Segment> segment);
  std::shared_ptr<const Segment> sealed_whole() const;
  void seal_in_background();
  void run_sealer();

  // fork_safety.hpp
  void before_fork() override;
  void after_fork_in_parent() override;
  void after_fork_in_child() override;

  std::size_t all_rows() const;
  std::size_t live_count() const;
  std::optional<Place> find(std::int64_t id) const;
  bool lives(Place place) const;
  std::optional<std::uint32_t> find_fresh(std::int64_t id) const;
  void refuse_shared_ids() const;

  Shape shape_;
  Intake intake_;
  std::string note_;
  std::vector<Part> parts_;
  Rows fresh_;
  Bits fresh_live_;
  std::size_t fresh_live_count_ = 0;
  mutable std::unordered_map<std::int64_t, std::uint32_t> fresh_row_of_;  // of the first fresh_mapped_ rows
  mutable std::size_t fresh_mapped_ = 0;
  mutable std::mutex fresh_row_of_mutex_;
  mutable FairMutex mutex_;  // over all above
  WorkMutex sealing_mutex_;  // one seals at a time; taken before mutex_
  std::thread sealer_;       // in the background
  bool sealer_runs_ = false;
  std::mutex sealer_mutex_;  // over these two
  std::atomic<bool> closing_{false};
  std::unique_ptr<ScratchPool> scratch_;
};

}  // namespace lookalike
