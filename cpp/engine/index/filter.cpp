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

// Those behind the first `known` ones, whose bits are set already.
void add_rows_with(const FreshRows& chunk, std::span<const std::int64_t> ids, std::size_t known, Bits& rows) {
  const auto first = std::lower_bound(ids.begin(), ids.end(), chunk.least_id());
  const auto last = std::upper_bound(first, ids.end(), chunk.largest_id());
  if (first == last) return;
  if (!chunk.ascending() || static_cast<std::size_t>(last - first) > 16 * (chunk.size() - known)) {
    for (std::size_t row = known; row < chunk.size(); ++row)
      if (std::binary_search(first, last, chunk.id(row))) rows.set(row);
    return;
  }
  auto wanted = std::lower_bound(first, last, chunk.id(known));
  for (std::size_t row = known; row < chunk.size() && wanted != last; ++row) {
    while (wanted != last && *wanted < chunk.id(row)) ++wanted;
    if (wanted != last && *wanted == chunk.id(row)) rows.set(row);
  }
}

}  // namespace

Filter::Filter(std::span<const std::int64_t> ids) : ids_(ids.begin(), ids.end()) {
  if (!std::is_sorted(ids_.begin(), ids_.end())) std::sort(ids_.begin(), ids_.end());
  enroll();
}

std::shared_ptr<const Allowed> Filter::among(const std::shared_ptr<const Segment>& segment,
                                             const std::shared_ptr<const Allowed>& live) const {
  const bool all = live == nullptr;
  Known known = this->known(segment);
  if (known.allowed != nullptr && known.all_live == all && known.live.lock() == live) return known.allowed;
  if (known.rows == nullptr) known.rows = std::make_shared<const Bits>(rows_with(*segment, ids_));
  Bits rows = *known.rows;
  if (live != nullptr) live->rows().keep_of(rows);
  known = {segment, known.rows, live, all, std::make_shared<const Allowed>(rows, segment->copies())};
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [&](const Known& each) {
    const auto its = each.segment.lock();
    return its == nullptr || its == segment;
  });
  known_.push_back(known);
  return known.allowed;
}

// Chunks come at the end and go at the beginning; the last one may have grown.
FreshTable Filter::among(const FreshTable& fresh) const {
  std::unique_lock lock(mutex_);
  if (fresh.is_in(known_table_.memory)) return fresh.among(known_table_.living, known_table_.live);
  const std::shared_ptr<const KnownChunks> before = known_chunks_;
  lock.unlock();
  KnownChunks now;
  now.reserve(fresh.chunks().size());
  bool same = before->size() == fresh.chunks().size();
  Bits allowed;
  auto from = before->begin();
  for (const FreshRows& chunk : fresh.chunks()) {
    const auto known =
        std::find_if(from, before->end(), [&](const KnownChunk& each) { return chunk.is_in(each.memory); });
    const std::size_t rows = known != before->end() ? known->rows->size() : 0;
    if (rows >= chunk.size() && rows > 0) {
      now.push_back(*known);
    } else {
      same = false;
      Bits with = rows > 0 ? *known->rows : Bits();
      with.resize(chunk.size(), false);
      add_rows_with(chunk, ids_, rows, with);
      now.push_back({chunk.memory(), std::make_shared<const Bits>(std::move(with))});
    }
    if (known != before->end()) from = known + 1;
    if (rows > chunk.size()) {  // of a later snapshot than this
      Bits some = *now.back().rows;
      some.resize(chunk.size(), false);
      allowed.append(some);
    } else {
      allowed.append(*now.back().rows);
    }
  }
  fresh.keep_living(allowed);
  const std::size_t live = allowed.count();
  const auto living = std::make_shared<const Bits>(std::move(allowed));
  auto known = same ? before : std::make_shared<const KnownChunks>(std::move(now));
  lock.lock();
  known_chunks_.swap(known);
  known_table_ = {fresh.memory(), living, live};
  lock.unlock();
  return fresh.among(living, live);
}

Filter::Known Filter::known(const std::shared_ptr<const Segment>& segment) const {
  const std::scoped_lock lock(mutex_);
  for (const Known& each : known_)
    if (each.segment.lock() == segment) return each;
  return {};
}

}  // namespace lookalike
