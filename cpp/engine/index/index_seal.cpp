// Sealing and saving: a segment is built of one snapshot and put in place of what it was built of, so that
// searches and changes go on meanwhile.
#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "engine/sealing/builder.hpp"
#include "engine/sealing/carried.hpp"
#include "engine/sealing/measure.hpp"
#include "engine/tuning.hpp"

namespace lookalike {
namespace {

struct Closing : std::exception {};

}  // namespace

/// Which rows are to be sealed: all fresh ones, and those of segments that are worth merging with them.
struct Index::Wanted {
  bool everything = false;                           // all segments
  bool learns = false;                               // instead: those of the main router, to learn another
  std::shared_ptr<const Router> under = nullptr;     // null: the main router, unless it is outgrown
  std::size_t busy = 0;                              // so many parts, the first ones, are left as they are
  std::shared_ptr<const Router> replaced = nullptr;  // all segments of this router are merged
};

/// Rows to be sealed, ascending by id, and where each was.
struct Index::Harvest {
  std::shared_ptr<const Snapshot> from;
  Shape shape;
  std::shared_ptr<const Router> router;  // to be used where it fits; null: a new one is to be learned
  Rows rows;
  std::vector<Place> sources;
  std::vector<bool> merged;                // by part
  std::size_t chunks = 0, chunk_rows = 0;  // the first chunks of fresh rows are among these

  std::optional<Carried> carried() const;
};

// What the rows of parts and lists of the router to be used have of it already.
std::optional<Carried> Index::Harvest::carried() const {
  if (router == nullptr) return std::nullopt;
  const std::vector<Part>& parts = from->parts();
  Carried carried(router->tables(), rows.size());
  std::vector<std::size_t> starts;  // of the chunks among all fresh rows
  std::size_t fresh_rows = 0;
  for (const FreshRows& chunk : from->fresh())
    starts.push_back(std::exchange(fresh_rows, fresh_rows + chunk.size()));
  std::vector<std::size_t> sealed_as(fresh_rows, rows.size());
  std::vector<std::vector<std::size_t>> of_part(parts.size());  // its rows that are sealed again
  for (std::size_t row = 0; row < sources.size(); ++row) {
    const auto [part, at] = sources[row];
    if (part >= parts.size())
      sealed_as[starts[part - parts.size()] + at] = row;
    else
      of_part[part].push_back(row);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::shared_ptr<const Segment>& segment = parts[i].segment;
    // with one table every entry is a row, whatever a file says; with more they are found anew
    if (of_part[i].empty() || segment->router() != router || router->tables() > 1) continue;
    carried.add(segment);
    const std::vector<CarriedEntry> entries = Carried::entries_of(*segment);
    for (const std::size_t row : of_part[i])
      carried.take_sealed(row, entries, segment->copies().original_of(sources[row].row));
  }
  for (const Listed& listed : from->lists()) {
    if (listed.lists->router() != router) continue;
    const std::vector<CarriedEntry> entries = Carried::entries_of(*listed.lists);
    for (std::size_t i = 0; i < listed.lists->rows(); ++i)
      if (const std::size_t row = sealed_as[listed.begin + i]; row < rows.size())
        carried.take(row, entries, i);
  }
  return carried;
}

namespace {

/// A router learned for so many times fewer rows has too few buckets, each too full, for those there are: a
/// search would take longer than with a new one, and its recall was measured among too few. And the other way
/// round.
bool fits(const Router& router, const Snapshot& snapshot) {
  std::size_t rows = snapshot.fresh_table().live();
  for (const Part& part : snapshot.parts())
    if (part.segment->router().get() == &router)
      rows += std::min(part.live_count(), part.segment->originals());
  return rows <= tuning::kOutgrown * router.rows() && tuning::kOutgrown * rows >= router.rows() &&
         rows * router.tables() <= UINT32_MAX;  // entries are numbered
}

std::shared_ptr<const Router> outgrown_router(const Snapshot& snapshot) {
  const Part* const main = main_part(snapshot.parts());
  if (main == nullptr || fits(*main->segment->router(), snapshot)) return nullptr;
  return main->segment->router();
}

}  // namespace

// Under one router a segment is merged with those no larger than twice what is merged into it so far: a row
// is then copied O(log n) times in its life (Bentley & Saxe, J. Algorithms 1980), and segments are few. Where
// a new router is learned, all that the old one routed goes to it.
//
// What is added from now on goes to new chunks and new lists, so that those there are can be taken away
// whole.
Index::Harvest Index::harvest(const Wanted& wanted, const std::shared_ptr<Spill>& spill) {
  Harvest harvest;
  harvest.shape = setting_->shape;
  {
    const std::scoped_lock lock(write_mutex_);
    if (!wanted.learns) {
      std::vector<FreshRows> fresh = now_->fresh();
      std::vector<Listed> lists = now_->lists();
      if (!fresh.empty()) fresh.back() = fresh.back().closed();
      if (!lists.empty() && lists.back().lists->rows() > 0)
        lists.push_back(
            {std::make_shared<const FreshLists>(lists.back().lists->router()), now_->fresh_rows()});
      publish(now_->parts(), std::move(fresh), std::move(lists));
      harvest.chunks = now_->fresh().size();
      harvest.chunk_rows = now_->fresh_rows();
    }
    harvest.from = now_;
    harvest.shape.next_id = next_id_;
  }
  const std::vector<Part>& parts = harvest.from->parts();
  const std::vector<FreshRows>& fresh = harvest.from->fresh();
  const Part* const main = wanted.everything ? nullptr : main_part(parts);
  const std::shared_ptr<const Router> router = wanted.under != nullptr ? wanted.under
                                               : main != nullptr       ? main->segment->router()
                                                                       : nullptr;
  const bool keep =
      router != nullptr && !wanted.learns && (wanted.under != nullptr || fits(*router, *harvest.from));
  if (keep) harvest.router = router;
  std::vector<std::pair<std::int64_t, Place>> living;  // by id
  for (std::uint32_t i = 0; i < harvest.chunks; ++i)
    for (std::uint32_t row = 0; row < fresh[i].size(); ++row)
      if (fresh[i][row])
        living.emplace_back(fresh[i].id(row), Place{static_cast<std::uint32_t>(parts.size()) + i, row});
  harvest.merged.resize(parts.size());
  for (auto i = static_cast<std::uint32_t>(parts.size()); i-- > wanted.busy;) {
    const Part& part = parts[i];
    const auto& its = part.segment->router();
    const bool worn = 2 * part.live_count() < part.segment->rows();
    const bool outlived = its != nullptr && ((!keep && its == router) || its == wanted.replaced);
    if (!wanted.everything && !worn && !outlived && part.live_count() > 2 * living.size()) continue;
    if (keep && &part == main && !worn && !outlived) continue;
    harvest.merged[i] = true;
    for (std::uint32_t row = 0; row < part.segment->rows(); ++row)
      if (part.lives(row)) living.emplace_back(part.segment->id(row), Place{i, row});
  }
  std::sort(living.begin(), living.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  const RowForm& form = setting_->intake.form();
  Rows& rows = harvest.rows;
  rows.vectors = Array<std::byte>(HugePages<std::byte>(spill));
  rows.ids.reserve(living.size());
  rows.vectors.reserve(living.size() * form.bytes());
  harvest.sources.reserve(living.size());
  for (const auto& [id, place] : living) {
    harvest.sources.push_back(place);
    if (place.part >= parts.size()) {
      rows.append(id, fresh[place.part - parts.size()].stored(form), place.row);
    } else {
      const Segment& segment = *parts[place.part].segment;
      segment.touch(place.row, place.row + std::size_t{1});
      rows.append(id, segment.stored(), place.row);
    }
    if (spill && rows.size() % tuning::kRowsBetweenAsking == 0) spill->breathe();
  }
  return harvest;
}

std::shared_ptr<const Segment> Index::seal(const Wanted& wanted, Threads threads, const Interrupt& interrupt,
                                           const std::shared_ptr<Spill>& spill) {
  Harvest harvest = this->harvest(wanted, spill);
  const std::optional<Carried> carried = harvest.carried();
  std::optional<Kept> kept;
  if (carried) kept = {harvest.router, &*carried};
  auto segment = build_segment(harvest.shape, harvest.rows, kept, threads, interrupt);
  publish_sealed(harvest, segment);
  return segment;
}

// To learn a router from many rows takes so long that more rows come than a search should meet fresh. So the
// fresh ones are sealed first, under the router that is outgrown, and so is what comes meanwhile, in up to
// half of the time. In the end all of that goes to the new router.
void Index::seal_what_came(Threads threads, const Interrupt& interrupt) {
  using Clock = std::chrono::steady_clock;
  const std::shared_ptr<const Router> outgrown = outgrown_router(*snapshot());
  const bool too_many = outgrown != nullptr && snapshot()->rows() * outgrown->tables() > UINT32_MAX / 2;
  if (outgrown == nullptr || outgrown->rows() < tuning::kSealBetweenFrom ||
      snapshot()->fresh_rows() > outgrown->rows() || too_many) {
    seal({}, threads, interrupt);
    return;
  }
  seal({.under = outgrown}, threads, interrupt);
  if (outgrown_router(*snapshot()) != outgrown) return;  // what came has drifted, and has another now
  const std::size_t busy = snapshot()->parts().size();
  Clock::time_point next = Clock::now();
  const auto learned = seal({.learns = true}, threads, [&] {
    interrupt();
    const Clock::time_point begin = Clock::now();
    if (begin < next || !worth_sealing(*snapshot())) return;
    try {
      seal({.under = outgrown, .busy = busy}, 1, interrupt);
      next = Clock::now() + (Clock::now() - begin);
    } catch (const std::bad_alloc&) {
      next = Clock::time_point::max();  // they wait for the new one
    }
  });
  const auto is_left = [&](const Part& part) { return part.segment->router() == outgrown; };
  if (learned->router() != nullptr && std::ranges::any_of(snapshot()->parts(), is_left))
    seal({.under = learned->router(), .replaced = outgrown}, threads, interrupt);
}

// The lists of a snapshot, but for the first rows, which were sealed, under the router that is the main one
// from now on. Those of another are made anew, as far as `so_far` does not have them; what was in no list
// stays in none.
std::vector<Listed> Index::lists_behind(const Snapshot& now, std::size_t sealed,
                                        const std::shared_ptr<const Router>& router,
                                        std::vector<Listed> so_far) {
  const bool same = !now.lists().empty() && now.lists().back().lists->router() == router;
  if (same) so_far.clear();
  for (const Listed& listed : now.lists()) {
    if (listed.end() <= sealed) continue;
    if (same) {
      so_far.push_back({listed.lists, listed.begin - sealed});
      continue;
    }
    std::size_t begin = std::max(listed.begin, sealed + (so_far.empty() ? 0 : so_far.back().end()));
    while (begin < listed.end()) {
      const auto [chunk, row] = now.fresh_table().at(begin);
      const StoredRows rows = chunk.stored(now.form());
      const std::size_t count = std::min(rows.count - row, listed.end() - begin);
      if (so_far.empty() || so_far.back().end() + sealed != begin)
        so_far.push_back({std::make_shared<const FreshLists>(router), begin - sealed});
      Listed& into = so_far.back();
      const auto equal = [&, first = into.begin + sealed](std::uint32_t a, std::uint32_t b) {
        return now.fresh_table().equal(now.form(), first + a, first + b);
      };
      into.lists = std::make_shared<const FreshLists>(into.lists->with(rows.part(row, row + count), equal));
      begin += count;
    }
  }
  const std::size_t left = now.fresh_rows() - sealed;
  if (so_far.empty() || so_far.back().end() != left)
    so_far.push_back({std::make_shared<const FreshLists>(router), left});
  return so_far;
}

void Index::publish_sealed(const Harvest& harvest, const std::shared_ptr<const Segment>& segment) {
  const std::vector<Part>& before = harvest.from->parts();
  const std::vector<FreshRows>& fresh_before = harvest.from->fresh();
  const std::size_t sealed_rows = harvest.chunk_rows;
  const auto merged = [&](std::size_t part) { return part < before.size() && harvest.merged[part]; };
  std::vector<Part> left;  // only who has the turn changes which there are
  const std::shared_ptr<const Snapshot> as_it_is = snapshot();
  for (std::size_t i = 0; i < as_it_is->parts().size(); ++i)
    if (!merged(i)) left.push_back(as_it_is->parts()[i]);
  left.push_back({segment, nullptr, nullptr});
  const Part* const main = main_part(left);
  const std::shared_ptr<const Router> router = main != nullptr ? main->segment->router() : nullptr;
  // In rounds while others add, perhaps faster than rows can be put into lists.
  std::vector<Listed> lists;
  for (std::size_t round = 0, before_it = 0, came = tuning::kRowsRoutedAtOnce;
       router != nullptr && round < tuning::kListingRounds && came >= tuning::kRowsRoutedAtOnce;
       ++round, before_it = lists.back().end()) {
    lists = lists_behind(*snapshot(), sealed_rows, router, std::move(lists));
    came = lists.back().end() - before_it;
  }

  const std::scoped_lock lock(write_mutex_);
  std::vector<Part> parts;
  bool same = true;  // no row was removed or replaced while the segment was built
  for (std::size_t i = 0; const Part& part : now_->parts()) {
    if (!merged(i))
      parts.push_back(part);
    else
      same = same && part.live == before[i].live;
    ++i;
  }
  const std::vector<FreshRows>& fresh = now_->fresh();
  for (std::size_t i = 0; i < harvest.chunks; ++i)
    same = same && fresh[i].live_count() == fresh_before[i].live_count();
  Part sealed{segment, nullptr, nullptr};
  if (!same) {  // both orders are by id
    Bits live(segment->rows(), false);
    for (std::size_t i = 0; i < harvest.sources.size(); ++i)
      if (now_->lives(harvest.sources[i])) live.set(segment->by_id()[i]);
    if (live.count() < live.size()) sealed.live = std::make_shared<const Allowed>(live, segment->copies());
  }
  if (sealed.live_count() > 0) parts.push_back(std::move(sealed));
  if (router != nullptr) {
    const std::size_t behind = now_->fresh_rows() - sealed_rows;
    const bool kept = !now_->lists().empty() && now_->lists().back().lists->router() == router;
    if (kept || behind - lists.back().end() <= tuning::kListedWhileWaited)
      lists = lists_behind(*now_, sealed_rows, router, std::move(lists));
    else  // the rest stays in none until the next sealing: nobody may wait for it here
      lists.push_back({std::make_shared<const FreshLists>(router), behind});
  }
  retry_after_ = 0;
  const auto sealed_chunks = static_cast<std::ptrdiff_t>(harvest.chunks);
  publish(std::move(parts), std::vector<FreshRows>(fresh.begin() + sealed_chunks, fresh.end()),
          std::move(lists));
}

void Index::tune(const void* queries, std::size_t count, int threads, const Interrupt& interrupt) {
  const std::vector<float> scales = setting_->intake.check_queries(queries, count);
  if (count == 0) throw ArgumentError("tune needs queries; expected at least one, better a thousand");
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  std::vector<float> room;
  const QueryBlock block = setting_->intake.queries(queries, scales, 0, count, room);
  std::vector<std::shared_ptr<const RecallCurve>> curves;
  const std::shared_ptr<const Snapshot> now = snapshot();
  for (const Part& part : now->parts())
    curves.push_back(
        part.segment->hashed() && part.segment->originals() > 1
            ? std::make_shared<const RecallCurve>(Measurer(*part.segment, threads, interrupt).measure(block))
            : nullptr);
  const std::scoped_lock lock(write_mutex_);
  std::vector<Part> parts = now_->parts();  // only who has the turn changes which there are
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].tuned = curves[i];
  publish(std::move(parts), now_->fresh(), now_->lists());
}

void Index::optimize(int threads, const Interrupt& interrupt) {
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  if (snapshot()->whole() == nullptr) seal({.everything = true}, threads, interrupt);
}

// While it lasts, the pages of mapped segments are given back with those of the spill.
class Index::Watch {
 public:
  Watch(std::shared_ptr<Spill> spill, const std::vector<Part>& parts) : spill_(std::move(spill)) {
    for (const Part& part : parts)
      if (!part.segment->mapped().empty()) segments_.push_back(part.segment);
    for (const auto& segment : segments_) spill_->watch(segment->mapped().data(), segment->mapped().size());
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    for (const auto& segment : segments_) spill_->release(segment->mapped().data());
  }

 private:
  std::shared_ptr<Spill> spill_;
  std::vector<std::shared_ptr<const Segment>> segments_;
};

void Index::save(const std::string& path, const std::string& note, bool little_memory,
                 const Interrupt& interrupt) {
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  const auto spill = little_memory ? std::make_shared<Spill>(path) : nullptr;
  std::optional<Watch> watch;
  if (spill) watch.emplace(spill, snapshot()->parts());
  const Interrupt pause = [&] {
    if (interrupt) interrupt();
    if (spill) spill->breathe();
  };
  auto segment = snapshot()->whole();  // what is added or removed from now on is for the next save
  if (segment == nullptr) segment = seal({.everything = true}, 0, pause, spill);
  if (spill) Spill::give_back_freed();  // before the segment is written: while it was built, much was taken
  Shape shape = setting_->shape;
  std::shared_ptr<const RecallCurve> tuned;
  {
    const std::scoped_lock lock(write_mutex_);
    shape.next_id = next_id_;
    if (!now_->parts().empty()) tuned = now_->parts()[0].tuned;
  }
  const RecallCurve none;
  const RecallCurve& curve = segment->hashed() ? segment->router()->curve() : none;
  segment->write(path, shape, note, tuned != nullptr ? *tuned : curve, pause);
  const std::scoped_lock lock(write_mutex_);
  publish(now_->parts(), now_->fresh(), now_->lists(), std::make_shared<const std::string>(note));
}

// The first router is learned as soon as rows are hashed faster than they are compared, and outgrown soon: so
// small ones are learned again, with twice the rows, before the next rows fill their lists.
bool Index::worth_sealing(const Snapshot& snapshot) {
  std::size_t enough = snapshot.parts().empty() ? tuning::kExactBelow : tuning::kSealAfter;
  if (const Part* const main = main_part(snapshot.parts()))
    enough = std::clamp(main->segment->router()->rows(), tuning::kExactBelow, tuning::kSealAfter);
  return snapshot.fresh_rows() >= enough;
}

void Index::seal_in_background() {
  const std::shared_ptr<const Snapshot> now = snapshot();
  if (!worth_sealing(*now) || now->fresh_rows() < retry_after_) return;
  const std::scoped_lock lock(sealer_mutex_);
  if (sealer_runs_) return;
  if (sealer_.joinable()) sealer_.join();
  try {
    sealer_ = start_thread([this] { run_sealer(); });
    sealer_runs_ = true;
  } catch (const std::exception&) {
    // No thread to be had: the rows stay fresh and are found; the next add tries again.
  }
}

void Index::run_sealer() {
  const Interrupt stop = [this] {
    if (closing_) throw Closing();
  };
  bool sealed = true;
  while (sealed) {
    try {
      const WorkMutex::Turn turn(sealing_mutex_, stop);
      const int half = std::max(1, static_cast<int>(thread_count(0)) / 2);  // the others are for searches
      if (worth_sealing(*snapshot()))
        seal_what_came({half, sealing_mutex_}, stop);  // else optimize or save was first
    } catch (const std::exception&) {
      // Closing, no memory, or a damaged file: the rows stay fresh and are found. It is tried again when as
      // many more came, and optimize and save would meet the same error and tell it.
      sealed = false;
      retry_after_ = snapshot()->fresh_rows() + tuning::kSealAfter;
    }
    const std::scoped_lock done(sealer_mutex_);
    // an add that came meanwhile started no sealer of its own
    sealed = sealed && worth_sealing(*snapshot());
    sealer_runs_ = sealed;
  }
}

}  // namespace lookalike
