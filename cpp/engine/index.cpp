#include "engine/index.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "engine/distances.hpp"
#include "engine/errors.hpp"
#include "engine/search_scratch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kMaxRows = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kSealAfter = 4096;  // fresh rows; later, half of what is sealed

// Squared norms between these keep every sum, difference and product of two vectors inside float32.
constexpr double kLargestSquare = 1e37;
constexpr double kSmallestSquare = 1e-30;  // under cosine only

double squared_norm(const float* vector, std::size_t dim) {
  double sum = 0.0;
  for (std::size_t i = 0; i < dim; ++i) sum += double{vector[i]} * double{vector[i]};
  return sum;
}

float inverse_norm(const float* vector, std::size_t dim) {
  return static_cast<float>(1.0 / std::sqrt(squared_norm(vector, dim)));
}

bool get(const std::vector<std::uint64_t>& bits, std::size_t i) {
  return (bits[i / 64] >> (i % 64) & 1U) != 0;
}
void set(std::vector<std::uint64_t>& bits, std::size_t i) {
  bits[i / 64] |= std::uint64_t{1} << (i % 64);
}
std::size_t words_for(std::size_t bits) {
  return (bits + 63) / 64;
}

}  // namespace

Index::Index(const Shape& shape)
    : shape_(shape),
      sealed_(std::make_unique<Sealed>(shape, Rows{}, 1, nullptr)),
      scratch_(std::make_unique<ScratchPool>()) {
  if (!Sealed::allows(shape.tables, shape.bits))
    throw ArgumentError(
        "the tables would have more than 2^27 buckets together; ask for fewer tables or bits");
}

Index::Index(const std::string& path)
    : sealed_(std::make_unique<Sealed>(path)), scratch_(std::make_unique<ScratchPool>()) {
  shape_ = sealed_->shape();
  note_ = sealed_->note();
  dead_.resize(words_for(all_rows()));
}

Index::~Index() = default;

// ---- search: hash, probe, gather, rerank ----

SearchResult Index::search(const float* queries, std::size_t count, const SearchOptions& options,
                           const Interrupt& interrupt) const {
  check(queries, count, "query");
  const std::shared_lock lock(mutex_);
  const Budget budget = this->budget(options);
  const float max_key = key_of_distance(shape_.metric, options.max_distance);
  const std::size_t k = std::min(options.k, live_count());
  SearchResult result{std::vector<std::int64_t>(count * options.k, -1),
                      std::vector<float>(count * options.k, std::numeric_limits<float>::infinity()),
                      std::vector<std::uint32_t>(count), budget.recall};
  if (k == 0) return result;

  parallel_for(count, kQueriesAtOnce, options.threads, interrupt, [&](std::size_t begin, std::size_t end) {
    QueryBlock block{queries + begin * shape_.dim, end - begin, {}};
    for (std::size_t q = 0; q < block.count; ++q)
      block.scales[q] =
          shape_.metric == Metric::cosine ? inverse_norm(block.vector(q, shape_.dim), shape_.dim) : 1.0F;

    const auto scratch = scratch_->borrow();
    scratch->start(k, max_key);
    if (budget.scan)
      scan_sealed(block, *scratch);
    else
      probe_sealed(block, budget.probes, k, *scratch);
    scan_fresh(block, *scratch);

    for (std::size_t q = 0; q < block.count; ++q) {
      std::size_t at = (begin + q) * options.k;
      for (const Found& found : scratch->nearest[q].sorted()) {
        result.ids[at] = found.id;
        result.distances[at++] = distance_of_key(shape_.metric, found.key);
      }
      result.candidates[begin + q] = scratch->candidates[q];
    }
  });
  return result;
}

Index::Budget Index::budget(const SearchOptions& options) const {
  constexpr Budget scan{true, 0, 1.0};
  if (options.exact || !sealed_->has_tables()) return scan;
  const std::uint32_t probes =
      options.probes > 0 ? options.probes : sealed_->probes_for(options.recall, options.k);
  return probes == 0 ? scan : Budget{false, probes, sealed_->recall_of(probes, options.k)};
}

void Index::probe_sealed(const QueryBlock& queries, std::uint32_t probes, std::size_t k,
                         Scratch& scratch) const {
  const Hyperplanes& family = sealed_->family();
  scratch.margins.resize(family.planes());
  for (std::size_t q = 0; q < queries.count; ++q) {
    const Query query{queries.vector(q, shape_.dim), shape_.dim, shape_.metric, queries.scales[q]};
    family.margins(query.vector, query.scale, scratch.margins.data());
    scratch.order.reset(family, scratch.margins.data());
    scratch.forget_seen(sealed_->rows());

    const auto gather = [&](std::uint32_t row) {
      if (scratch.first_sight(row) && !get(dead_, row)) scratch.gathered.push_back(row);
    };
    // Further than the recall asks for, where that would leave places empty that could be filled; up to where
    // a scan is cheaper.
    const auto go_on = [&](std::uint32_t visited) {
      return visited < probes || (scratch.gathered.size() < k && visited < sealed_->most_probes());
    };
    Probe probe{};
    for (std::uint32_t visited = 0; go_on(visited) && scratch.order.next(probe); ++visited)
      for (const std::uint32_t row : sealed_->tables().bucket(probe.table, probe.code)) gather(row);
    if (scratch.gathered.size() < k)
      for (std::uint32_t row = 0; row < sealed_->rows(); ++row) gather(row);

    for (const std::uint32_t row : scratch.gathered) sealed_->touch(row, row + 1);
    gather_rows(query, sealed_->vectors(), sealed_->inverse_norms(), scratch.gathered,
                [&](std::size_t row, float key) { scratch.nearest[q].push(key, sealed_->id(row)); });
    scratch.candidates[q] += static_cast<std::uint32_t>(scratch.gathered.size());
  }
}

void Index::scan_sealed(const QueryBlock& queries, Scratch& scratch) const {
  sealed_->touch(0, sealed_->rows());
  scan_rows({queries.vectors, shape_.dim, shape_.metric, 1.0F}, queries.scales.data(), queries.count,
            sealed_->vectors(), sealed_->inverse_norms(), sealed_->rows(),
            [&](std::size_t q, std::size_t row, float key) {
              if (dead_count_ == 0 || !get(dead_, row)) scratch.nearest[q].push(key, sealed_->id(row));
            });
  for (std::size_t q = 0; q < queries.count; ++q)
    scratch.candidates[q] += static_cast<std::uint32_t>(sealed_->rows());
}

void Index::scan_fresh(const QueryBlock& queries, Scratch& scratch) const {
  scan_rows({queries.vectors, shape_.dim, shape_.metric, 1.0F}, queries.scales.data(), queries.count,
            fresh_.vectors.data(), fresh_.inverse_norms.data(), fresh_.ids.size(),
            [&](std::size_t q, std::size_t row, float key) {
              if (dead_count_ == 0 || !get(dead_, sealed_->rows() + row))
                scratch.nearest[q].push(key, fresh_.ids[row]);
            });
  for (std::size_t q = 0; q < queries.count; ++q)
    scratch.candidates[q] += static_cast<std::uint32_t>(fresh_.ids.size());
}

// ---- change: check everything, then do everything ----

std::vector<std::int64_t> Index::add(const float* vectors, std::size_t count, const std::int64_t* ids,
                                     bool overwrite, const Interrupt& interrupt) {
  check(vectors, count, "vector");
  const std::unique_lock lock(mutex_);
  Rows incoming{check_ids(ids, count), {vectors, vectors + count * shape_.dim}, {}};
  if (shape_.metric == Metric::cosine)
    for (std::size_t i = 0; i < count; ++i)
      incoming.inverse_norms.push_back(inverse_norm(vectors + i * shape_.dim, shape_.dim));

  Bits dead = dead_;
  std::size_t replaced = 0;
  std::vector<std::int64_t> taken = incoming.ids;
  for (std::size_t i = 0; ids != nullptr && i < count; ++i) {
    const auto known = row_of().find(taken[i]);
    if (known == row_of().end()) continue;
    if (!overwrite)
      throw IdError("id " + std::to_string(taken[i]) +
                    " is in the index already; pass overwrite=True to replace its vector");
    set(dead, known->second);
    ++replaced;
  }

  if (fresh_.ids.size() + count > std::max(kSealAfter, sealed_->rows() / 2)) {
    Rows all = live_rows(dead, count);
    all.append(incoming);
    publish(std::make_unique<Sealed>(shape_, std::move(all), 0, interrupt));
  } else {
    dead.resize(words_for(all_rows() + count));
    const bool keep_up = std::exchange(row_of_made_, false);  // made anew, should memory run out below
    for (std::size_t i = 0; keep_up && i < count; ++i)
      row_of_[taken[i]] = static_cast<std::uint32_t>(all_rows() + i);
    fresh_.append(incoming);
    dead_ = std::move(dead);
    dead_count_ += replaced;
    row_of_made_ = keep_up;
  }
  for (const std::int64_t id : taken)
    shape_.next_id = std::max(shape_.next_id, static_cast<std::uint64_t>(id) + 1);
  return taken;
}

void Index::remove(std::span<const std::int64_t> ids) {
  const std::unique_lock lock(mutex_);
  Bits dead = dead_;
  for (const std::int64_t id : ids) {
    const auto known = row_of().find(id);
    if (known == row_of().end())
      throw IdError("id " + std::to_string(id) +
                    " is not in the index; name only ids that are, nothing was removed");
    if (get(dead, known->second))
      throw IdError("id " + std::to_string(id) + " is named twice; name each id once, nothing was removed");
    set(dead, known->second);
  }
  for (const std::int64_t id : ids) row_of_.erase(id);
  dead_ = std::move(dead);
  dead_count_ += ids.size();
}

void Index::check(const float* vectors, std::size_t count, const char* what) const {
  const auto refuse = [&](std::size_t i, const std::string& why) {
    throw VectorError(std::string(what) + " " + std::to_string(i) + " " + why);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const float* vector = vectors + i * shape_.dim;
    const double square = squared_norm(vector, shape_.dim);
    if (square >= kSmallestSquare && square <= kLargestSquare) continue;  // so nearly all are
    for (std::size_t j = 0; j < shape_.dim; ++j)
      if (!std::isfinite(vector[j]))
        refuse(i, std::string("has ") + (std::isnan(vector[j]) ? "NaN" : "inf") + " at position " +
                      std::to_string(j) + "; expected finite numbers: drop or mend it");
    if (square > kLargestSquare)
      refuse(i, "has a norm above 3e18, too large for float32 distances; scale the vectors down");
    if (shape_.metric != Metric::cosine) continue;
    if (square == 0.0)
      refuse(i, "is all zeros, which has no direction; drop it or use another metric than cosine");
    refuse(i, "has a norm below 1e-15, too small for float32 cosines; scale the vectors up");
  }
}

std::vector<std::int64_t> Index::check_ids(const std::int64_t* ids, std::size_t count) const {
  if (count > kMaxRows - all_rows())
    throw ArgumentError("an index holds at most " + std::to_string(kMaxRows) + " vectors; make a second one");
  std::vector<std::int64_t> taken(count);
  if (ids == nullptr) {
    constexpr auto kEnd = std::uint64_t{1} << 63;
    if (count > kEnd - shape_.next_id)
      throw IdError("no ids are left above the largest one; pass ids of your own");
    for (std::size_t i = 0; i < count; ++i) taken[i] = static_cast<std::int64_t>(shape_.next_id + i);
    return taken;
  }
  taken.assign(ids, ids + count);
  std::vector<std::int64_t> sorted = taken;
  std::sort(sorted.begin(), sorted.end());
  if (count > 0 && sorted.front() < 0)
    throw IdError("id " + std::to_string(sorted.front()) + " is negative; expected ids from 0 to 2^63 - 1");
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw IdError("id " + std::to_string(*twice) + " is given twice; expected each id once");
  return taken;
}

// ---- sealing and saving ----

Rows Index::live_rows(const Bits& dead, std::size_t more) const {
  sealed_->touch(0, sealed_->rows());
  Rows rows;
  rows.ids.reserve(live_count() + more);
  rows.vectors.reserve((live_count() + more) * shape_.dim);
  if (shape_.metric == Metric::cosine) rows.inverse_norms.reserve(live_count() + more);
  for (std::size_t row = 0; row < all_rows(); ++row) {
    if (get(dead, row)) continue;
    const float* vector = vector_of(row);
    rows.ids.push_back(id_of(row));
    rows.vectors.insert(rows.vectors.end(), vector, vector + shape_.dim);
    if (shape_.metric == Metric::cosine) rows.inverse_norms.push_back(inverse_norm(vector, shape_.dim));
  }
  return rows;
}

void Index::publish(std::unique_ptr<Sealed> sealed) {
  dead_ = Bits(words_for(sealed->rows()));
  sealed_ = std::move(sealed);
  fresh_ = {};
  dead_count_ = 0;
  row_of_.clear();
  row_of_made_ = false;
}

void Index::seal(int threads, const Interrupt& interrupt) {
  if (fresh_.ids.empty() && dead_count_ == 0) return;
  publish(std::make_unique<Sealed>(shape_, live_rows(dead_, 0), threads, interrupt));
}

void Index::optimize(int threads, const Interrupt& interrupt) {
  const std::unique_lock lock(mutex_);
  seal(threads, interrupt);
}

void Index::save(const std::string& path, const std::string& note, const Interrupt& interrupt) {
  const std::unique_lock lock(mutex_);
  seal(0, interrupt);
  sealed_->write(path, shape_, note);
  note_ = note;
}

// ---- what is in it ----

std::size_t Index::size() const {
  const std::shared_lock lock(mutex_);
  return live_count();
}

bool Index::contains(std::int64_t id) const {
  const std::shared_lock lock(mutex_);
  return row_of().contains(id);
}

std::vector<float> Index::vector(std::int64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto known = row_of().find(id);
  if (known == row_of().end())
    throw IdError("id " + std::to_string(id) + " is not in the index; ask for one of its ids");
  if (known->second < sealed_->rows()) sealed_->touch(known->second, known->second + std::size_t{1});
  const float* vector = vector_of(known->second);
  return {vector, vector + shape_.dim};
}

std::vector<std::int64_t> Index::ids() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::int64_t> ids;
  ids.reserve(live_count());
  for (std::size_t row = 0; row < all_rows(); ++row)
    if (!get(dead_, row)) ids.push_back(id_of(row));
  return ids;
}

std::string Index::note() const {
  const std::shared_lock lock(mutex_);
  return note_;
}

std::uint32_t Index::tables() const {
  const std::shared_lock lock(mutex_);
  return sealed_->tables().count();
}

std::uint32_t Index::bits() const {
  const std::shared_lock lock(mutex_);
  return sealed_->has_tables() ? sealed_->family().bits() : 0;
}

std::int64_t Index::id_of(std::size_t row) const {
  return row < sealed_->rows() ? sealed_->id(row) : fresh_.ids[row - sealed_->rows()];
}

const float* Index::vector_of(std::size_t row) const {
  return row < sealed_->rows() ? sealed_->vector(row)
                               : fresh_.vectors.data() + (row - sealed_->rows()) * shape_.dim;
}

// Only who holds mutex_ comes here; several readers may come at once.
const std::unordered_map<std::int64_t, std::uint32_t>& Index::row_of() const {
  const std::scoped_lock lock(row_of_mutex_);
  if (!row_of_made_) {
    row_of_.clear();
    row_of_.reserve(live_count());
    for (std::size_t row = 0; row < all_rows(); ++row)
      if (!get(dead_, row) && !row_of_.emplace(id_of(row), static_cast<std::uint32_t>(row)).second)
        sealed_->damaged("id " + std::to_string(id_of(row)) + " is there twice");
    row_of_made_ = true;
  }
  return row_of_;
}

}  // namespace lookalike
