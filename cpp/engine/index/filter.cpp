#include "engine/index/filter.hpp"

#include <utility>

namespace lookalike {
namespace {

Bits rows_with(const Segment& segment, std::span<const std::int64_t> ids) {
  Bits rows(segment.rows(), false);
  if (ids.size() < segment.rows() / 16) {
    for (const std::int64_t id : ids)
      if (const auto row = segment.find(id)) rows.set(*row);
    return rows;
  }
  auto wanted = ids.begin();
  for (const std::uint32_t row : segment.by_id()) {
    const std::int64_t id = segment.id(row);
    while (wanted != ids.end() && *wanted < id) ++wanted;
    if (wanted == ids.end()) break;
    if (*wanted == id) rows.set(row);
  }
  return rows;
}

}  // namespace

Filter::Filter(std::span<const std::int64_t> ids) : ids_(ids.begin(), ids.end()) {
  if (!std::is_sorted(ids_.begin(), ids_.end())) std::sort(ids_.begin(), ids_.end());
}

// Rows only ever cease to live: as many as before are the same, and of fewer none is new.
std::shared_ptr<const Allowed> Filter::among(const std::shared_ptr<const Segment>& segment,
                                             const Allowed& live) const {
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [](const Known& known) { return known.segment.expired(); });
  auto known = std::find_if(known_.begin(), known_.end(),
                            [&](const Known& each) { return each.segment.lock() == segment; });
  if (known != known_.end() && known->live == live.count()) return known->allowed;
  Bits rows = known != known_.end() ? known->allowed->rows() : rows_with(*segment, ids_);
  rows &= live.rows();
  auto allowed = std::make_shared<const Allowed>(std::move(rows), segment->copies());
  if (known == known_.end()) known = known_.insert(known, {segment, 0, nullptr});
  known->live = live.count();
  known->allowed = std::move(allowed);
  return known->allowed;
}

}  // namespace lookalike
