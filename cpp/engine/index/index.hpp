// An index: the snapshot that searches read, and what makes the next one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/fork_safety.hpp"
#include "engine/base/parallel.hpp"
#include "engine/base/work_mutex.hpp"
#include "engine/index/snapshot.hpp"

namespace lookalike {

/// Safe from many threads. Whoever reads takes the snapshot of that moment and holds no lock; what changes
/// the index makes the next snapshot, one after the other; sealing builds beside both. Every method that
/// takes vectors or ids checks all of them before it changes anything.
class Index : private ForkSafe {
 public:
  explicit Index(const Shape& shape);
  /// Opens segment files, each with ids of its own, of one index: of the same dim, metric, store and note.
  /// Those that `beside` has open are shared with it.
  explicit Index(std::span<const std::string> paths, const Snapshot* beside = nullptr);
  explicit Index(const std::string& path) : Index(std::span(&path, 1)) {}
  /// What could be read of a damaged file.
  explicit Index(Salvage salvage);
  ~Index() override;

  /// What there is now.
  std::shared_ptr<const Snapshot> snapshot() const {
    const std::scoped_lock lock(now_mutex_);
    return now_;
  }

  /// Vectors are dim floats each, or dim / 8 bytes under hamming. ids may be null: the next free ones are
  /// taken. Returns the ids.
  std::vector<std::int64_t> add(const void* vectors, std::size_t count, const std::int64_t* ids,
                                bool overwrite);
  /// Throws IdError, and removes nothing, if one of them is missing.
  void remove(std::span<const std::int64_t> ids);

  /// Measures the recall with these queries, for all searches until the next sealing.
  void tune(const void* queries, std::size_t count, int threads, const Interrupt& interrupt);

  /// Brings all rows into one segment and forgets the removed ones.
  void optimize(int threads, const Interrupt& interrupt);
  /// With little_memory, what is sealed for it passes through files beside `path` and stays in one.
  void save(const std::string& path, const std::string& note, bool little_memory, const Interrupt& interrupt);

  // As those of Snapshot, of what there is now.
  SearchResult search(const void* queries, std::size_t count, const SearchOptions& options,
                      const Interrupt& interrupt) const {
    return snapshot()->search(queries, count, options, interrupt);
  }
  void search(const void* queries, std::size_t count, const SearchOptions& options,
              const Interrupt& interrupt, const SearchRoom& room) const {
    snapshot()->search(queries, count, options, interrupt, room);
  }
  Explanation explain(const void* query, const SearchOptions& options, std::optional<std::int64_t> id) const {
    return snapshot()->explain(query, options, id);
  }
  RangeResult range_search(const void* queries, std::size_t count, const SearchOptions& options,
                           const Interrupt& interrupt) const {
    return snapshot()->range_search(queries, count, options, interrupt);
  }
  void verify(const Interrupt& interrupt) const { snapshot()->verify(interrupt); }
  std::size_t size() const { return snapshot()->size(); }
  bool contains(std::int64_t id) const { return snapshot()->contains(id); }
  std::vector<float> vector(std::int64_t id) const { return snapshot()->vector(id); }
  std::vector<std::int64_t> ids() const { return snapshot()->ids(); }
  const Shape& shape() const { return setting_->shape; }
  std::string note() const { return snapshot()->note(); }
  std::size_t segments() const { return snapshot()->segments(); }
  std::size_t buckets() const { return snapshot()->buckets(); }

 private:
  // index_change.cpp
  std::vector<std::int64_t> check_ids(const std::int64_t* ids, std::size_t count) const;
  void append(Rows rows, std::vector<FreshRows>& fresh) const;
  struct Route;
  static Route route(const Snapshot& snapshot, const StoredRows& rows);
  void list(Route route, const StoredRows& rows, std::vector<Listed>& lists) const;
  void wait_for_sealing(std::size_t count) const;

  // index_seal.cpp
  class Watch;
  struct Wanted;
  struct Harvest;
  Harvest harvest(const Wanted& wanted, const std::shared_ptr<Spill>& spill);
  std::shared_ptr<const Segment> seal(const Wanted& wanted, Threads threads, const Interrupt& interrupt,
                                      const std::shared_ptr<Spill>& spill = nullptr);
  void seal_what_came(Threads threads, const Interrupt& interrupt);
  static std::vector<Listed> lists_behind(const Snapshot& now, std::size_t sealed,
                                          const std::shared_ptr<const Router>& router,
                                          std::vector<Listed> so_far);
  void publish_sealed(const Harvest& harvest, const std::shared_ptr<const Segment>& segment);
  static bool worth_sealing(const Snapshot& snapshot);
  void seal_in_background();
  void run_sealer();

  // fork_safety.hpp
  void before_fork() override;
  void after_fork_in_parent() override;
  void after_fork_in_child() override;

  void publish(std::vector<Part> parts, std::vector<FreshRows> fresh, std::vector<Listed> lists);
  void publish(std::vector<Part> parts, std::vector<FreshRows> fresh, std::vector<Listed> lists,
               std::shared_ptr<const std::string> note);

  std::shared_ptr<const Setting> setting_;
  std::shared_ptr<const Snapshot> now_;
  mutable std::mutex now_mutex_;  // over now_, never held for longer than a copy of it takes
  std::uint64_t next_id_ = 0;
  std::mutex write_mutex_;   // over next_id_ and what becomes now_; taken before now_mutex_
  WorkMutex sealing_mutex_;  // one seals at a time, and no other changes the segments; taken before both
  std::thread sealer_;       // in the background
  bool sealer_runs_ = false;
  std::mutex sealer_mutex_;                  // over these two
  std::atomic<std::size_t> retry_after_{0};  // fresh rows, where a sealing failed
  std::atomic<bool> closing_{false};
};

}  // namespace lookalike
