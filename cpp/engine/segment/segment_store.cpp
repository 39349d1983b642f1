// A segment to and from its file; the byte table is in docs/format.md.
#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/errors.hpp"
#include "engine/segment/segment.hpp"
#include "engine/segment/segment_shape.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

const std::string kRouter = "router/";  // what the names of its sections begin with

template <class T>
SectionData section(std::string_view name, std::span<const T> items, bool optional = false) {
  return {name, std::as_bytes(items), optional};
}

// The sections of a router.
class RouterSource final : public PartSource {
 public:
  explicit RouterSource(const SegmentFile& file) : file_(file) {
    if (file.version() < 3) codes_ = codes_of_version_2(file);
  }

  std::span<const std::byte> find(std::string_view name) const override {
    if (file_.version() < 3 && name == "codes") return std::as_bytes(std::span(&codes_, 1));
    const std::string section = called(name);
    return file_.get<std::byte>(section, file_.bytes_of(section));
  }
  [[noreturn]] void damaged(const std::string& what) const override { file_.damaged(what); }

 private:
  std::string called(std::string_view name) const override { return kRouter + std::string(name); }

  const SegmentFile& file_;
  CodeLayout codes_;
};

}  // namespace

void Segment::write(const std::string& path, const Shape& shape, const std::string& note,
                    const RecallCurve& curve, const Interrupt& pause) const {
  SegmentShape stored{};
  stored.rows = rows();
  stored.dim = shape.dim;
  stored.seed = shape.seed;
  stored.next_id = shape.next_id;
  stored.metric = static_cast<std::uint32_t>(shape.metric);
  stored.store = static_cast<std::uint32_t>(shape.store);
  stored.copies = static_cast<std::uint32_t>(rows() - originals_);
  stored.asked_buckets = shape.buckets;
  stored.asked_tables = shape.tables;
  stored.family = stored_name(shape.family->name);
  const auto whole = std::span<const SegmentShape>(&stored, 1);
  std::vector sections = {
      section("segment", whole),           section("note", std::span(note)),
      section("ids", ids_.view()),         section("by_id", by_id_.view()),
      section("copies", copies_.starts()), section("inverse_norms", inverse_norms_.view()),
  };
  std::optional<RouterParts> router;
  std::vector<std::string> names;
  if (hashed()) {
    router.emplace(*router_, *shape.family, curve);
    stored.router = router_hash(router->parts());
    names.reserve(router->parts().size());
    for (const auto& [name, bytes] : router->parts())
      sections.push_back({names.emplace_back(kRouter + std::string(name)), bytes});
    sections.push_back(section("starts", sketches_->starts()));
    sections.push_back(section("later_members", later_members_.view()));
    sections.push_back(section("sketches", sketches_->bytes()));
    sections.push_back(section("reaches", reaches_.view()));
    sections.push_back(section("bytes", bytes_.bytes()));
  }
  sections.push_back(section("vectors", vectors_.view()));
  if (form_.bytes() >= tuning::kWorthIdsTwice) {
    sections.push_back(section("segment_again", whole, true));
    sections.push_back(section("ids_again", ids_.view(), true));
  }
  verify();
  write_segment_file(path, sections, pause);
}

Segment::Segment(const std::string& path) : file_(std::make_shared<SegmentFile>(path)) {
  const auto note = file_->get<char>("note", file_->bytes_of("note"));
  note_.assign(note.begin(), note.end());
  if (file_->version() == 1)
    open_version_1();
  else
    open();
}

// Its rows, not hashed: the tables it has are of another engine. The next sealing gives them buckets.
void Segment::open_version_1() {
  const SegmentShape stored = segment_shape(*file_);
  shape_ = stored.asked();
  form_ = RowForm(shape_.store, shape_.metric, shape_.dim);
  ids_ = Column(file_->get<std::int64_t>("ids", stored.rows));
  originals_ = stored.rows;
  sort_by_id();
  check_ids();
  inverse_norms_ = Column(file_->get<float>("inverse_norms", form_.normed() ? stored.rows : 0));
  vectors_ = Column(file_->get_unverified<std::byte>("vectors", stored.rows * form_.bytes()));
}

void Segment::open() {
  const SegmentShape stored = segment_shape(*file_);
  const RouterShape router = router_shape(*file_, stored);
  shape_ = stored.asked();
  form_ = RowForm(shape_.store, shape_.metric, shape_.dim);
  const std::size_t rows = stored.rows;
  ids_ = Column(file_->get<std::int64_t>("ids", rows));
  by_id_ = Column(file_->get<std::uint32_t>("by_id", rows));
  check_ids();
  open_copies(stored.copies);
  inverse_norms_ = Column(file_->get<float>("inverse_norms", form_.normed() ? rows : 0));
  vectors_ = Column(file_->get_unverified<std::byte>("vectors", rows * form_.bytes()));
  if (router.buckets > 0) open_router(router);
  file_->require_known();
  if (hashed() && file_->version() > 2) check_router(stored.router);
}

void Segment::check_router(const RouterHash& hash) const {
  std::vector<NamedBytes> parts;
  for (const auto& [name, bytes, optional] : file_->sections())
    if (name.starts_with(kRouter))
      parts.push_back({name.substr(kRouter.size()), file_->get<std::byte>(name, bytes.size())});
  std::ranges::sort(parts, {}, &NamedBytes::name);
  if (router_hash(parts) != hash) file_->damaged("its router is not the one that its rows lie by");
}

void Segment::open_router(const RouterShape& shape) {
  const RouterSource source(*file_);
  const auto router = lookalike::open_router(shape, form_, *shape_.family, source);
  reaches_ = Column(file_->get<Reach>("reaches", shape.buckets));
  if (file_->version() < 3)
    router->set_reach(reaches_.view(), shape.mean_residual);
  else
    router->set_bounds(source.get<float>("bounds", shape.buckets), shape.mean_residual);
  router->keep(file_);
  router_ = router;
  founds_router_ = true;
  open_lists();
}

void Segment::open_lists() {
  const auto starts = file_->get<std::uint32_t>("starts", buckets() + std::size_t{1});
  check_members(starts, tables());
  const SketchLayout& layout = router_->layout();
  sketches_.emplace(layout, Column(starts),
                    Column(file_->get<std::uint8_t>("sketches", Sketches::bytes_for(layout, starts))));
  const std::size_t width = router_->byte_width();
  const std::size_t bytes = form_.compact() ? 0 : originals_ * ByteRows::stride(width);
  bytes_ = ByteRows(width, Column(file_->get_unverified<std::int8_t>("bytes", bytes)));
}

// The copies lie behind the originals; each of these has those from its start up to the next.
void Segment::open_copies(std::size_t copies) {
  originals_ = rows() - copies;
  const auto starts = file_->get<std::uint32_t>("copies", copies > 0 ? originals_ + 1 : 0);
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
  later_members_ = Column(file_->get<std::uint32_t>("later_members", (tables - 1) * originals_));
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
