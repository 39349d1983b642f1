// Sealing: learn from a sample, assign every row to its bucket, lay the rows out in that order, sketch them.
#include "engine/sealing/builder.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>

#include "engine/base/random.hpp"
#include "engine/base/vectors.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

float largest_norm(const StoredRows& rows) {
  double largest = 0.0;
  std::vector<float> room;
  for (std::size_t row = 0; row < rows.count; ++row)
    largest = std::max(largest, squared_norm(rows.form.floats(rows.row(row), room), rows.form.dim));
  return static_cast<float>(std::sqrt(largest));
}

// Drawn at random, because what a user adds may come in any rhythm.
std::vector<std::uint32_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  Random random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.bits() % i]);
  return order;
}

// Moves item order[i] to place i. In memory along the cycles of the order, so that there is no second copy of
// them; what a spill holds is written from begin to end, as files are.
template <class T>
void permute(Array<T>& items, std::span<const std::uint32_t> order, std::size_t width) {
  if (items.empty()) return;
  if (Spill* const spill = items.get_allocator().spill().get(); spill != nullptr) {
    Array<T> out(items.get_allocator());
    out.reserve(items.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto from = items.begin() + static_cast<std::ptrdiff_t>(order[i] * width);
      out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(width));
      if (i % tuning::kRowsBetweenAsking == 0) spill->breathe();
    }
    items = std::move(out);
    return;
  }
  const auto item = [&](std::size_t i) { return items.data() + i * width; };
  std::vector<bool> placed(order.size());
  std::vector<T> first(width);
  for (std::size_t begin = 0; begin < order.size(); ++begin) {
    if (placed[begin] || order[begin] == begin) continue;
    std::copy_n(item(begin), width, first.data());
    std::size_t i = begin;
    for (; order[i] != begin; i = order[i]) {
      std::copy_n(item(order[i]), width, item(i));
      placed[i] = true;
    }
    std::copy_n(first.data(), width, item(i));
    placed[i] = true;
  }
}

void permute(Rows& rows, std::span<const std::uint32_t> order, const RowForm& form) {
  permute(rows.ids, order, 1);
  permute(rows.inverse_norms, order, 1);
  permute(rows.vectors, order, form.bytes());
}

}  // namespace

Builder::Builder(const Shape& shape, Rows& rows, Threads threads, const Interrupt& interrupt)
    : shape_(shape),
      rows_(rows),
      threads_(threads),
      interrupt_(interrupt),
      spill_(rows.vectors.get_allocator().spill()),
      segment_(new Segment) {
  Segment& segment = *segment_;
  segment.shape_ = shape;
  segment.form_ = RowForm(shape.store, shape.metric, shape.dim);
  Sorting sorting = sort_out_copies(rows.stored(segment.form_), threads, interrupt);
  if (!sorting.copies.none()) {
    permute(rows, sorting.order, segment.form_);
    origins_ = std::move(sorting.order);
  }
  segment.copies_ = std::move(sorting.copies);
  segment.originals_ = segment.copies_.none() ? rows.size() : segment.copies_.originals();
}

std::shared_ptr<const Segment> Builder::finish() {
  if (!segment_->hashed()) keep();
  return std::move(segment_);
}

void Builder::learn() {
  // Rows that the recall will be measured with must not have shaped the buckets: a new query has not either.
  const auto order = shuffled(originals(), shape_.seed);
  const std::size_t held_out = held_out_of(originals(), shape_.dim);
  const auto router = std::make_shared<Router>(learn_router(std::span(order).subspan(held_out)));
  std::vector<std::uint32_t> bucket_of = assign(*router).bucket_of;
  router->learning().drop_empty(bucket_of);
  segment_->router_ = router;
  segment_->founds_router_ = true;
  const std::vector<std::uint32_t> place_of = lay_out(bucket_of);
  std::vector<std::uint32_t> sampled;
  for (std::size_t i = 0; i < held_out; ++i) sampled.push_back(place_of[order[i]]);
  find_means(router->learning());
  sketch();
  const Samples samples = measurer().samples(sampled);
  router->set_hits(measurer().learn_hits(samples.kinds, spreads()));
  choose_sketches(*router, samples);
  router->set_curve(measurer().measure(samples.kinds));
  // Where a centre is the mean of few rows, these lie nearer to it than others like them.
  const bool means = !router->learning().means().empty();
  const double mean_residual =
      means ? 0.0
            : std::accumulate(residuals_.begin(), residuals_.end(), 0.0) / static_cast<double>(originals());
  router->set_reach(segment_->reaches_.view(), static_cast<float>(mean_residual));
}

bool Builder::use(const Kept& kept) {
  carried_ = kept.carried;
  const Assigned assigned = assign(*kept.router);
  if (assigned.unlike > originals() / tuning::kUnlikeOneIn || assigned.too_long > 0 ||
      kept.router->drifted(assigned.residuals, assigned.like)) {
    carried_ = nullptr;
    return false;
  }
  segment_->router_ = kept.router;
  lay_out(assigned.bucket_of);
  sketch();
  return true;
}

// Rows in the order of their buckets; returns where each went.
std::vector<std::uint32_t> Builder::lay_out(std::span<const std::uint32_t> bucket_of) {
  Segment& segment = *segment_;
  const Router& router = *segment.router_;
  const std::uint32_t tables = router.tables();
  const auto originals = static_cast<std::uint32_t>(this->originals());
  starts_.assign(router.buckets() + std::size_t{1}, 0);
  for (const std::uint32_t bucket : bucket_of) ++starts_[bucket + std::size_t{1}];
  std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
  std::vector<std::uint32_t> places(starts_.begin(), starts_.end()), source(originals), place_of(originals);
  for (std::uint32_t row = 0; row < originals; ++row) {
    place_of[row] = places[bucket_of[row * std::size_t{tables}]]++;
    source[place_of[row]] = row;
  }
  Array<std::uint32_t> later_members((tables - 1) * std::size_t{originals});
  for (std::uint32_t row = 0; row < originals; ++row)
    for (std::uint32_t table = 1; table < tables; ++table)
      later_members[places[bucket_of[source[row] * std::size_t{tables} + table]]++ - originals] = row;
  segment.later_members_ = Column(std::move(later_members));
  segment.copies_ = segment.copies_.reordered(source);
  permute(rows_, source, segment.form_);
  if (carried_ != nullptr) {
    std::vector<std::uint32_t> origins(source);
    for (std::uint32_t& each : origins) each = origin(each);
    origins_ = std::move(origins);
  }
  keep();
  return place_of;
}

void Builder::keep() {
  segment_->ids_ = Column(std::move(rows_.ids));
  segment_->vectors_ = Column(std::move(rows_.vectors));
  segment_->inverse_norms_ = Column(std::move(rows_.inverse_norms));
  segment_->sort_by_id();
}

Router Builder::learn_router(std::span<const std::uint32_t> free) const {
  const RowForm& form = segment_->form_;
  const bool by_dot = shape_.metric == Metric::dot;
  Space space(shape_.metric, form.dim, by_dot ? largest_norm(rows_.stored(form)) : 0.0F);
  const FamilyChoice choice{shape_.tables, shape_.buckets};
  const auto sample = free.first(std::min(free.size(), shape_.family->sample_for(choice, originals())));
  space.set_middle(middle_of(space, sample));
  Projection projection = learn_projection(space, sample);
  Array<float> projected(sample.size() * projection.m(), HugePages<float>(spill_));
  parallel_for(sample.size(), tuning::kRowsRoutedAtOnce, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 Projection::Scratch scratch;
                 std::vector<float> placed((end - begin) * space.dim());
                 place(space, sample.subspan(begin, end - begin), placed.data());
                 projection.apply(placed.data(), nullptr, end - begin,
                                  projected.data() + begin * projection.m(), scratch);
               });
  const FamilySample from{originals(), projected.data(), sample.size(), projection.m(), shape_.seed};
  auto family = shape_.family->make(choice, from, threads_, interrupt_);
  Router router(form, std::move(space), std::move(projection), std::move(family), originals(), shape_.seed);
  router.choose(kSigns);
  return router;
}

void Builder::place(const Space& space, std::span<const std::uint32_t> rows, float* out) const {
  const StoredRows stored = rows_.stored(segment_->form_);
  std::vector<float> room;
  for (const std::uint32_t row : rows) {
    space.place_row(stored.form.floats(stored.row(row), room), stored.scale(row), out);
    out += space.dim();
  }
}

// The mean of rows as they are placed: the same for any number of threads.
Column<float> Builder::middle_of(const Space& space, std::span<const std::uint32_t> rows) const {
  constexpr std::size_t piece_rows = tuning::kRowsReadAtOnce;
  const std::size_t dim = space.dim(), pieces = (rows.size() + piece_rows - 1) / piece_rows;
  std::vector<double> sums(pieces * dim);
  parallel_for(rows.size(), piece_rows, threads_, interrupt_, [&](std::size_t begin, std::size_t end) {
    std::vector<float> placed(dim);
    double* const sum = sums.data() + begin / piece_rows * dim;
    for (std::size_t i = begin; i < end; ++i) {
      place(space, rows.subspan(i, 1), placed.data());
      for (std::size_t d = 0; d < dim; ++d) sum[d] += double{placed[d]};
    }
  });
  Array<float> middle(dim);
  for (std::size_t d = 0; d < dim; ++d) {
    double sum = 0.0;
    for (std::size_t piece = 0; piece < pieces; ++piece) sum += sums[piece * dim + d];
    middle[d] = static_cast<float>(sum / static_cast<double>(rows.size()));
  }
  return Column(std::move(middle));
}

Projection Builder::learn_projection(const Space& space, std::span<const std::uint32_t> sample) const {
  const std::size_t dim = space.dim();
  const auto teachers = sample.first(std::min(sample.size(), Projection::teachers(dim)));
  Array<float> placed(teachers.size() * dim, HugePages<float>(spill_));
  parallel_for(teachers.size(), tuning::kRowsRoutedAtOnce, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 place(space, teachers.subspan(begin, end - begin), placed.data() + begin * dim);
               });
  return Projection::learn(placed.data(), teachers.size(), dim, shape_.seed, threads_, interrupt_);
}

// What comes from lists is as far as usual, or it would be in none; what is sealed does not count again.
Builder::Assigned Builder::assign(const Router& router) const {
  const std::size_t tables = router.tables();
  Assigned assigned{std::vector<std::uint32_t>(originals() * tables)};
  std::mutex mutex;
  const StoredRows stored = rows_.stored(segment_->form_);
  parallel_for(originals(), tuning::kRowsRoutedAtOnce, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 Routed routed;
                 std::size_t listed = 0;
                 for (std::size_t row = begin, last = begin; row < end; row = last) {
                   std::uint32_t* const buckets = assigned.bucket_of.data() + row * tables;
                   const auto given = origin(static_cast<std::uint32_t>(row));
                   if (carries(row)) {
                     for (std::size_t i = 0; i < tables; ++i) buckets[i] = carried_->entry(given, i).bucket;
                     listed += std::size_t{carried_->entry(given, 0).block == nullptr};
                     last = row + 1;
                     continue;
                   }
                   while (last < end && !carries(last)) ++last;
                   router.route(stored, row, last, routed);
                   std::ranges::copy(routed.bucket_of, buckets);
                   if (!router.learned()) continue;
                   const std::scoped_lock lock(mutex);
                   for (std::size_t i = 0; i < last - row; ++i) {
                     assigned.too_long += std::size_t{Router::too_long(routed, i)};
                     if (router.unlike(routed, i)) {
                       ++assigned.unlike;
                     } else {
                       ++assigned.like;
                       assigned.residuals += double{routed.residuals[i]};
                     }
                   }
                 }
                 const std::scoped_lock lock(mutex);
                 assigned.like += listed;
                 assigned.residuals += static_cast<double>(listed) * double{router.mean_residual()};
               });
  return assigned;
}

void Builder::find_means(HashFamily& family) const {
  const std::span<float> means = family.means();
  if (means.empty()) return;
  const Router& router = *segment_->router_;
  const std::size_t m = router.m();
  parallel_for(starts_.size() - 1, tuning::kPieceForThread, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 Routed routed;
                 std::vector<double> sum(m);
                 for (std::size_t bucket = begin; bucket < end; ++bucket) {
                   std::fill(sum.begin(), sum.end(), 0.0);
                   for (std::uint32_t entry = starts_[bucket]; entry < starts_[bucket + 1]; ++entry) {
                     router.place(segment_->stored(), segment_->row_of(entry), routed);
                     for (std::size_t i = 0; i < m; ++i) sum[i] += double{routed.projected[i]};
                   }
                   const double count = starts_[bucket + 1] - starts_[bucket];
                   for (std::size_t i = 0; i < m; ++i)
                     means[bucket * m + i] = static_cast<float>(sum[i] / count);
                 }
               });
}

void Builder::sketch() {
  Segment& segment = *segment_;
  const Router& router = *segment.router_;
  const SketchLayout& sketch_layout = router.layout();
  const std::size_t width = router.byte_width(), originals = this->originals();
  Array<std::uint8_t> blocks(Sketches::bytes_for(sketch_layout, starts_));
  const bool has_bytes = segment.form_.compact() || !segment.bytes_.bytes().empty();  // of other sketches
  Array<std::int8_t> bytes(has_bytes ? 0 : originals * ByteRows::stride(width),
                           HugePages<std::int8_t>(spill_));
  Array<Reach> reaches(starts_.size() - 1);
  residuals_.assign(starts_.size() - 1, 0.0);  // by bucket: the same sum for any number of threads
  const Sketches layout(sketch_layout, Column<std::uint32_t>(std::span<const std::uint32_t>(starts_)),
                        Column<std::uint8_t>(std::span<const std::uint8_t>(blocks)));
  parallel_for(layout.buckets(), tuning::kPieceForThread, threads_, interrupt_,
               [&](std::size_t begin, std::size_t end) {
                 Routed routed;
                 SketchWriter sketches(sketch_layout);
                 for (auto bucket = static_cast<std::uint32_t>(begin); bucket < end; ++bucket) {
                   std::uint8_t* into = blocks.data() + (layout.blocks(bucket) - blocks.data());
                   if (carried_ != nullptr) reaches[bucket] = carried_->reach(bucket);
                   for (std::uint32_t i = 0; i < layout.count(bucket); ++i) {
                     const std::uint32_t entry = layout.first(bucket) + i, row = segment.row_of(entry);
                     std::int8_t* const as_bytes = bytes.empty() || entry >= originals
                                                       ? nullptr
                                                       : bytes.data() + row * ByteRows::stride(width);
                     if (carries(row)) {
                       const auto given = origin(row);
                       const CarriedEntry& had = carried_->entry(given, entry / originals);
                       if (had.block != nullptr) {
                         copy_sketch(sketch_layout, had.block, had.place, i, into);
                         if (as_bytes != nullptr)
                           std::copy_n(carried_->bytes(given), ByteRows::stride(width), as_bytes);
                         continue;
                       }
                     }
                     router.place(segment.stored(), row, routed);
                     const float* const placed = routed.placed.data();
                     const float* const y = routed.projected.data();
                     const float left_out = router.left_out(placed, y);
                     const float beyond =
                         router.space().beyond(segment.form_.floats(segment.stored().row(row), routed.room));
                     const float square =
                         sketches.write(y, router.family().centre(bucket), left_out - beyond, i, into);
                     residuals_[bucket] += double{square} + double{left_out};
                     reaches[bucket].include(std::sqrt(square) + std::sqrt(beyond), left_out);
                     if (as_bytes != nullptr)
                       ByteRows::write(router.projection().isometric() ? y : placed, width, as_bytes, beyond);
                   }
                   close_sketches(layout.count(bucket), sketch_layout, into);
                 }
               });
  Array<std::uint32_t> starts(starts_);
  segment.sketches_.emplace(sketch_layout, Column(std::move(starts)), Column(std::move(blocks)));
  segment.reaches_ = Column(std::move(reaches));
  if (segment.bytes_.bytes().empty()) segment.bytes_ = ByteRows(width, Column(std::move(bytes)));
}

// Where the rows of a bucket are all its centre, or one, it is as narrow as a bucket may be.
std::vector<HitModel::Bucket> Builder::spreads() const {
  const double mean =
      std::accumulate(residuals_.begin(), residuals_.end(), 0.0) / static_cast<double>(originals());
  const double least = std::max(tuning::kNarrowestBucket * mean, 1e-30);
  std::vector<HitModel::Bucket> buckets;
  for (std::size_t bucket = 0; bucket + 1 < starts_.size(); ++bucket) {
    const double rows = starts_[bucket + 1] - starts_[bucket];
    const double spread = residuals_[bucket] / std::max(rows, 1.0);
    buckets.push_back({static_cast<float>(std::max(spread, least)), static_cast<float>(rows)});
  }
  return buckets;
}

std::shared_ptr<const Segment> build_segment(const Shape& shape, Rows& rows, const std::optional<Kept>& kept,
                                             Threads threads, const Interrupt& interrupt) {
  Builder builder(shape, rows, threads, interrupt);
  const bool used = kept && builder.use(*kept);
  if (!used && builder.originals() >= (shape.buckets > 0 ? 2 : tuning::kExactBelow)) builder.learn();
  return builder.finish();
}

}  // namespace lookalike
