#include "engine/index/index.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "engine/base/errors.hpp"

namespace lookalike {
namespace {

// Where one segment's ids end before the next's begin, nothing need be compared.
void refuse_shared_ids(const Snapshot& snapshot) {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const Part& part : snapshot.parts()) {
    const auto order = part.segment->by_id();
    ranges.emplace_back(part.segment->id(order.front()), part.segment->id(order.back()));
  }
  std::sort(ranges.begin(), ranges.end());
  const auto overlap = [](const auto& a, const auto& b) { return a.second >= b.first; };
  if (std::adjacent_find(ranges.begin(), ranges.end(), overlap) == ranges.end()) return;
  const std::vector<std::int64_t> all = snapshot.ids();
  if (const auto twice = std::adjacent_find(all.begin(), all.end()); twice != all.end())
    throw ArgumentError("id " + std::to_string(*twice) +
                        " is in two of the files; expected files whose ids differ");
}

std::shared_ptr<const Segment> segment_at(const std::string& path, const Snapshot* beside) {
  if (beside != nullptr)
    for (const Part& part : beside->parts())
      if (part.segment->is_at(path)) return part.segment;
  return std::make_shared<const Segment>(path);
}

}  // namespace

Index::Index(const Shape& shape) : setting_(std::make_shared<const Setting>(shape)), next_id_(shape.next_id) {
  if (!shape.family->takes(shape.metric))
    throw ArgumentError("the hash family " + std::string(shape.family->name) +
                        " does not take this metric; choose another");
  publish({}, {}, {}, std::make_shared<const std::string>());
  enroll();
}

Index::Index(std::span<const std::string> paths, const Snapshot* beside) {
  std::vector<Part> parts;
  std::string note;
  Shape first;
  for (const std::string& path : paths) {
    const auto segment = segment_at(path, beside);
    const Shape& shape = segment->shape();
    if (&path == paths.data()) {
      first = shape;
      note = segment->note();
    }
    if (shape.dim != first.dim || shape.metric != first.metric || shape.store != first.store ||
        shape.seed != first.seed || segment->note() != note)
      throw ArgumentError(path + " is of another index than " + paths[0] +
                          "; expected the same dim, metric, store, seed and note in all of them");
    next_id_ = std::max(next_id_, shape.next_id);
    if (segment->rows() > 0) parts.push_back({segment, nullptr, nullptr});
  }
  setting_ = std::make_shared<const Setting>(first);
  std::vector<Listed> lists;
  if (const Part* const main = main_part(parts))
    lists.push_back({std::make_shared<const FreshLists>(main->segment->router()), 0});
  publish(std::move(parts), {}, std::move(lists), std::make_shared<const std::string>(std::move(note)));
  refuse_shared_ids(*now_);
  enroll();
}

Index::Index(Salvage salvage) : Index(salvage.shape) {
  std::vector<FreshRows> fresh;
  if (salvage.rows.size() > 0) fresh.push_back(FreshRows::of(std::move(salvage.rows)));
  publish({}, std::move(fresh), {}, std::make_shared<const std::string>(std::move(salvage.note)));
}

Index::~Index() {
  withdraw();
  closing_ = true;
  if (sealer_.joinable()) sealer_.join();
}

void Index::publish(std::vector<Part> parts, std::vector<FreshRows> fresh, std::vector<Listed> lists) {
  publish(std::move(parts), std::move(fresh), std::move(lists), now_->shared_note());
}

// The snapshot before it may be freed here, but not under the lock.
void Index::publish(std::vector<Part> parts, std::vector<FreshRows> fresh, std::vector<Listed> lists,
                    std::shared_ptr<const std::string> note) {
  std::shared_ptr<const Snapshot> next = std::make_shared<Snapshot>(
      setting_, std::move(parts), std::move(fresh), std::move(lists), std::move(note));
  const std::scoped_lock lock(now_mutex_);
  now_.swap(next);
}

// The sealer may work for long, and only for this process: a fork does not wait for it, and the child, which
// has not got it, begins anew with its next add.
void Index::before_fork() {
  sealer_mutex_.lock();
  write_mutex_.lock();
  now_mutex_.lock();
}

void Index::after_fork_in_parent() {
  now_mutex_.unlock();
  write_mutex_.unlock();
  sealer_mutex_.unlock();
}

// Locks are made anew: unlocking them is for the thread that locked them, and its number here is another.
void Index::after_fork_in_child() {
  new (&now_mutex_) std::mutex();
  new (&write_mutex_) std::mutex();
  sealing_mutex_.reset_after_fork();
  new (&sealer_mutex_) std::mutex();
  new (&sealer_) std::thread();
  sealer_runs_ = false;
}

}  // namespace lookalike
