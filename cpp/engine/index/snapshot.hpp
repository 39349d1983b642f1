// What a search reads: sealed segments, which of their rows were not removed, and fresh rows. It never
// changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/parallel.hpp"
#include "engine/base/top_k.hpp"
#include "engine/index/filter.hpp"
#include "engine/index/intake.hpp"
#include "engine/index/search_options.hpp"
#include "engine/router/fresh_lists.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/fresh_table.hpp"
#include "engine/search/explanation.hpp"
#include "engine/search/search_scratch.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {

/// A segment, and which of its rows were not removed.
struct Part {
  std::shared_ptr<const Segment> segment;
  std::shared_ptr<const Allowed> live;       // null: all
  std::shared_ptr<const RecallCurve> tuned;  // null: the router's own curve

  /// Where it is hashed.
  const RecallCurve& curve() const { return tuned != nullptr ? *tuned : segment->router()->curve(); }
  bool lives(std::size_t row) const { return live == nullptr || (*live)[row]; }
  std::size_t live_count() const { return live == nullptr ? segment->rows() : live->count(); }
};

/// Where a row is.
struct Place {
  std::uint32_t part;  // of the parts, and behind them of the fresh chunks
  std::uint32_t row;

  auto operator<=>(const Place&) const = default;
};

/// The part that fresh rows go with: the largest that is hashed; null: none is.
const Part* main_part(const std::vector<Part>& parts);

/// Fresh rows from `begin` on, as many as are in these lists.
struct Listed {
  std::shared_ptr<const FreshLists> lists;
  std::size_t begin;

  std::size_t end() const { return begin + lists->rows(); }
};

/// What all snapshots of an index have in common.
struct Setting {
  Shape shape;  // but for next_id
  Intake intake;
  mutable ScratchPool scratch;

  explicit Setting(const Shape& given)
      : shape(given), intake(given.metric, given.store, given.dim, given.seed) {}
};

/// One state of an index, read by any number of threads without a lock. Whoever reads it keeps it: what it
/// alone holds is freed when the last of them lets go.
class Snapshot {
 public:
  /// `lists` ascend by where they begin.
  Snapshot(std::shared_ptr<const Setting> setting, std::vector<Part> parts, std::vector<FreshRows> fresh,
           std::vector<Listed> lists, std::shared_ptr<const std::string> note);
  Snapshot(const Snapshot&) = delete;  // what was planned points into it
  Snapshot& operator=(const Snapshot&) = delete;

  SearchResult search(const void* queries, std::size_t count, const SearchOptions& options,
                      const Interrupt& interrupt) const;
  void search(const void* queries, std::size_t count, const SearchOptions& options,
              const Interrupt& interrupt, const SearchRoom& room) const;

  /// One query searched as `search` does, with what each stage did; and, where `id` is given, how far that
  /// got.
  Explanation explain(const void* query, const SearchOptions& options, std::optional<std::int64_t> id) const;
  /// The same of one query searched as `range_search` does.
  Explanation explain_range(const void* query, const SearchOptions& options) const;

  /// Everything within options.max_distance; options.k, recall, probes and rerank do not count.
  RangeResult range_search(const void* queries, std::size_t count, const SearchOptions& options,
                           const Interrupt& interrupt) const;

  /// Verifies every byte of the files it was opened from. Throws DamagedError.
  void verify(const Interrupt& interrupt) const;

  const Shape& shape() const { return setting_->shape; }
  std::size_t size() const { return live_; }
  bool contains(std::int64_t id) const { return find(id).has_value(); }
  /// As it was added, but for rounding; bits as 1 and −1. Throws IdError.
  std::vector<float> vector(std::int64_t id) const;
  std::vector<std::int64_t> ids() const;  // ascending
  const std::string& note() const { return *note_; }
  const std::shared_ptr<const std::string>& shared_note() const { return note_; }
  std::size_t segments() const { return parts_.size(); }
  std::size_t buckets() const;  // of all routers; 0 while every search compares all

  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<FreshRows>& fresh() const { return fresh_.chunks(); }
  std::size_t fresh_rows() const { return fresh_.rows(); }
  const FreshTable& fresh_table() const { return fresh_; }
  const std::vector<Listed>& lists() const { return lists_; }
  const RowForm& form() const { return setting_->intake.form(); }
  /// The one segment that holds all there is, with a router learned from it; or null.
  std::shared_ptr<const Segment> whole() const {
    if (fresh_.rows() > 0 || parts_.size() != 1 || parts_[0].live != nullptr) return nullptr;
    const auto& segment = parts_[0].segment;
    return !segment->hashed() || segment->founds_router() ? segment : nullptr;
  }
  std::size_t rows() const { return rows_; }  // those that were removed as well

  std::optional<Place> find(std::int64_t id) const;
  bool lives(Place place) const {
    return place.part < parts_.size() ? parts_[place.part].lives(place.row)
                                      : fresh()[place.part - parts_.size()][place.row];
  }

 private:
  struct Whole;
  struct Plan;
  struct Plans;
  class Planner;

  // snapshot_search.cpp
  std::vector<Whole> wholes(const SearchOptions& options, bool with_lists) const;
  std::unique_ptr<const FreshTable> allowed_fresh(const SearchOptions& options) const;
  Plan make_plan(const SearchOptions& options) const;
  void route(const SearchOptions& options, Plan& plan) const;
  /// One that was kept, or, in `own`, one for this search alone.
  const Plan& plan(const SearchOptions& options, std::unique_ptr<const Plan>& own) const;
  void compare_where_too_little(const QueryBlock& queries, const Plan& plan, const SearchOptions& options,
                                std::size_t first, Scratch& scratch, const SearchRoom& room) const;
  bool comparable(const Plan& plan) const;
  void search_block(const QueryBlock& queries, const Plan& plan, const SearchOptions& options,
                    std::size_t first, int row_threads, Scratch& scratch, const SearchRoom& room) const;
  std::vector<Found> within(const QueryBlock& query, std::span<const Whole> wholes, const FreshTable& fresh,
                            const SearchOptions& options, Scratch& scratch, Explanation& told) const;
  void scan(const Whole& whole, const QueryBlock& queries, int threads, Stop* stop, std::span<TopK> nearest,
            std::span<Stages> stages) const;
  void scan_fresh(const QueryBlock& queries, const FreshTable& fresh, std::size_t begin, std::size_t end,
                  int threads, Stop* stop, std::span<TopK> nearest, std::span<Stages> stages) const;
  template <class Limit, class Take>
  void scan_fresh(const QueryBlock& queries, const FreshTable& fresh, std::size_t begin, std::size_t end,
                  Limit limit, Take take) const;
  std::size_t rows_of_a_part() const;
  template <class ScanPart>
  void scan_in_parts(std::size_t first, std::size_t last, int threads, Stop* stop, std::span<TopK> nearest,
                     ScanPart scan_part) const;

  // snapshot_explain.cpp
  Trace trace(const Query& query, const Plan& plan, const SearchOptions& options, std::int64_t id,
              Place place, Scratch& scratch) const;

  std::shared_ptr<const Setting> setting_;
  std::vector<Part> parts_;
  FreshTable fresh_;
  std::vector<Listed> lists_;
  std::shared_ptr<const std::string> note_;
  std::size_t live_ = 0, rows_ = 0;
  std::shared_ptr<Plans> plans_;  // what searches have planned; a unique_ptr would need its definition
};

}  // namespace lookalike
