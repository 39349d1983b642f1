// What changes an index: check everything, then do everything.
#include <algorithm>
#include <limits>
#include <mutex>

#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kMaxRows = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::vector<std::int64_t> Index::add(const void* vectors, std::size_t count, const std::int64_t* ids,
                                     bool overwrite) {
  Rows incoming = intake_.rows(vectors, count);
  std::vector<std::int64_t> taken;
  {
    const std::unique_lock lock(mutex_);
    taken = check_ids(ids, count);
    incoming.ids.assign(taken.begin(), taken.end());
    const std::vector<Place> replaced = ids != nullptr ? places_of(taken, overwrite) : std::vector<Place>();

    fresh_live_.resize(fresh_.size() + count,
                       true);  // bits without rows do no harm, should memory run out now
    fresh_.append(incoming);
    fresh_live_count_ += count;
    for (const Place place : replaced) bury(place);
    for (const std::int64_t id : taken)
      shape_.next_id = std::max(shape_.next_id, static_cast<std::uint64_t>(id) + 1);
  }
  seal_in_background();
  return taken;
}

std::vector<Index::Place> Index::places_of(std::span<const std::int64_t> ids, bool overwrite) const {
  std::vector<Place> places;
  for (const std::int64_t id : ids) {
    const auto place = find(id);
    if (!place) continue;
    if (!overwrite)
      throw IdError("id " + std::to_string(id) +
                    " is in the index already; pass overwrite=True to replace its vector");
    places.push_back(*place);
  }
  return places;
}

void Index::remove(std::span<const std::int64_t> ids) {
  const std::unique_lock lock(mutex_);
  std::vector<std::int64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw IdError("id " + std::to_string(*twice) + " is named twice; name each id once, nothing was removed");
  std::vector<Place> places;
  for (const std::int64_t id : ids) {
    const auto place = find(id);
    if (!place)
      throw IdError("id " + std::to_string(id) +
                    " is not in the index; name only ids that are, nothing was removed");
    places.push_back(*place);
  }
  for (const Place place : places) bury(place);
}

void Index::bury(Place place) {
  if (place.part == parts_.size()) {
    fresh_live_.clear(place.row);
    --fresh_live_count_;
  } else {
    Part& part = parts_[place.part];
    part.live.remove(place.row, part.segment->copies());
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

}  // namespace lookalike
