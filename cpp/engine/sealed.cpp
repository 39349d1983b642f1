#include "engine/sealed.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/distances.hpp"
#include "engine/errors.hpp"
#include "engine/random.hpp"
#include "engine/top_k.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kExactBelow = 4096;  // fewer rows are scanned faster than hashed
constexpr std::uint32_t kTables = 8;
constexpr std::size_t kRowsPerBucket = 8;   // aimed at when the bits are chosen
constexpr std::size_t kSampledRows = 1000;  // whose neighbours the recall is measured with

struct StoredShape {
  std::uint64_t rows;
  std::uint64_t dim;
  std::uint64_t seed;
  std::uint64_t next_id;
  std::uint32_t metric;
  std::uint32_t asked_tables;
  std::uint32_t asked_bits;
  std::uint32_t tables;
  std::uint32_t bits;
  std::uint32_t samples;
  std::uint64_t zero;
};
static_assert(sizeof(StoredShape) == 64);

// Then every product of these is far from overflow; each is compared with what the file really holds.
bool makes_sense(const StoredShape& shape) {
  return shape.rows < (std::uint64_t{1} << 32) && shape.dim > 0 && shape.dim < (std::uint64_t{1} << 20) &&
         shape.metric < kMetrics && Sealed::allows(shape.asked_tables, shape.asked_bits) &&
         Sealed::allows(shape.tables, shape.bits) && (shape.tables == 0) == (shape.bits == 0) &&
         shape.next_id <= std::uint64_t{1} << 63;
}

template <class T>
SectionData section(Section name, std::span<const T> items) {
  return {name, std::as_bytes(items)};
}

template <class T>
void make_room(std::vector<T>& items, std::size_t more) {
  const std::size_t needed = items.size() + more;
  if (needed > items.capacity()) items.reserve(std::max(needed, 2 * items.capacity()));
}

}  // namespace

void Rows::append(const Rows& more) {
  // Room first: where memory runs out, nothing was appended.
  make_room(ids, more.ids.size());
  make_room(vectors, more.vectors.size());
  make_room(inverse_norms, more.inverse_norms.size());
  ids.insert(ids.end(), more.ids.begin(), more.ids.end());
  vectors.insert(vectors.end(), more.vectors.begin(), more.vectors.end());
  inverse_norms.insert(inverse_norms.end(), more.inverse_norms.begin(), more.inverse_norms.end());
}

Sealed::Sealed(const Shape& shape, Rows rows, int threads, const Interrupt& interrupt)
    : shape_(shape),
      ids_(std::move(rows.ids)),
      vectors_(std::move(rows.vectors)),
      inverse_norms_(std::move(rows.inverse_norms)) {
  const bool asked = shape.tables > 0 || shape.bits > 0;
  if (this->rows() < (asked ? 2 : kExactBelow)) return;
  const std::uint32_t tables = shape.tables > 0 ? shape.tables : kTables;
  const std::uint32_t bits = shape.bits > 0 ? shape.bits : bits_for(this->rows(), tables);
  family_ = Hyperplanes(shape.dim, tables, bits, shape.seed, centre());
  tables_ = Tables(codes(threads, interrupt), tables, bits, threads, interrupt);
  curve_ = measure_recall(threads, interrupt);
}

// Hyperplanes through the middle of the data halve it; those through the origin would leave features that are
// never negative, such as a CNN's, nearly all on one side.
std::vector<float> Sealed::centre() const {
  constexpr std::size_t kEnough = 65536;
  std::vector<double> sum(shape_.dim, 0.0);
  const std::size_t step = (rows() + kEnough - 1) / kEnough;
  std::size_t count = 0;
  for (std::size_t row = 0; row < rows(); row += step, ++count)
    for (std::size_t i = 0; i < shape_.dim; ++i) sum[i] += double{scale(row)} * double{vector(row)[i]};
  std::vector<float> mean(shape_.dim);
  for (std::size_t i = 0; i < shape_.dim; ++i)
    mean[i] = static_cast<float>(sum[i] / static_cast<double>(count));
  return mean;
}

std::vector<std::uint32_t> Sealed::codes(int threads, const Interrupt& interrupt) const {
  std::vector<std::uint32_t> codes(rows() * family_.tables());
  parallel_for(rows(), 256, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    std::vector<float> margins(family_.planes());
    for (std::size_t row = begin; row < end; ++row) {
      family_.margins(vector(row), scale(row), margins.data());
      for (std::uint32_t table = 0; table < family_.tables(); ++table)
        codes[table * rows() + row] = family_.code(margins.data() + std::size_t{table} * family_.bits());
    }
  });
  return codes;
}

bool Sealed::allows(std::uint32_t tables, std::uint32_t bits) {
  constexpr std::size_t kMostStarts = std::size_t{1} << 27;  // 512 MiB
  return tables <= Hyperplanes::kMaxTables && bits <= Hyperplanes::kMaxBits &&
         Tables::starts_of(tables > 0 ? tables : kTables, bits) <= kMostStarts;
}

std::uint32_t Sealed::bits_for(std::size_t rows, std::uint32_t tables) {
  const auto buckets = std::max<std::size_t>(rows / kRowsPerBucket, 2);
  auto bits = static_cast<std::uint32_t>(std::bit_width(buckets - 1));
  while (!allows(tables, bits)) --bits;
  return bits;
}

// Drawn at random, because what a user adds may come in any rhythm; each vector once, because many copies of
// one must not speak for all the others.
std::vector<std::size_t> Sealed::sampled_rows() const {
  constexpr std::size_t kDraws = 4 * kSampledRows;
  Random random(shape_.seed);
  std::vector<std::size_t> sampled;
  for (std::size_t draw = 0; draw < kDraws && sampled.size() < kSampledRows; ++draw) {
    const std::size_t row = random.bits() % rows();
    const auto same = [&](std::size_t other) {
      return std::equal(vector(row), vector(row) + shape_.dim, vector(other));
    };
    if (std::none_of(sampled.begin(), sampled.end(), same)) sampled.push_back(row);
  }
  return sampled;
}

// A sampled row asks for its neighbours without itself, so it stands for a query that was not stored.
RecallCurve Sealed::measure_recall(int threads, const Interrupt& interrupt) const {
  const std::vector<std::size_t> sampled = sampled_rows();
  const std::size_t neighbours = RecallCurve::neighbours_among(rows());
  std::vector<std::uint32_t> met(sampled.size() * neighbours, RecallCurve::kNever);
  parallel_for(sampled.size(), kQueriesAtOnce, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    std::vector<float> queries;
    std::array<float, kQueriesAtOnce> scales{};
    std::array<TopK, kQueriesAtOnce> nearest;
    for (std::size_t i = begin; i < end; ++i) {
      queries.insert(queries.end(), vector(sampled[i]), vector(sampled[i]) + shape_.dim);
      scales[i - begin] = scale(sampled[i]);
      nearest[i - begin].reset(neighbours, std::numeric_limits<float>::infinity());
    }
    scan_rows({queries.data(), shape_.dim, shape_.metric, 1.0F}, scales.data(), end - begin, vectors(),
              inverse_norms(), rows(), [&](std::size_t q, std::size_t row, float key) {
                if (row != sampled[begin + q]) nearest[q].push(key, static_cast<std::int64_t>(row));
              });
    for (std::size_t i = begin; i < end; ++i)
      probes_to_meet(nearest[i - begin].sorted(), sampled[i], {met.data() + i * neighbours, neighbours});
  });
  return {met, sampled.size(), neighbours};
}

// One walk along a row's probes meets each of its neighbours once.
void Sealed::probes_to_meet(std::span<const Found> neighbours, std::size_t row,
                            std::span<std::uint32_t> met) const {
  constexpr std::uint8_t kOther = RecallCurve::kNeighbours;
  constexpr std::uint8_t kSeen = kOther + 1;
  std::vector<std::uint8_t> rank(rows(), kOther);
  for (std::size_t i = 0; i < neighbours.size(); ++i)
    rank[static_cast<std::size_t>(neighbours[i].id)] = static_cast<std::uint8_t>(i);
  std::vector<float> margins(family_.planes());
  family_.margins(vector(row), scale(row), margins.data());
  ProbeOrder order;
  order.reset(family_, margins.data());
  Probe probe{};
  std::size_t missing = neighbours.size();
  std::size_t compared = 0;
  for (std::uint32_t probes = 1;
       missing > 0 && compared < most_gathered() && probes <= most_probes() && order.next(probe); ++probes)
    for (const std::uint32_t member : tables_.bucket(probe.table, probe.code)) {
      const std::uint8_t of_member = std::exchange(rank[member], kSeen);
      if (of_member == kSeen) continue;
      ++compared;
      if (of_member == kOther) continue;
      met[of_member] = probes;
      --missing;
    }
}

std::uint32_t Sealed::probes_for(double recall, std::size_t k) const {
  const std::uint32_t probes = curve_.probes_for(recall, k);
  if (probes == 0) return 0;
  return probes > most_probes() ? 0 : std::max(probes, family_.tables());
}

double Sealed::recall_of(std::uint32_t probes, std::size_t k) const {
  const std::size_t buckets = std::size_t{family_.tables()} << family_.bits();
  return probes >= buckets ? 1.0 : curve_.recall_of(probes, k);
}

void Sealed::write(const std::string& path, const Shape& shape, const std::string& note) const {
  const StoredShape stored{rows(),
                           shape.dim,
                           shape.seed,
                           shape.next_id,
                           static_cast<std::uint32_t>(shape.metric),
                           shape.tables,
                           shape.bits,
                           tables_.count(),
                           has_tables() ? family_.bits() : 0,
                           static_cast<std::uint32_t>(curve_.samples()),
                           0};
  const std::array sections = {
      section(Section::shape, std::span(&stored, 1)),
      section(Section::note, std::span(note)),
      section(Section::ids, ids_.view()),
      section(Section::inverse_norms, inverse_norms_.view()),
      section(Section::normals, family_.normals()),
      section(Section::thresholds, family_.thresholds()),
      section(Section::starts, tables_.starts()),
      section(Section::members, tables_.members()),
      section(Section::curve, curve_.values()),
      section(Section::vectors, vectors_.view()),
  };
  if (file_) file_->touch(vectors_.data(), vectors_.size() * sizeof(float));  // never pass damage on
  write_segment_file(path, sections);
}

Sealed::Sealed(const std::string& path) : file_(std::make_unique<SegmentFile>(path)) {
  const StoredShape stored = file_->get<StoredShape>(Section::shape, 1)[0];
  if (!makes_sense(stored)) file_->damaged("its shape makes no sense");
  shape_ = {stored.dim,          stored.seed,      stored.next_id, static_cast<Metric>(stored.metric),
            stored.asked_tables, stored.asked_bits};
  const auto note = file_->get<char>(Section::note, file_->bytes_of(Section::note));
  note_.assign(note.begin(), note.end());
  ids_ = Column(file_->get<std::int64_t>(Section::ids, stored.rows));
  const auto never_given = [&](std::int64_t id) { return static_cast<std::uint64_t>(id) >= stored.next_id; };
  if (std::any_of(ids_.view().begin(), ids_.view().end(), never_given))  // a negative one is larger than any
    file_->damaged("an id is negative, or larger than the largest one ever used");
  const std::size_t norms = shape_.metric == Metric::cosine ? stored.rows : 0;
  inverse_norms_ = Column(file_->get<float>(Section::inverse_norms, norms));
  vectors_ = Column(file_->get_unverified<float>(Section::vectors, stored.rows * stored.dim));
  if (stored.tables == 0) return;
  const std::size_t planes = std::size_t{stored.tables} * stored.bits;
  family_ = Hyperplanes(stored.dim, stored.tables, stored.bits,
                        Column(file_->get<float>(Section::normals, planes * stored.dim)),
                        Column(file_->get<float>(Section::thresholds, planes)));
  const std::size_t starts = Tables::starts_of(stored.tables, stored.bits);
  tables_ = Tables(stored.tables, stored.bits, stored.rows,
                   Column(file_->get<std::uint32_t>(Section::starts, starts)),
                   Column(file_->get<std::uint32_t>(Section::members, stored.rows * stored.tables)));
  if (const std::string problem = tables_.problem(); !problem.empty()) file_->damaged(problem);
  const std::size_t neighbours = RecallCurve::neighbours_among(stored.rows);
  const std::size_t values = RecallCurve::values_of(stored.samples, neighbours);
  curve_ = RecallCurve(Column(file_->get<std::uint32_t>(Section::curve, values)), stored.samples, neighbours);
  if (const std::string problem = curve_.problem(); !problem.empty()) file_->damaged(problem);
}

}  // namespace lookalike
