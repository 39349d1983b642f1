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
  enroll();
}

// Rows of a segment only ever cease to live: as many of them are the same.
std::shared_ptr<const Allowed> Filter::among(const std::shared_ptr<const Segment>& segment,
                                             const Allowed* live) const {
  const std::size_t count = live != nullptr ? live->count() : segment->rows();
  Known known = this->known(segment);
  if (known.allowed != nullptr && known.live == count) return known.allowed;
  if (known.rows == nullptr) known.rows = std::make_shared<const Bits>(rows_with(*segment, ids_));
  Bits rows = *known.rows;
  if (live != nullptr) live->rows().keep_of(rows);
  known = {segment, known.rows, count, std::make_shared<const Allowed>(rows, segment->copies())};
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [&](const Known& each) {
    const auto its = each.segment.lock();
    return its == nullptr || its == segment;
  });
  known_.push_back(known);
  return known.allowed;
}

Filter::Known Filter::known(const std::shared_ptr<const Segment>& segment) const {
  const std::scoped_lock lock(mutex_);
  for (const Known& each : known_)
    if (each.segment.lock() == segment) return each;
  return {};
}

}  // namespace lookalike
