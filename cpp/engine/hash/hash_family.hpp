// A hash family as a segment sees it: what sends vectors to buckets, and a query from bucket to bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/parts.hpp"

namespace lookalike {

struct HashScratch;

/// A bucket as a query sees it.
struct Near {
  float key;  // squared distance of the bucket's centre
  std::uint32_t bucket;
};

/// A query in the projected space, and its landmarks if `look` told them.
struct HashQuery {
  HashQuery(const float* of, const float* landmarks_seen = nullptr) : vector(of), landmarks(landmarks_seen) {}
  const float* vector;
  const float* landmarks;
};

/// Works in the projected space of a segment, in m dimensions, whose origin is the middle of the data. A
/// vector has one bucket in each table; buckets are numbered through all tables, and each has a centre, from
/// which the sketches of its rows are taken. Const and safe from any thread, but for the two methods of
/// sealing.
class HashFamily {
 public:
  HashFamily() = default;
  HashFamily(HashFamily&&) = default;
  HashFamily& operator=(HashFamily&&) = default;
  HashFamily(const HashFamily&) = delete;
  HashFamily& operator=(const HashFamily&) = delete;
  virtual ~HashFamily() = default;

  virtual std::uint32_t tables() const = 0;
  virtual std::uint32_t buckets() const = 0;
  virtual const float* centre(std::uint32_t bucket) const = 0;

  /// out[i * tables() + table]: the bucket of row i. Takes one thread.
  virtual void assign(const float* rows, std::size_t count, std::uint32_t* out) const = 0;

  /// What `order` finds out first about a query: so many numbers, which cost less for several queries
  /// together. out[q * landmarks() + i]; queries: count × m.
  virtual std::size_t landmarks() const { return 0; }
  virtual void look(const float* queries, std::size_t count, float* out) const {
    static_cast<void>(queries), static_cast<void>(count), static_cast<void>(out);
  }

  /// The `want` buckets to visit first, in that order; all that hold a row where want >= buckets().
  virtual void order(HashQuery query, std::size_t want, HashScratch& scratch,
                     std::vector<Near>& out) const = 0;

  /// Sealing, when all rows are assigned: forgets buckets that got none, and numbers the others anew.
  virtual void drop_empty(std::span<std::uint32_t> assigned) { static_cast<void>(assigned); }

  /// Sealing, next: where the mean of each bucket's rows is to be written; nowhere if the centres were
  /// learned.
  virtual std::span<float> means() { return {}; }

  /// What a file keeps of it.
  virtual std::vector<NamedBytes> parts() const = 0;

  /// Why this family, which comes from a file, must not be used, or "".
  virtual std::string problem() const = 0;
};

}  // namespace lookalike
