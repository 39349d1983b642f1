// What changes an index: check everything, then do everything.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kMaxRows = std::numeric_limits<std::uint32_t>::max();

// Where rows with these ids are, if they are anywhere.
std::vector<Place> places_of(const Snapshot& snapshot, std::span<const std::int64_t> ids, bool overwrite) {
  std::vector<Place> places;
  for (const std::int64_t id : ids) {
    const auto place = snapshot.find(id);
    if (!place) continue;
    if (!overwrite)
      throw IdError("id " + std::to_string(id) +
                    " is in the index already; pass overwrite=True to replace its vector");
    places.push_back(*place);
  }
  return places;
}

void bury(std::vector<Place> places, std::vector<Part>& parts, std::vector<FreshRows>& fresh) {
  std::sort(places.begin(), places.end());
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < places.size();) {
    const std::uint32_t number = places[i].part;
    rows.clear();
    for (; i < places.size() && places[i].part == number; ++i) rows.push_back(places[i].row);
    if (number >= parts.size()) {
      FreshRows& chunk = fresh[number - parts.size()];
      chunk = chunk.without(rows);
    } else {
      Part& part = parts[number];
      const Copies& copies = part.segment->copies();
      if (part.live == nullptr)
        part.live = std::make_shared<const Allowed>(Bits(part.segment->rows(), true), copies);
      part.live = std::make_shared<const Allowed>(part.live->without(rows, copies));
    }
  }
}

}  // namespace

/// Rows as a router sees them; none where there is no router yet. Many are in lists of their own already.
struct Index::Route {
  std::shared_ptr<const Router> router;
  Routed routed;
  std::shared_ptr<const FreshLists> lists;
};

std::vector<std::int64_t> Index::add(const void* vectors, std::size_t count, const std::int64_t* ids,
                                     bool overwrite) {
  Rows incoming = setting_->intake.rows(vectors, count);
  const StoredRows rows{setting_->intake.form(), incoming.vectors.data(), incoming.inverse_norms.data(),
                        count};
  if (snapshot()->size() == 0) setting_->intake.check_first(vectors, count);
  wait_for_sealing(count);
  Route route = this->route(*snapshot(), rows);
  std::vector<std::int64_t> taken;
  {
    const std::scoped_lock lock(write_mutex_);
    taken = check_ids(ids, count);
    if (count == 0) return taken;
    incoming.ids.assign(taken.begin(), taken.end());
    std::vector<Part> parts = now_->parts();
    std::vector<FreshRows> fresh = now_->fresh();
    std::vector<Listed> lists = now_->lists();
    if (ids != nullptr) bury(places_of(*now_, taken, overwrite), parts, fresh);
    list(std::move(route), rows, lists);
    append(std::move(incoming), fresh);
    publish(std::move(parts), std::move(fresh), std::move(lists));
    for (const std::int64_t id : taken) next_id_ = std::max(next_id_, static_cast<std::uint64_t>(id) + 1);
  }
  seal_in_background();
  return taken;
}

void Index::append(Rows rows, std::vector<FreshRows>& fresh) const {
  const RowForm& form = setting_->intake.form();
  const std::size_t most =
      std::clamp<std::size_t>(tuning::kChunkBytes / form.bytes(), 1, tuning::kRowsReadAtOnce);
  const auto close_last = [&] {
    if (!fresh.empty()) fresh.back() = fresh.back().closed();
  };
  if (rows.size() >= most) {
    close_last();
    fresh.push_back(FreshRows::of(std::move(rows)));
    return;
  }
  std::size_t begin = 0;
  if (!fresh.empty() && fresh.back().room() > 0) {
    begin = std::min(fresh.back().room(), rows.size());
    fresh.back() = fresh.back().continued(rows, 0, begin);
  }
  if (begin == rows.size()) return;
  close_last();
  const std::size_t least = std::max(std::min(kRowsAtOnce, most), rows.size() - begin);
  const std::size_t room = std::clamp(now_->fresh_rows(), least, most);
  fresh.push_back(FreshRows::with_room(form, room).continued(rows, begin, rows.size()));
}

// Many rows would keep others who add waiting while they are put into lists.
Index::Route Index::route(const Snapshot& snapshot, const StoredRows& rows) {
  if (snapshot.lists().empty()) return {};
  const auto& router = snapshot.lists().back().lists->router();
  if (rows.count < tuning::kSealAfter) return {router, route_all(*router, rows), nullptr};
  const auto equal = [&](std::uint32_t a, std::uint32_t b) {
    return std::memcmp(rows.row(a), rows.row(b), rows.form.bytes()) == 0;
  };
  return {router, {}, std::make_shared<const FreshLists>(FreshLists(router).with(rows, equal))};
}

// To be called with the turn. What is behind a gap begins lists of its own. Many rows stay in none where the
// router changed meanwhile, or where so many are unlike what it knows that to read all in turn takes no
// longer than to pick these: they are sealed next.
void Index::list(Route route, const StoredRows& rows, std::vector<Listed>& lists) const {
  if (lists.empty()) return;
  if (rows.count >= tuning::kSealAfter) {
    if (route.router != lists.back().lists->router()) return;
    if (tuning::kUnlikeOfManyOneIn * route.lists->unlike().size() > rows.count) return;
    if (lists.back().lists->rows() == 0) lists.pop_back();
    lists.push_back({std::move(route.lists), now_->fresh_rows()});
    return;
  }
  Listed& last = lists.back();
  if (route.router != last.lists->router()) route = this->route(*now_, rows);  // sealed meanwhile
  if (last.end() != now_->fresh_rows())
    lists.push_back({std::make_shared<const FreshLists>(last.lists->router()), now_->fresh_rows()});
  Listed& into = lists.back();
  const FreshTable& before = now_->fresh_table();
  const auto bytes = [&](std::size_t row) {
    return row < before.rows() ? before.bytes(rows.form, row) : rows.row(row - before.rows());
  };
  const auto equal = [&](std::uint32_t a, std::uint32_t b) {
    return std::memcmp(bytes(into.begin + a), bytes(into.begin + b), rows.form.bytes()) == 0;
  };
  into.lists = std::make_shared<const FreshLists>(into.lists->with(route.routed, rows.count, equal));
}

// Where sealing cannot keep up, whoever adds waits about as long as sealing what he adds takes.
void Index::wait_for_sealing(std::size_t count) const {
  const auto now = snapshot();
  const std::size_t fresh = now->fresh_rows();
  if (fresh < tuning::kManyFresh || 2 * fresh < now->rows()) return;
  std::this_thread::sleep_for(
      std::min<std::chrono::microseconds>(count * tuning::kWaitForRow, tuning::kLongestWait));
}

void Index::remove(std::span<const std::int64_t> ids) {
  const std::scoped_lock lock(write_mutex_);
  std::vector<std::int64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw IdError("id " + std::to_string(*twice) + " is named twice; name each id once, nothing was removed");
  std::vector<Place> places;
  for (const std::int64_t id : ids) {
    const auto place = now_->find(id);
    if (!place)
      throw IdError("id " + std::to_string(id) +
                    " is not in the index; name only ids that are, nothing was removed");
    places.push_back(*place);
  }
  if (places.empty()) return;
  std::vector<Part> parts = now_->parts();
  std::vector<FreshRows> fresh = now_->fresh();
  bury(std::move(places), parts, fresh);
  publish(std::move(parts), std::move(fresh), now_->lists());
}

std::vector<std::int64_t> Index::check_ids(const std::int64_t* ids, std::size_t count) const {
  if (count > kMaxRows - now_->rows())
    throw ArgumentError("an index holds at most " + std::to_string(kMaxRows) + " vectors; make a second one");
  std::vector<std::int64_t> taken(count);
  if (ids == nullptr) {
    constexpr auto kEnd = std::uint64_t{1} << 63;
    if (count > kEnd - next_id_) throw IdError("no ids are left above the largest one; pass ids of your own");
    for (std::size_t i = 0; i < count; ++i) taken[i] = static_cast<std::int64_t>(next_id_ + i);
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
