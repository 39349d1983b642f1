// A segment to and from its file; the byte table is in docs/format.md.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/base/errors.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/stored_shape.hpp"

namespace lookalike {
namespace {

// Beside rows of so many bytes a second copy of the ids takes less than a hundredth.
constexpr std::size_t kWorthIdsTwice = 800;

template <class T>
SectionData section(Section name, std::span<const T> items) {
  return {name, std::as_bytes(items)};
}

}  // namespace

void Segment::write(const std::string& path, const Shape& shape, const std::string& note,
                    const RecallCurve& curve, const Interrupt& pause) const {
  StoredShape stored{};
  stored.rows = rows();
  stored.copies = static_cast<std::uint32_t>(rows() - originals_);
  stored.dim = shape.dim;
  stored.seed = shape.seed;
  stored.next_id = shape.next_id;
  stored.metric = static_cast<std::uint32_t>(shape.metric);
  stored.asked_buckets = shape.buckets;
  stored.buckets = buckets();
  stored.m = hashed() ? static_cast<std::uint32_t>(router_->m()) : 0;
  stored.projection = hashed() ? static_cast<std::uint32_t>(router_->projection().kind()) : 0;
  stored.probe_steps = static_cast<std::uint32_t>(curve.probe_steps());
  stored.rerank_steps = static_cast<std::uint32_t>(curve.rerank_steps());
  stored.largest_norm = hashed() ? router_->space().largest_norm() : 0.0F;
  stored.narrowing = curve.narrowing();
  std::vector<Margins::Step> margins;
  for (std::size_t level = 0; level < kMeasuredAt.size(); ++level) {
    const auto& steps = curve.margins().levels()[level];
    stored.margins[level] = static_cast<std::uint32_t>(steps.size());
    margins.insert(margins.end(), steps.begin(), steps.end());
  }
  stored.family = static_cast<std::uint32_t>(shape.family);
  stored.asked_tables = shape.tables;
  const FamilyParts family = hashed() ? router_->family().parts() : FamilyParts{};
  stored.groups = static_cast<std::uint32_t>(std::max<std::size_t>(family.group_starts.size(), 1) - 1);
  stored.tables = tables();
  stored.digits = family.codes.digits;
  stored.last_width = family.codes.last_width;
  stored.mean_residual = hashed() ? router_->mean_residual() : 0.0F;
  stored.store = static_cast<std::uint32_t>(shape.store);
  stored.sketch_width = hashed() ? static_cast<std::uint32_t>(router_->layout().codebook->width) : 0;
  const std::span<const float> none;
  std::vector sections = {
      section(Section::shape, std::span<const StoredShape>(&stored, 1)),
      section(Section::note, std::span(note)),
      section(Section::ids, ids_.view()),
      section(Section::by_id, by_id_.view()),
      section(Section::copies, copies_.starts()),
      section(Section::inverse_norms, inverse_norms_.view()),
      section(Section::middle, hashed() ? router_->space().middle() : none),
      section(Section::projection, hashed() ? router_->projection().matrix() : none),
      section(Section::group_centres, family.group_centres),
      section(Section::group_starts, family.group_starts),
      section(Section::bucket_of, family.bucket_of),
      section(Section::centres, family.centres),
      section(Section::starts, hashed() ? sketches_->starts() : std::span<const std::uint32_t>()),
      section(Section::later_members, later_members_.view()),
      section(Section::margins, std::span<const Margins::Step>(margins)),
      section(Section::curve, curve.recalls()),
      section(Section::sketches, hashed() ? sketches_->bytes() : std::span<const std::uint8_t>()),
      section(Section::reaches, reaches_.view()),
      section(Section::bytes, bytes_.bytes()),
      section(Section::vectors, vectors_.view()),
  };
  if (form_.bytes() >= kWorthIdsTwice) {
    sections.push_back(section(Section::shape_again, std::span<const StoredShape>(&stored, 1)));
    sections.push_back(section(Section::ids_again, ids_.view()));
  }
  verify();
  write_segment_file(path, sections, pause);
}

Segment::Segment(const std::string& path) : file_(std::make_shared<SegmentFile>(path)) {
  const auto note = file_->get<char>(Section::note, file_->bytes_of(Section::note));
  note_.assign(note.begin(), note.end());
  if (file_->version() == 1)
    open_version_1();
  else
    open();
}

// Its rows, not hashed: the tables it has are of another engine. The next sealing gives them buckets.
void Segment::open_version_1() {
  const StoredShape stored = stored_shape(*file_);
  shape_ = stored.asked();
  form_ = RowForm(shape_.store, shape_.metric, shape_.dim);
  ids_ = Column(file_->get<std::int64_t>(Section::ids, stored.rows));
  originals_ = stored.rows;
  sort_by_id();
  check_ids();
  inverse_norms_ = Column(file_->get<float>(Section::inverse_norms, form_.normed() ? stored.rows : 0));
  vectors_ = Column(file_->get_unverified<std::byte>(Section::vectors, stored.rows * form_.bytes()));
}

void Segment::open() {
  const StoredShape stored = stored_shape(*file_);
  shape_ = stored.asked();
  form_ = RowForm(shape_.store, shape_.metric, shape_.dim);
  const std::size_t rows = stored.rows;
  ids_ = Column(file_->get<std::int64_t>(Section::ids, rows));
  by_id_ = Column(file_->get<std::uint32_t>(Section::by_id, rows));
  check_ids();
  open_copies(stored.copies);
  inverse_norms_ = Column(file_->get<float>(Section::inverse_norms, form_.normed() ? rows : 0));
  vectors_ = Column(file_->get_unverified<std::byte>(Section::vectors, rows * form_.bytes()));
  if (stored.buckets == 0) return;

  open_lists(stored);
}

void Segment::open_lists(const StoredShape& stored) {
  Space space(shape_.metric, form_.dim, stored.largest_norm);
  space.set_middle(Column(file_->get<float>(Section::middle, space.dim())));
  if (!(stored.narrowing >= 1.0F)) file_->damaged("its narrowing makes no sense");
  const std::size_t m = stored.m, dim = space.dim();
  if (m > dim + 3) file_->damaged("its projection makes no sense");
  Projection projection = static_cast<Projection::Kind>(stored.projection) == Projection::Kind::rotation
                              ? Projection(dim, m, stored.seed)
                              : Projection(dim, m, Column(file_->get<float>(Section::projection, m * dim)));
  FamilyParts parts;
  parts.centres = file_->get<float>(Section::centres, stored.buckets * m);
  if (shape_.family == Family::spheres) {
    parts.group_centres = file_->get<float>(Section::group_centres, stored.groups * m);
    parts.group_starts = file_->get<std::uint32_t>(Section::group_starts, stored.groups + std::size_t{1});
  } else {
    parts.codes = {stored.tables, stored.digits, stored.last_width};
    parts.bucket_of = file_->get<std::uint32_t>(Section::bucket_of,
                                                stored.tables * codes_of(shape_.family, parts.codes, m));
  }
  auto family = open_family(shape_.family, parts, m, stored.seed);
  if (const std::string problem = family->problem(); !problem.empty()) file_->damaged(problem);
  if (family->buckets() != stored.buckets) file_->damaged("its groups do not hold its buckets");
  const auto router = std::make_shared<Router>(form_, std::move(space), std::move(projection),
                                               std::move(family), originals_, stored.seed);
  router->keep(file_);
  router->choose(*codebook_of(stored.sketch_width));
  const auto starts = file_->get<std::uint32_t>(Section::starts, stored.buckets + std::size_t{1});
  check_members(starts, stored.tables);
  sketches_.emplace(
      router->layout(), Column(starts),
      Column(file_->get<std::uint8_t>(Section::sketches, Sketches::bytes_for(router->layout(), starts))));
  const std::size_t width = router->byte_width();
  const std::size_t bytes = form_.compact() ? 0 : originals_ * ByteRows::stride(width);
  bytes_ = ByteRows(width, Column(file_->get_unverified<std::int8_t>(Section::bytes, bytes)));
  reaches_ = Column(file_->get<Reach>(Section::reaches, stored.buckets));
  const std::size_t recalls = kMeasuredAt.size() * stored.probe_steps * stored.rerank_steps;
  router->set_curve(RecallCurve(Column(file_->get<float>(Section::curve, recalls)), stored.probe_steps,
                                stored.rerank_steps, router->costs(originals_), stored.narrowing,
                                open_margins(stored.margins)));
  router->set_reach(reaches_.view(), stored.mean_residual);
  router_ = router;
  founds_router_ = true;
}

Margins Segment::open_margins(const std::array<std::uint32_t, kMeasuredAt.size()>& counts) const {
  auto all = file_->get<Margins::Step>(Section::margins,
                                       std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  Margins::Levels levels;
  for (std::size_t level = 0; level < counts.size(); ++level) {
    const auto steps = all.first(counts[level]);
    if (!Margins::make_sense(steps)) file_->damaged("its margins make no sense");
    levels[level].assign(steps.begin(), steps.end());
    all = all.subspan(counts[level]);
  }
  return Margins(std::move(levels));
}

// The copies lie behind the originals; each of these has those from its start up to the next.
void Segment::open_copies(std::size_t copies) {
  originals_ = rows() - copies;
  const auto starts = file_->get<std::uint32_t>(Section::copies, copies > 0 ? originals_ + 1 : 0);
  if (copies > 0 && (starts.front() != originals_ || starts.back() != rows() ||
                     !std::is_sorted(starts.begin(), starts.end())))
    file_->damaged("its copies do not follow its originals");
  copies_ = Copies(Column(starts));
}

// No bucket reaches from the first table into the next: its entries are rows, those of the others name them.
void Segment::check_members(std::span<const std::uint32_t> starts, std::size_t tables) {
  if (starts.front() != 0 || starts.back() != originals_ * tables ||
      !std::is_sorted(starts.begin(), starts.end()) ||
      !std::binary_search(starts.begin(), starts.end(), static_cast<std::uint32_t>(originals_)))
    file_->damaged("its buckets do not hold its rows");
  later_members_ = Column(file_->get<std::uint32_t>(Section::later_members, (tables - 1) * originals_));
  for (const std::uint32_t row : later_members_.view())
    if (row >= originals_) file_->damaged("a bucket holds a row that is not there");
}

// Ids ascend strictly in their order, so each is there once; and each is one that was given.
void Segment::check_ids() const {
  std::int64_t last = -1;
  for (const std::uint32_t row : by_id_.view()) {
    if (row >= rows()) file_->damaged("its order of ids names a row that it does not have");
    if (ids_[row] <= last) file_->damaged("an id is negative, or there twice");
    last = ids_[row];
  }
  if (rows() > 0 && static_cast<std::uint64_t>(last) >= shape_.next_id)
    file_->damaged("an id is larger than the largest one ever used");
}

void Segment::sort_by_id() {
  Array<std::uint32_t> order(ids_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return ids_[a] < ids_[b]; });
  by_id_ = Column(std::move(order));
}

std::optional<std::uint32_t> Segment::find(std::int64_t id) const {
  const auto order = by_id_.view();
  const auto found =
      std::lower_bound(order.begin(), order.end(), id,
                       [&](std::uint32_t row, std::int64_t wanted) { return ids_[row] < wanted; });
  if (found == order.end() || ids_[*found] != id) return std::nullopt;
  return *found;
}

}  // namespace lookalike
