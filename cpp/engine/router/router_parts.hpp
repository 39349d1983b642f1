// A router to and from the parts that a file keeps of it; the byte table is in docs/format.md.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/parts.hpp"
#include "engine/router/router.hpp"

namespace lookalike {

/// A name in a file, zeros behind it.
using StoredName = std::array<char, 24>;
StoredName stored_name(std::string_view name);
/// The family of that name; null if there is none.
const Family* family_named(const StoredName& name);

struct RouterShape {
  std::uint64_t rows;  // that it was learned for
  std::uint64_t dim;
  std::uint64_t seed;
  std::uint32_t metric;
  std::uint32_t buckets;
  std::uint32_t tables;
  std::uint32_t m;
  std::uint32_t projection;
  std::uint32_t sketch_width;  // dimensions of a nibble
  std::uint32_t probe_steps;
  std::uint32_t rerank_steps;
  std::array<std::uint32_t, 5> margins;  // of before
  float largest_norm;
  float narrowing;
  float mean_residual;  // of the rows from the centres of their buckets, squared; 0: not known
  StoredName family;

  /// Whether every product of its numbers is far from overflow; each is compared with what the file holds.
  bool makes_sense() const;
};
static_assert(sizeof(RouterShape) == 112);

/// A level of the operating points, and how many of them; a point and its degree.
struct StoredLevel {
  float error;
  float usual_e;
  std::uint32_t points;
};
struct StoredPoint {
  float degree;
  OperatingPoints::Point point;
};

/// What a file keeps of a router with this curve, for as long as both are there.
class RouterParts {
 public:
  RouterParts(const Router& router, const Family& family, const RecallCurve& curve);
  RouterParts(const RouterParts&) = delete;
  RouterParts& operator=(const RouterParts&) = delete;

  /// Ascending by name.
  const std::vector<NamedBytes>& parts() const { return parts_; }

 private:
  RouterShape shape_{};
  std::vector<StoredPoint> points_;
  std::vector<StoredLevel> levels_;
  std::vector<float> farthest_;  // by level
  std::vector<NamedBytes> parts_;
};

/// Names a router: of all its parts, ascending by name.
using RouterHash = std::array<std::uint64_t, 2>;
RouterHash router_hash(const std::vector<NamedBytes>& parts);

/// A router of a shape that makes sense, for rows of this form, but for its bounds. The parts must outlive
/// it. Throws DamagedError.
std::shared_ptr<Router> open_router(const RouterShape& shape, const RowForm& form, const Family& family,
                                    const PartSource& parts);

}  // namespace lookalike
