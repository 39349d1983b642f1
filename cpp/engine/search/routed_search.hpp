// A search under one router: through its lists, of segments and of fresh rows, as if they were one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/top_k.hpp"
#include "engine/recall/budget.hpp"
#include "engine/router/fresh_lists.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/fresh_table.hpp"
#include "engine/search/explanation.hpp"
#include "engine/search/stages.hpp"
#include "engine/segment/segment.hpp"
#include "kernels/dispatch.hpp"

namespace lookalike {

struct Errand;
struct Scratch;

/// How the lists are to be searched.
struct Visit {
  Budget budget;
  std::size_t k = 0;
  bool share_varies = false;  // which rows may be found has to do with where they lie, or may have
  float share = 1.0F;         // of all, as many times those that the hits were learned with
  float unlearned = 0.0F;     // at least a tenth is left out, or came since the hits were learned: 1
  double weight = 1.0;        // of what is searched, so much
  double evenly = 0.0;        // of what may be found in a bucket, if it is spread evenly; 0: no need to know
  double most_probes = std::numeric_limits<double>::infinity();  // more cost more than to compare one by one
};

/// Const once all views are added, and safe from any thread. Rows are numbered through the views, the fresh
/// ones behind them.
class RoutedSearch {
 public:
  /// The lists of a segment, and which of its rows may be found: null: all.
  struct View {
    const Segment* segment;
    const Allowed* allowed;
    std::uint32_t first_entry;
    std::uint32_t first_row;
  };
  /// Fresh rows [begin, begin + lists->rows()) of a table.
  struct FreshView {
    const FreshLists* lists;
    std::uint32_t begin;
  };
  /// Entries of a bucket in such lists.
  struct FreshBlock {
    const std::uint32_t* rows;
    std::uint32_t count;
    const FreshView* view;
  };

  RoutedSearch() = default;
  explicit RoutedSearch(const Segment& segment, const Allowed* allowed = nullptr) { add(segment, allowed); }

  void add(const Segment& segment, const Allowed* allowed);
  /// After all segments.
  void add(const FreshLists& lists, const FreshTable& table, std::size_t begin);

  const Router& router() const { return *router_; }
  std::span<const View> views() const { return views_; }
  std::size_t fresh_rows() const { return fresh_rows_; }
  /// With the copies of some.
  std::size_t rows() const { return all_rows_; }
  /// Of different rows.
  std::size_t originals() const { return originals_; }
  /// The numbers of an original of a segment, and of a fresh row; nothing where they are in no bucket here.
  std::optional<std::uint32_t> number(const Segment& segment, std::uint32_t original) const;
  std::optional<std::uint32_t> fresh_number(std::size_t row) const;

  /// Hash, probe, scan, rerank. A query that would visit more buckets than it should finds nothing, and says
  /// so.
  void search(const QueryBlock& queries, const Visit& visit, Scratch& scratch, std::span<TopK> nearest,
              std::span<Stages> stages) const;

  /// What became of a row in the search of one query, up to Reached::rerank.
  Trace trace(const Query& query, const Visit& visit, std::uint32_t number, Scratch& scratch) const;

  /// Scans one bucket; the best are kept with the candidates.
  void scan_bucket(Near near, Errand& errand, Stages& stages) const {
    scan_buckets({&near, 1}, {}, errand, stages);
  }

  /// Puts so many buckets in order, or more; those that are in order stay where they are.
  void order_more(std::size_t want, Scratch& scratch, Errand& errand) const;

  /// The query that the 8-bit rows are compared with.
  const float* byte_query(const Errand& errand) const;

 private:
  // probing: probe.cpp
  void order(const Visit& visit, Scratch& scratch, Errand& errand) const;
  bool choose(const Visit& visit, std::size_t begin, Scratch& scratch, Errand& errand) const;
  void scan_further(const Visit& visit, Scratch& scratch, Errand& errand, Stages& stages) const;
  std::span<const Near> foresee(const Visit& visit, std::size_t begin, Scratch& scratch,
                                Errand& errand) const;
  std::size_t enough(const Visit& visit, std::size_t begin, float kth, Scratch& scratch,
                     Errand& errand) const;
  void note_shares(const Visit& visit, std::span<const Near> order, Errand& errand) const;
  double share_findable(std::uint32_t bucket) const;
  std::size_t findable() const;

  // scanning: scan.cpp
  void scan_phase(Errand& errand, Stages& stages) const;
  void scan_buckets(std::span<const Near> buckets, std::span<const Near> next, Errand& errand,
                    Stages& stages) const;
  std::size_t count_findable(const View& view, std::uint32_t begin, std::uint32_t end) const;
  void list_fresh(Near near, Errand& errand) const;
  std::size_t count_living(const FreshBlock& block) const;
  void start_blocks(Errand& errand) const;
  static void scan_blocks(const auto& list, std::size_t count, auto kernel, Errand& errand, auto take);
  void scan_sealed(Errand& errand, std::size_t blocks, bool all) const;
  void scan_fresh(Errand& errand, bool all) const;
  void number_rows(std::span<std::uint32_t> numbers) const;
  void number_fresh(const Errand& errand, std::span<std::uint32_t> numbers) const;
  bool sealed_may_be_found(std::uint32_t number) const;
  bool fresh_may_be_found(std::uint32_t number) const;
  bool lives(const FreshView& view, std::uint32_t row) const;
  const FreshView& fresh_view_of(std::size_t row) const;
  void estimate_all(Near near, Errand& errand) const;
  const View& view_of(std::uint32_t row) const;

  void search(const Query& query, const Visit& visit, Scratch& scratch, TopK& nearest, Stages& stages) const;

  // ranking: rank.cpp
  std::span<const std::uint32_t> shortlist(const Visit& visit, Scratch& scratch, Errand& errand) const;
  std::span<const std::uint32_t> narrow(const Visit& visit, const Errand& errand,
                                        std::span<const std::uint32_t> rows, Scratch& scratch) const;
  std::span<const std::uint32_t> part_fresh(std::span<const std::uint32_t> numbers, Scratch& scratch) const;
  template <class Use>
  void by_view(std::span<const std::uint32_t> numbers, Scratch& scratch, Use use) const;
  std::span<const std::uint32_t> with_heaps(std::span<const std::uint32_t> finalists, Scratch& scratch) const;
  void rerank(const Query& query, std::span<const std::uint32_t> numbers, Scratch& scratch,
              TopK& nearest) const;
  void take_fresh(std::uint32_t row, float key, TopK& nearest) const;
  std::size_t compare_unlike(const Query& query, Scratch& scratch, TopK& nearest) const;

  const Router* router_ = nullptr;
  std::vector<View> views_;
  std::vector<FreshView> fresh_;
  const FreshTable* table_ = nullptr;
  bool all_fresh_live_ = true;
  bool heaps_ = false;                    // of copies, somewhere
  bool fresh_copies_ = false;             // some fresh row stands for another
  std::uint32_t rows_ = 0, entries_ = 0;  // of the segments
  std::size_t originals_ = 0, fresh_rows_ = 0, all_rows_ = 0;
};

/// Estimates all entries of a bucket, or those below a limit: they are the candidates.
void estimate_bucket(const Sketches& sketches, Near near, Errand& errand,
                     float limit = std::numeric_limits<float>::infinity());

}  // namespace lookalike
