#include "engine/index/snapshot.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/index/search_plan.hpp"

namespace lookalike {

const Part* main_part(const std::vector<Part>& parts) {
  const Part* main = nullptr;
  for (const Part& part : parts)
    if (part.segment->hashed() && (main == nullptr || part.segment->originals() > main->segment->originals()))
      main = &part;
  return main;
}

Snapshot::Snapshot(std::shared_ptr<const Setting> setting, std::vector<Part> parts,
                   std::vector<FreshRows> fresh, std::vector<Listed> lists,
                   std::shared_ptr<const std::string> note)
    : setting_(std::move(setting)),
      parts_(std::move(parts)),
      fresh_(std::move(fresh)),
      lists_(std::move(lists)),
      note_(std::move(note)),
      live_(fresh_.live()),
      rows_(fresh_.rows()),
      plans_(std::make_shared<Plans>()) {
  for (const Part& part : parts_) {
    rows_ += part.segment->rows();
    live_ += part.live_count();
  }
}

// An id lives in one place at most; where it was replaced, its older places are dead.
std::optional<Place> Snapshot::find(std::int64_t id) const {
  const auto parts = static_cast<std::uint32_t>(parts_.size());
  for (auto i = static_cast<std::uint32_t>(fresh().size()); i-- > 0;)
    if (const auto row = fresh()[i].find(id)) return Place{parts + i, *row};
  for (std::uint32_t i = 0; i < parts; ++i)
    if (const auto row = parts_[i].segment->find(id); row && parts_[i].lives(*row)) return Place{i, *row};
  return std::nullopt;
}

std::vector<float> Snapshot::vector(std::int64_t id) const {
  const auto place = find(id);
  if (!place) throw IdError("id " + std::to_string(id) + " is not in the index; ask for one of its ids");
  const Intake& intake = setting_->intake;
  if (place->part >= parts_.size())
    return intake.vector(fresh()[place->part - parts_.size()].stored(form()).row(place->row));
  const Segment& segment = *parts_[place->part].segment;
  segment.touch(place->row, place->row + std::size_t{1});
  return intake.vector(segment.stored().row(place->row));
}

std::vector<std::int64_t> Snapshot::ids() const {
  std::vector<std::int64_t> ids;
  ids.reserve(live_);
  for (const Part& part : parts_)
    for (const std::uint32_t row : part.segment->by_id())
      if (part.lives(row)) ids.push_back(part.segment->id(row));
  for (const FreshRows& chunk : fresh())
    for (std::size_t row = 0; row < chunk.size(); ++row)
      if (chunk[row]) ids.push_back(chunk.id(row));
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  return ids;
}

void Snapshot::verify(const Interrupt& interrupt) const {
  for (const Part& part : parts_) {
    if (interrupt) interrupt();
    part.segment->verify();
  }
}

std::size_t Snapshot::buckets() const {
  std::vector<const Router*> routers;
  std::size_t buckets = 0;
  for (const Part& part : parts_) {
    const Router* const router = part.segment->router().get();
    if (router == nullptr || std::find(routers.begin(), routers.end(), router) != routers.end()) continue;
    routers.push_back(router);
    buckets += router->buckets();
  }
  return buckets;
}

}  // namespace lookalike
