// Sealing: learn from a sample, assign every row to its bucket, lay the rows out in that order, sketch them.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "engine/base/random.hpp"
#include "engine/base/vectors.hpp"
#include "engine/segment/segment.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kRowsAtOnceWhenSealing = 1024;
constexpr std::size_t kBucketsAtOnce = 16;

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

// Moves item order[i] to place i.
template <class T>
void permute(Array<T>& items, std::span<const std::uint32_t> order, std::size_t width) {
  Spill* const spill = items.get_allocator().spill().get();
  Array<T> out(items.get_allocator());
  out.reserve(items.size());
  for (std::size_t i = 0; i < order.size() && !items.empty(); ++i) {
    const auto from = items.begin() + static_cast<std::ptrdiff_t>(order[i] * width);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(width));
    if (spill != nullptr && i % kRowsAtOnceWhenSealing == 0) spill->breathe();
  }
  items = std::move(out);
}

void permute(Rows& rows, std::span<const std::uint32_t> order, const RowForm& form) {
  permute(rows.ids, order, 1);
  permute(rows.inverse_norms, order, 1);
  permute(rows.vectors, order, form.bytes());
}

}  // namespace

Segment::Segment(const Shape& shape, Rows rows, int threads, const Interrupt& interrupt)
    : shape_(shape),
      spill_(rows.vectors.get_allocator().spill()),
      form_(shape.store, shape.metric, shape.dim) {
  Sorting sorting = sort_out_copies(rows.stored(form_), threads, interrupt);
  if (!sorting.copies.none()) permute(rows, sorting.order, form_);
  copies_ = std::move(sorting.copies);
  originals_ = copies_.none() ? rows.size() : copies_.originals();
  if (originals_ >= (shape.buckets > 0 ? 2 : kExactBelow)) {
    build(rows, threads, interrupt);
  } else {
    keep(std::move(rows));
  }
}

void Segment::build(Rows& rows, int threads, const Interrupt& interrupt) {
  if (shape_.metric == Metric::dot) largest_norm_ = largest_norm(rows.stored(form_));
  space_ = Space(shape_.metric, form_.dim, largest_norm_);
  // Rows that the recall will be measured with must not have shaped the buckets: a new query has not either.
  const auto order = shuffled(originals_, shape_.seed);
  const std::size_t held_out = sample_size();
  learn(rows, std::span(order).subspan(held_out), threads, interrupt);
  std::vector<std::uint32_t> bucket_of = assign(rows, threads, interrupt);
  family_->drop_empty(bucket_of);

  const std::uint32_t tables = family_->tables();
  Array<std::uint32_t> starts(family_->buckets() + std::size_t{1});
  for (const std::uint32_t bucket : bucket_of) ++starts[bucket + std::size_t{1}];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<std::uint32_t> places(starts.begin(), starts.end()), source(originals_), place_of(originals_);
  for (std::uint32_t row = 0; row < originals_; ++row) {
    place_of[row] = places[bucket_of[row * std::size_t{tables}]]++;
    source[place_of[row]] = row;
  }
  Array<std::uint32_t> later_members((tables - 1) * originals_);
  for (std::uint32_t row = 0; row < originals_; ++row)
    for (std::uint32_t table = 1; table < tables; ++table)
      later_members[places[bucket_of[source[row] * std::size_t{tables} + table]]++ - originals_] = row;
  later_members_ = Column(std::move(later_members));
  std::vector<std::uint32_t> sampled;
  for (std::size_t i = 0; i < held_out; ++i) sampled.push_back(place_of[order[i]]);

  copies_ = copies_.reordered(source);
  permute(rows, source, form_);
  keep(std::move(rows));
  find_means(starts, threads, interrupt);
  const HeldOut held = this->held_out(std::move(sampled), threads, interrupt);
  choose_sketches(std::move(starts), held, threads, interrupt);
  curve_ = measure(held, held.rows.size(), threads, interrupt);
}

void Segment::keep(Rows rows) {
  ids_ = Column(std::move(rows.ids));
  vectors_ = Column(std::move(rows.vectors));
  inverse_norms_ = Column(std::move(rows.inverse_norms));
  sort_by_id();
}

void Segment::sort_by_id() {
  Array<std::uint32_t> order(ids_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return ids_[a] < ids_[b]; });
  by_id_ = Column(std::move(order));
}

void Segment::learn(const Rows& rows, std::span<const std::uint32_t> free, int threads,
                    const Interrupt& interrupt) {
  const FamilyChoice choice{shape_.family, shape_.tables, shape_.buckets};
  const std::size_t count = std::min(free.size(), sample_for(choice, originals_));
  const std::size_t dim = space_.dim();
  Array<float> sample(count * dim, HugePages<float>(spill_));
  const StoredRows stored = rows.stored(form_);
  parallel_for(count, kRowsAtOnceWhenSealing, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    std::vector<float> room;
    for (std::size_t i = begin; i < end; ++i)
      space_.place_row(form_.floats(stored.row(free[i]), room), rows.scale(free[i]), sample.data() + i * dim);
  });
  center(sample);
  projection_ = Projection::learn(sample.data(), count, dim, shape_.seed, threads, interrupt);
  Array<float> projected(count * projection_.m(), HugePages<float>(spill_));
  parallel_for(count, kRowsAtOnceWhenSealing, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    Projection::Scratch scratch;
    projection_.apply(sample.data() + begin * dim, nullptr, end - begin,
                      projected.data() + begin * projection_.m(), scratch);
  });
  sample = Array<float>();
  family_ = make_family(choice, originals_, projected.data(), count, projection_.m(), shape_.seed, threads,
                        interrupt);
}

// From now on the space has the middle of the sample as its origin, and so has the sample.
void Segment::center(Array<float>& sample) {
  const std::size_t dim = space_.dim(), count = sample.size() / dim;
  const auto each_row = [&](auto use) {
    for (std::size_t row = 0; row < count; ++row) {
      use(sample.data() + row * dim);
      if (spill_ && row % kRowsAtOnceWhenSealing == 0) spill_->breathe();
    }
  };
  std::vector<double> sum(dim);
  each_row([&](const float* row) {
    for (std::size_t i = 0; i < dim; ++i) sum[i] += double{row[i]};
  });
  Array<float> middle(dim);
  for (std::size_t i = 0; i < dim; ++i) middle[i] = static_cast<float>(sum[i] / static_cast<double>(count));
  each_row([&](float* row) {
    for (std::size_t i = 0; i < dim; ++i) row[i] -= middle[i];
  });
  space_.set_middle(Column(std::move(middle)));
}

std::vector<std::uint32_t> Segment::assign(const Rows& rows, int threads, const Interrupt& interrupt) const {
  const std::size_t tables = family_->tables();
  std::vector<std::uint32_t> bucket_of(originals_ * tables);
  const std::size_t dim = space_.dim(), m = projection_.m();
  const StoredRows stored = rows.stored(form_);
  parallel_for(originals_, kRowsAtOnceWhenSealing, threads, interrupt,
               [&](std::size_t begin, std::size_t end) {
                 std::vector<float> placed((end - begin) * dim), projected((end - begin) * m), room;
                 Projection::Scratch scratch;
                 for (std::size_t row = begin; row < end; ++row)
                   space_.place_row(form_.floats(stored.row(row), room), rows.scale(row),
                                    placed.data() + (row - begin) * dim);
                 projection_.apply(placed.data(), nullptr, end - begin, projected.data(), scratch);
                 family_->assign(projected.data(), end - begin, bucket_of.data() + begin * tables);
               });
  return bucket_of;
}

void Segment::find_means(std::span<const std::uint32_t> starts, int threads,
                         const Interrupt& interrupt) const {
  const std::span<float> means = family_->means();
  if (means.empty()) return;
  const std::size_t m = projection_.m();
  parallel_for(starts.size() - 1, kBucketsAtOnce, threads, interrupt,
               [&](std::size_t begin, std::size_t end) {
                 std::vector<float> placed(space_.dim()), y(m), room;
                 Projection::Scratch scratch;
                 std::vector<double> sum(m);
                 for (std::size_t bucket = begin; bucket < end; ++bucket) {
                   std::fill(sum.begin(), sum.end(), 0.0);
                   for (std::uint32_t entry = starts[bucket]; entry < starts[bucket + 1]; ++entry) {
                     const std::uint32_t row = row_of(entry);
                     space_.place_row(form_.floats(stored().row(row), room), scale(row), placed.data());
                     projection_.apply(placed.data(), 1.0F, y.data(), scratch);
                     for (std::size_t i = 0; i < m; ++i) sum[i] += double{y[i]};
                   }
                   const double count = starts[bucket + 1] - starts[bucket];
                   for (std::size_t i = 0; i < m; ++i)
                     means[bucket * m + i] = static_cast<float>(sum[i] / count);
                 }
               });
}

void Segment::sketch(Array<std::uint32_t> starts, const Codebook& codebook, int threads,
                     const Interrupt& interrupt) {
  const std::size_t m = projection_.m(), dim = space_.dim();
  const SketchLayout sketch_layout(m, codebook);
  Array<std::uint8_t> blocks(Sketches::bytes_for(sketch_layout, starts));
  Array<std::int8_t> bytes(form_.compact() ? 0 : originals_ * ByteRows::stride(byte_width()),
                           HugePages<std::int8_t>(spill_));
  Array<Reach> reaches(starts.size() - 1);
  const Sketches layout(sketch_layout, Column<std::uint32_t>(std::span<const std::uint32_t>(starts)),
                        Column<std::uint8_t>(std::span<const std::uint8_t>(blocks)));
  parallel_for(layout.buckets(), kBucketsAtOnce, threads, interrupt, [&](std::size_t begin, std::size_t end) {
    std::vector<float> placed(dim), y(m), room;
    Projection::Scratch scratch;
    SketchWriter sketches(sketch_layout);
    for (auto bucket = static_cast<std::uint32_t>(begin); bucket < end; ++bucket) {
      std::uint8_t* into = blocks.data() + (layout.blocks(bucket) - blocks.data());
      for (std::uint32_t i = 0; i < layout.count(bucket); ++i) {
        const std::size_t row = row_of(layout.first(bucket) + i);
        space_.place_row(form_.floats(stored().row(row), room), scale(row), placed.data());
        projection_.apply(placed.data(), 1.0F, y.data(), scratch);
        const float left_out = this->left_out(placed.data(), y.data());
        reaches[bucket].include(sketches.write(y.data(), family_->centre(bucket), left_out, i, into),
                                left_out);
        if (!bytes.empty() && layout.first(bucket) < originals_)
          ByteRows::write(projection_.isometric() ? y.data() : placed.data(), byte_width(),
                          bytes.data() + row * ByteRows::stride(byte_width()));
      }
      close_sketches(layout.count(bucket), sketch_layout, into);
    }
  });
  sketches_.emplace(sketch_layout, Column(std::move(starts)), Column(std::move(blocks)));
  reaches_ = Column(std::move(reaches));
  bytes_ = ByteRows(byte_width(), Column(std::move(bytes)));
}

// Of the squared norm, what principal axes do not hold; a rotation holds all.
float Segment::left_out(const float* placed, const float* projected) const {
  if (projection_.kind() == Projection::Kind::rotation) return 0.0F;
  const float whole = kernels().dot(placed, placed, space_.dim());
  return std::max(0.0F, whole - kernels().dot(projected, projected, projection_.m()));
}

}  // namespace lookalike
