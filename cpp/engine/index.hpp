// An index: a sealed part behind hash tables, a fresh part that is scanned, and bits for what was removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/fair_mutex.hpp"
#include "engine/metric.hpp"
#include "engine/parallel.hpp"
#include "engine/sealed.hpp"

namespace lookalike {

struct SearchOptions {
  std::size_t k = 10;
  double recall = 0.95;
  std::uint32_t probes = 0;  // 0: as many as the recall needs
  bool exact = false;
  float max_distance = std::numeric_limits<float>::infinity();
  int threads = 0;
};

struct SearchResult {
  std::vector<std::int64_t> ids;          // queries × k, padded with -1
  std::vector<float> distances;           // queries × k, padded with infinity
  std::vector<std::uint32_t> candidates;  // how many exact distances each query took
  double recall = 1.0;                    // expected
};

struct QueryBlock;  // a few queries that share one pass over the rows
struct Scratch;
class ScratchPool;

/// Safe from many threads: searches run side by side, what changes the index runs alone. Every method that
/// takes vectors or ids checks all of them before it changes anything.
class Index {
 public:
  explicit Index(const Shape& shape);
  explicit Index(const std::string& path);
  ~Index();

  /// ids may be null: the next free ones are taken. Returns the ids.
  std::vector<std::int64_t> add(const float* vectors, std::size_t count, const std::int64_t* ids,
                                bool overwrite, const Interrupt& interrupt);
  /// Throws IdError, and removes nothing, if one of them is missing.
  void remove(std::span<const std::int64_t> ids);

  SearchResult search(const float* queries, std::size_t count, const SearchOptions& options,
                      const Interrupt& interrupt) const;

  /// Brings all rows into the sealed part and forgets the removed ones.
  void optimize(int threads, const Interrupt& interrupt);
  void save(const std::string& path, const std::string& note, const Interrupt& interrupt);

  std::size_t size() const;
  bool contains(std::int64_t id) const;
  std::vector<float> vector(std::int64_t id) const;  // throws IdError
  std::vector<std::int64_t> ids() const;
  const Shape& shape() const { return shape_; }
  std::string note() const;
  std::uint32_t tables() const;  // 0 while every search scans
  std::uint32_t bits() const;

 private:
  struct Budget {
    bool scan;
    std::uint32_t probes;
    double recall;
  };
  using Bits = std::vector<std::uint64_t>;  // one for each row: sealed rows first, then fresh ones

  Budget budget(const SearchOptions& options) const;
  void probe_sealed(const QueryBlock& queries, std::uint32_t probes, std::size_t k, Scratch& scratch) const;
  void scan_sealed(const QueryBlock& queries, Scratch& scratch) const;
  void scan_fresh(const QueryBlock& queries, Scratch& scratch) const;

  void check(const float* vectors, std::size_t count, const char* what) const;
  std::vector<std::int64_t> check_ids(const std::int64_t* ids, std::size_t count) const;

  Rows live_rows(const Bits& dead, std::size_t more) const;  // with room for more
  void publish(std::unique_ptr<Sealed> sealed);
  void seal(int threads, const Interrupt& interrupt);

  std::size_t all_rows() const { return sealed_->rows() + fresh_.ids.size(); }
  std::size_t live_count() const { return all_rows() - dead_count_; }
  std::int64_t id_of(std::size_t row) const;
  const float* vector_of(std::size_t row) const;
  const std::unordered_map<std::int64_t, std::uint32_t>& row_of() const;

  Shape shape_;
  std::string note_;
  std::unique_ptr<const Sealed> sealed_;
  Rows fresh_;
  Bits dead_;
  std::size_t dead_count_ = 0;
  mutable std::unordered_map<std::int64_t, std::uint32_t> row_of_;  // made when first needed, then kept up
  mutable bool row_of_made_ = false;
  mutable std::mutex row_of_mutex_;
  mutable FairMutex mutex_;
  std::unique_ptr<ScratchPool> scratch_;
};

}  // namespace lookalike
