// A segment: rows that never change, and the lists of a router's buckets that hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/base/column.hpp"
#include "engine/base/metric.hpp"
#include "engine/base/parallel.hpp"
#include "engine/hash/spheres.hpp"
#include "engine/router/router_parts.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/rows/byte_rows.hpp"
#include "engine/rows/copies.hpp"
#include "engine/rows/distances.hpp"
#include "engine/rows/rows.hpp"
#include "engine/rows/store.hpp"
#include "engine/segment/segment_file.hpp"
#include "engine/sketch/sketches.hpp"

namespace lookalike {

/// What was asked for when the index was made.
struct Shape {
  std::uint64_t dim = 0;
  std::uint64_t seed = 0;
  std::uint64_t next_id = 0;
  Metric metric = Metric::cosine;
  std::uint32_t buckets = 0;  // 0: chosen at sealing
  Store store = Store::float32;
  const Family* family = &kSpheres;
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

/// Data that never changes: rows, the originals in the order of their buckets, and the lists of these
/// buckets.
class Segment {
 public:
  /// Maps a segment file. All but the vectors and their 8-bit form is verified now, these block by block when
  /// first used. Throws NotAnIndexError and DamagedError.
  explicit Segment(const std::string& path);

  /// Writes a segment file; throws WriteError, and DamagedError rather than pass damage on.
  void write(const std::string& path, const Shape& shape, const std::string& note, const RecallCurve& curve,
             const Interrupt& pause) const;

  const Shape& shape() const { return shape_; }
  const RowForm& form() const { return form_; }
  const std::string& note() const { return note_; }
  std::size_t rows() const { return ids_.size(); }
  /// The first so many rows are all different; the others are copies of them.
  std::size_t originals() const { return originals_; }
  bool hashed() const { return router_ != nullptr; }
  std::uint32_t buckets() const { return hashed() ? router_->buckets() : 0; }
  std::uint32_t tables() const { return hashed() ? router_->tables() : 0; }

  std::int64_t id(std::size_t row) const { return ids_[row]; }
  const std::int64_t* ids() const { return ids_.data(); }
  /// The rows as they are kept, for who touched them.
  StoredRows stored() const { return {form_, vectors_.data(), inverse_norms_.data(), rows()}; }
  StoredRows stored_originals() const { return stored().part(0, originals_); }
  const Copies& copies() const { return copies_; }
  std::span<const std::uint32_t> by_id() const { return by_id_.view(); }

  /// The row of an id, if there is one.
  std::optional<std::uint32_t> find(std::int64_t id) const;

  // Where it is hashed:
  const std::shared_ptr<const Router>& router() const { return router_; }
  /// Whether it was learned from these rows.
  bool founds_router() const { return founds_router_; }
  /// An entry for each original and table: those of the first table are the originals.
  const Sketches& sketches() const { return *sketches_; }
  std::uint32_t row_of(std::uint32_t entry) const {
    return entry < originals_ ? entry : later_members_[entry - originals_];
  }
  /// The rows of the other tables' entries.
  std::span<const std::uint32_t> later_members() const { return later_members_.view(); }
  const Reach& reach(std::uint32_t bucket) const { return reaches_[bucket]; }
  /// None where the rows are compact themselves.
  const ByteRows& byte_rows() const { return bytes_; }

  /// Must be called before the vectors of rows [begin, end) are read.
  void touch(std::size_t begin, std::size_t end) const {
    if (file_) file_->touch(stored().row(begin), (end - begin) * form_.bytes());
  }
  /// The same of the 8-bit rows.
  void touch_bytes(std::span<const std::uint32_t> rows) const {
    if (!file_) return;
    for (const std::uint32_t row : rows)
      file_->touch(bytes_.row(row), ByteRows::stride(router_->byte_width()));
  }

  /// Verifies every byte of the file it was opened from. Throws DamagedError.
  void verify() const {
    if (file_) file_->touch_all();
  }

  /// Whether it was opened from this file.
  bool is_at(const std::string& path) const { return file_ && file_->is_at(path); }
  /// What is mapped of its file; nothing where it has none.
  std::span<const std::byte> mapped() const { return file_ ? file_->mapped() : std::span<const std::byte>(); }

  /// Calls take(id) for an original and its copies, as far as they may be found, in ascending order, until
  /// one returns false.
  template <class Take>
  void take_equals(std::size_t original, const Allowed* allowed, Take take) const {
    if ((allowed == nullptr || (*allowed)[original]) && !take(ids_[original])) return;
    const auto [first, last] = copies_.of(static_cast<std::uint32_t>(original));
    for (std::size_t row = first; row < last; ++row) {
      if (allowed != nullptr) row = allowed->rows().next(row, last);
      if (row == last || !take(ids_[row])) return;
    }
  }

 private:
  friend class Builder;

  Segment() = default;

  void sort_by_id();

  // files: segment_store.cpp
  void open();
  void open_version_1();
  void open_router(const RouterShape& shape);
  void check_router(const RouterHash& hash) const;
  void open_lists();
  void check_ids() const;
  void open_copies(std::size_t copies);
  void check_members(std::span<const std::uint32_t> starts, std::size_t tables);

  Shape shape_;
  std::string note_;
  std::shared_ptr<SegmentFile> file_;
  Column<std::int64_t> ids_;
  Column<std::uint32_t> by_id_;  // row numbers in ascending order of their ids
  std::size_t originals_ = 0;
  Copies copies_;  // of these
  RowForm form_;
  Column<std::byte> vectors_;
  Column<float> inverse_norms_;
  std::shared_ptr<const Router> router_;  // null: not hashed
  bool founds_router_ = false;
  std::optional<Sketches> sketches_;
  Column<std::uint32_t> later_members_;
  ByteRows bytes_;
  Column<Reach> reaches_;  // of each bucket
};

}  // namespace lookalike
