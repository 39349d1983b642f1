// The sealed part of an index: immutable rows, and tables over them when there are enough to need any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/column.hpp"
#include "engine/hyperplanes.hpp"
#include "engine/metric.hpp"
#include "engine/parallel.hpp"
#include "engine/probes.hpp"
#include "engine/recall_curve.hpp"
#include "engine/segment_file.hpp"
#include "engine/tables.hpp"
#include "engine/top_k.hpp"

namespace lookalike {

/// Rows with their ids; what add collects and a segment keeps.
struct Rows {
  std::vector<std::int64_t> ids;
  std::vector<float> vectors;        // ids.size() × dim
  std::vector<float> inverse_norms;  // under cosine one for each row, else empty

  void append(const Rows& more);
};

/// What was asked for when the index was made.
struct Shape {
  std::uint64_t dim = 0;
  std::uint64_t seed = 0;
  std::uint64_t next_id = 0;
  Metric metric = Metric::cosine;
  std::uint32_t tables = 0;  // 0: chosen at sealing
  std::uint32_t bits = 0;    // 0: chosen at sealing
};

class Sealed {
 public:
  /// Builds tables (where the shape or the number of rows asks for them) and measures their recall.
  Sealed(const Shape& shape, Rows rows, int threads, const Interrupt& interrupt);

  /// Maps a segment file. All but the vectors is verified now, the vectors block by block when first used.
  explicit Sealed(const std::string& path);

  /// Whether so many tables of codes of so many bits may be asked for, 0 standing for "chosen at sealing".
  static bool allows(std::uint32_t tables, std::uint32_t bits);

  /// The bits chosen at sealing for so many tables: a bucket holds about 8 rows, or more where fewer are not
  /// allowed.
  static std::uint32_t bits_for(std::size_t rows, std::uint32_t tables);

  void write(const std::string& path, const Shape& shape, const std::string& note) const;

  const Shape& shape() const { return shape_; }
  const std::string& note() const { return note_; }
  std::size_t rows() const { return ids_.size(); }
  std::int64_t id(std::size_t row) const { return ids_[row]; }
  const float* vectors() const { return vectors_.data(); }
  const float* vector(std::size_t row) const { return vectors_.data() + row * shape_.dim; }
  const float* inverse_norms() const { return inverse_norms_.data(); }

  /// Must be called before rows [begin, end) are read.
  void touch(std::size_t begin, std::size_t end) const {
    if (file_) file_->touch(vector(begin), (end - begin) * shape_.dim * sizeof(float));
  }

  /// Says that the file is hostile: what `open` does not check turned out wrong.
  [[noreturn]] void damaged(const std::string& what) const { file_->damaged(what); }

  bool has_tables() const { return tables_.count() > 0; }
  const Hyperplanes& family() const { return family_; }
  const Tables& tables() const { return tables_; }

  /// So many rows gathered from buckets cost what comparing all in turn does. Measured: one costs as much
  /// more than a row that is read in turn as 512 more dimensions would.
  std::size_t most_gathered() const { return std::min(rows() / 2, rows() * shape_.dim / (shape_.dim + 512)); }

  /// The same for probes: one costs what gathering two rows does.
  std::size_t most_probes() const { return most_gathered() / 2; }

  /// See RecallCurve; 0 also where a scan is cheaper, else at least one bucket of each table.
  std::uint32_t probes_for(double recall, std::size_t k) const;

  /// See RecallCurve; 1 for all buckets.
  double recall_of(std::uint32_t probes, std::size_t k) const;

 private:
  std::vector<std::uint32_t> codes(int threads, const Interrupt& interrupt) const;
  std::vector<float> centre() const;
  std::vector<std::size_t> sampled_rows() const;
  RecallCurve measure_recall(int threads, const Interrupt& interrupt) const;
  void probes_to_meet(std::span<const Found> neighbours, std::size_t row, std::span<std::uint32_t> met) const;
  float scale(std::size_t row) const { return shape_.metric == Metric::cosine ? inverse_norms_[row] : 1.0F; }

  Shape shape_;
  std::string note_;
  std::unique_ptr<SegmentFile> file_;
  Column<std::int64_t> ids_;
  Column<float> vectors_;
  Column<float> inverse_norms_;
  Hyperplanes family_;
  Tables tables_;
  RecallCurve curve_;
};

}  // namespace lookalike
