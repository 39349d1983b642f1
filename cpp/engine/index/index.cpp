#include "engine/index/index.hpp"

#include <algorithm>
#include <shared_mutex>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/segment/search_scratch.hpp"

namespace lookalike {

Index::Index(const Shape& shape)
    : shape_(shape),
      intake_(shape.metric, shape.store, shape.dim, shape.seed),
      scratch_(std::make_unique<ScratchPool>()) {
  enroll();
}

Index::Index(std::span<const std::string> paths) : scratch_(std::make_unique<ScratchPool>()) {
  for (const std::string& path : paths) {
    auto segment = std::make_shared<const Segment>(path);
    const Shape& shape = segment->shape();
    if (&path == paths.data()) {
      shape_ = shape;
      note_ = segment->note();
    }
    if (shape.dim != shape_.dim || shape.metric != shape_.metric || shape.store != shape_.store ||
        shape.seed != shape_.seed || segment->note() != note_)
      throw ArgumentError(path + " is of another index than " + paths[0] +
                          "; expected the same dim, metric, store, seed and note in all of them");
    shape_.next_id = std::max(shape_.next_id, shape.next_id);
    const std::size_t rows = segment->rows();
    if (rows > 0) parts_.push_back({segment, Allowed(Bits(rows, true), segment->copies()), nullptr});
  }
  intake_ = Intake(shape_.metric, shape_.store, shape_.dim, shape_.seed);
  refuse_shared_ids();
  enroll();
}

Index::Index(Salvage salvage) : Index(salvage.shape) {
  note_ = std::move(salvage.note);
  fresh_ = std::move(salvage.rows);
  fresh_live_.resize(fresh_.size(), true);
  fresh_live_count_ = fresh_.size();
}

// Where one segment's ids end before the next's begin, nothing need be compared.
void Index::refuse_shared_ids() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const Part& part : parts_) {
    const auto order = part.segment->by_id();
    ranges.emplace_back(part.segment->id(order.front()), part.segment->id(order.back()));
  }
  std::sort(ranges.begin(), ranges.end());
  const auto overlap = [](const auto& a, const auto& b) { return a.second >= b.first; };
  if (std::adjacent_find(ranges.begin(), ranges.end(), overlap) == ranges.end()) return;
  const std::vector<std::int64_t> all = ids();
  if (const auto twice = std::adjacent_find(all.begin(), all.end()); twice != all.end())
    throw ArgumentError("id " + std::to_string(*twice) +
                        " is in two of the files; expected files whose ids differ");
}

Index::~Index() {
  withdraw();
  closing_ = true;
  if (sealer_.joinable()) sealer_.join();
}

std::size_t Index::size() const {
  const std::shared_lock lock(mutex_);
  return live_count();
}

bool Index::contains(std::int64_t id) const {
  const std::shared_lock lock(mutex_);
  return find(id).has_value();
}

std::vector<float> Index::vector(std::int64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto place = find(id);
  if (!place) throw IdError("id " + std::to_string(id) + " is not in the index; ask for one of its ids");
  if (place->part == parts_.size()) return intake_.vector(fresh_.stored(intake_.form()).row(place->row));
  const Segment& segment = *parts_[place->part].segment;
  segment.touch(place->row, place->row + std::size_t{1});
  return intake_.vector(segment.stored().row(place->row));
}

std::vector<std::int64_t> Index::ids() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::int64_t> ids;
  ids.reserve(live_count());
  for (const Part& part : parts_)
    for (const std::uint32_t row : part.segment->by_id())
      if (part.live[row]) ids.push_back(part.segment->id(row));
  for (std::size_t row = 0; row < fresh_.size(); ++row)
    if (fresh_live_[row]) ids.push_back(fresh_.ids[row]);
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  return ids;
}

void Index::verify(const Interrupt& interrupt) const {
  std::vector<std::shared_ptr<const Segment>> segments;
  {
    const std::shared_lock lock(mutex_);
    for (const Part& part : parts_) segments.push_back(part.segment);
  }
  for (const auto& segment : segments) {
    if (interrupt) interrupt();
    segment->verify();
  }
}

std::string Index::note() const {
  const std::shared_lock lock(mutex_);
  return note_;
}

std::size_t Index::segments() const {
  const std::shared_lock lock(mutex_);
  return parts_.size();
}

std::size_t Index::buckets() const {
  const std::shared_lock lock(mutex_);
  std::size_t buckets = 0;
  for (const Part& part : parts_) buckets += part.segment->buckets();
  return buckets;
}

std::size_t Index::all_rows() const {
  std::size_t rows = fresh_.size();
  for (const Part& part : parts_) rows += part.segment->rows();
  return rows;
}

std::size_t Index::live_count() const {
  std::size_t live = fresh_live_count_;
  for (const Part& part : parts_) live += part.live.count();
  return live;
}

// An id lives in one place at most; where it was replaced, its older places are dead.
std::optional<Index::Place> Index::find(std::int64_t id) const {
  if (const auto row = find_fresh(id)) return Place{static_cast<std::uint32_t>(parts_.size()), *row};
  for (std::uint32_t i = 0; i < parts_.size(); ++i)
    if (const auto row = parts_[i].segment->find(id); row && parts_[i].live[*row]) return Place{i, *row};
  return std::nullopt;
}

bool Index::lives(Place place) const {
  return place.part == parts_.size() ? fresh_live_[place.row] : parts_[place.part].live[place.row];
}

// Only who holds mutex_ comes here; several readers may come at once.
std::optional<std::uint32_t> Index::find_fresh(std::int64_t id) const {
  const std::scoped_lock lock(fresh_row_of_mutex_);
  for (; fresh_mapped_ < fresh_.size(); ++fresh_mapped_)
    fresh_row_of_[fresh_.ids[fresh_mapped_]] = static_cast<std::uint32_t>(fresh_mapped_);
  const auto found = fresh_row_of_.find(id);
  if (found == fresh_row_of_.end() || !fresh_live_[found->second]) return std::nullopt;
  return found->second;
}

}  // namespace lookalike
