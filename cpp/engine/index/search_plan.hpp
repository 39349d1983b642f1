// What a search does with the parts of a snapshot.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/index/snapshot.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/search/compare.hpp"
#include "engine/search/routed_search.hpp"
#include "engine/tuning.hpp"

namespace lookalike {

/// A segment of which some row may be found; in a plan, also one whose router has fresh rows in its lists.
struct Snapshot::Whole {
  const Part* part;
  std::shared_ptr<const Allowed> allowed;  // null: every row
  std::size_t count;                       // that may be found

  const Segment& segment() const { return *part->segment; }
};

struct Snapshot::Plan {
  /// The lists of one router.
  struct Routed {
    RoutedSearch search;
    Visit visit;
  };

  std::vector<Whole> wholes;  // those that are compared one by one, and behind them the others
  std::size_t compared = 0;   // so many
  std::vector<Routed> routed;
  std::unique_ptr<const FreshTable> allowed;  // fresh rows; null: all that there are
  std::size_t scanned = 0;                    // rows that are compared one by one
  double rows = 0.0;                          // with those in the lists that are searched
  bool comparable = false;                    // whether a query may be compared with all of them

  const FreshTable& fresh(const Snapshot& snapshot) const {
    return allowed != nullptr ? *allowed : snapshot.fresh_table();
  }

  /// Calls take(begin, end) for the fresh rows that are in no list that is searched.
  template <class Take>
  void each_unlisted(const Snapshot& snapshot, Take take) const {
    if (fresh(snapshot).live() == 0) return;
    std::size_t begin = 0;
    for (const Listed& listed : snapshot.lists()) {
      if (!searches(*listed.lists)) continue;
      if (begin < listed.begin) take(begin, listed.begin);
      begin = listed.end();
    }
    if (begin < snapshot.fresh_rows()) take(begin, snapshot.fresh_rows());
  }

  void sum_up(const Snapshot& snapshot);

 private:
  bool searches(const FreshLists& lists) const {
    return std::any_of(routed.begin(), routed.end(), [&](const Routed& each) {
      return &each.search.router() == lists.router().get() && each.search.fresh_rows() > 0;
    });
  }
};

/// The plans of the searches without a filter that a snapshot was first asked for. They are kept for as long
/// as it is, and read without a lock.
struct Snapshot::Plans {
  /// What a plan depends on.
  struct Wanted {
    std::size_t k;
    double recall;
    std::uint32_t probes, rerank;
    bool exact;

    explicit Wanted(const SearchOptions& options)
        : k(options.k),
          recall(options.recall),
          probes(options.probes),
          rerank(options.rerank),
          exact(options.exact) {}
    bool operator==(const Wanted&) const = default;
  };
  struct Kept {
    Wanted wanted;
    Plan plan;
  };

  std::array<std::atomic<const Kept*>, tuning::kPlansKept> kept{};

  Plans() = default;
  Plans(const Plans&) = delete;
  Plans& operator=(const Plans&) = delete;
  ~Plans() {
    for (const auto& each : kept) delete each.load();
  }
};

}  // namespace lookalike
