// Sealing and saving: what lives is noted under a shared lock, copied and built into a segment without any,
// and put in place under an exclusive one, so that searches and changes go on meanwhile.
#include <algorithm>
#include <new>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"

namespace lookalike {
namespace {

constexpr std::size_t kSealAfter = 16384;    // fresh rows
constexpr std::size_t kBreatheAfter = 1024;  // rows

struct Closing : std::exception {};

}  // namespace

/// Rows to be sealed, ascending by id, and where each came from.
struct Index::Harvest {
  Shape shape;
  Rows rows;
  std::vector<Place> sources;
  std::vector<std::shared_ptr<const Segment>> merged;
  std::size_t fresh = 0;  // how many of the fresh rows
};

// The one segment that holds all there is, or null.
std::shared_ptr<const Segment> Index::sealed_whole() const {
  const std::shared_lock lock(mutex_);
  const bool whole =
      fresh_.size() == 0 && parts_.size() == 1 && parts_[0].live.count() == parts_[0].segment->rows();
  return whole ? parts_[0].segment : nullptr;
}

// Segments no larger than twice what is merged into them so far: a row is then copied O(log n) times in its
// life (Bentley & Saxe, J. Algorithms 1980), and segments are few.
//
// Under the lock only what lives is noted. Rows never change, and only who has the turn takes them away, so
// that they are copied beside searches and changes; but what is added may move the fresh ones.
Index::Harvest Index::harvest(bool everything, const std::shared_ptr<Spill>& spill) const {
  std::shared_lock lock(mutex_);
  Harvest harvest;
  harvest.shape = shape_;
  harvest.fresh = fresh_.size();
  const auto fresh = static_cast<std::uint32_t>(parts_.size());
  std::vector<std::pair<std::int64_t, Place>> living;  // by id
  for (std::uint32_t row = 0; row < fresh_.size(); ++row)
    if (fresh_live_[row]) living.emplace_back(fresh_.ids[row], Place{fresh, row});
  for (std::uint32_t i = fresh; i-- > 0;) {
    const Part& part = parts_[i];
    const bool worn = 2 * part.live.count() < part.segment->rows();
    if (!everything && !worn && part.live.count() > 2 * living.size()) continue;
    harvest.merged.push_back(part.segment);
    for (std::uint32_t row = 0; row < part.segment->rows(); ++row)
      if (part.live[row]) living.emplace_back(part.segment->id(row), Place{i, row});
  }
  lock.unlock();

  std::sort(living.begin(), living.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Rows& rows = harvest.rows;
  rows.vectors = Array<std::byte>(HugePages<std::byte>(spill));
  rows.ids.reserve(living.size());
  rows.vectors.reserve(living.size() * intake_.form().bytes());
  harvest.sources.reserve(living.size());
  for (const auto& [id, place] : living) {
    harvest.sources.push_back(place);
    if (place.part == fresh) {
      lock.lock();
      rows.append(id, fresh_.stored(intake_.form()), place.row);
      lock.unlock();
    } else {
      const Segment& segment = *parts_[place.part].segment;
      segment.touch(place.row, place.row + std::size_t{1});
      rows.append(id, segment.stored(), place.row);
    }
    if (spill && rows.size() % kBreatheAfter == 0) spill->breathe();
  }
  return harvest;
}

std::shared_ptr<const Segment> Index::seal(bool everything, int threads, const Interrupt& interrupt,
                                           const std::shared_ptr<Spill>& spill) {
  Harvest harvest = this->harvest(everything, spill);
  auto segment = std::make_shared<const Segment>(harvest.shape, std::move(harvest.rows), threads, interrupt);
  publish(harvest, segment);
  return segment;
}

void Index::publish(const Harvest& harvest, std::shared_ptr<const Segment> segment) {
  const std::unique_lock lock(mutex_);
  // What was removed or replaced while the segment was built is dead in it. Both orders are by id.
  Bits live(segment->rows(), false);
  for (std::size_t i = 0; i < harvest.sources.size(); ++i)
    if (lives(harvest.sources[i])) live.set(segment->by_id()[i]);
  Part sealed{segment, Allowed(std::move(live), segment->copies()), nullptr};
  Rows fresh;
  Bits fresh_live(fresh_.size() - harvest.fresh, false);
  const auto keep = static_cast<std::ptrdiff_t>(harvest.fresh);
  const auto bytes = static_cast<std::ptrdiff_t>(intake_.form().bytes());
  fresh.ids.assign(fresh_.ids.begin() + keep, fresh_.ids.end());
  fresh.vectors.assign(fresh_.vectors.begin() + keep * bytes, fresh_.vectors.end());
  if (intake_.form().normed())
    fresh.inverse_norms.assign(fresh_.inverse_norms.begin() + keep, fresh_.inverse_norms.end());
  for (std::size_t row = harvest.fresh; row < fresh_.size(); ++row)
    if (fresh_live_[row]) fresh_live.set(row - harvest.fresh);
  parts_.reserve(parts_.size() + 1);  // the last that may fail

  fresh_ = std::move(fresh);
  fresh_live_ = std::move(fresh_live);
  fresh_live_count_ = fresh_live_.count();
  fresh_row_of_.clear();
  fresh_mapped_ = 0;
  std::erase_if(parts_, [&](const Part& part) {
    return std::find(harvest.merged.begin(), harvest.merged.end(), part.segment) != harvest.merged.end();
  });
  if (sealed.live.count() > 0) parts_.push_back(std::move(sealed));
}

void Index::tune(const void* queries, std::size_t count, int threads, const Interrupt& interrupt) {
  const std::vector<float> scales = intake_.check_queries(queries, count);
  if (count == 0) throw ArgumentError("tune needs queries; expected at least one, better a thousand");
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  std::vector<std::shared_ptr<const Segment>> segments;
  {
    const std::shared_lock lock(mutex_);
    for (const Part& part : parts_) segments.push_back(part.segment);
  }
  std::vector<float> room;
  const QueryBlock block = intake_.queries(queries, scales, 0, count, room);
  std::vector<std::shared_ptr<const RecallCurve>> curves;
  for (const auto& segment : segments)
    curves.push_back(segment->hashed()
                         ? std::make_shared<const RecallCurve>(segment->measure(block, threads, interrupt))
                         : nullptr);
  const std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < parts_.size(); ++i)
    parts_[i].tuned = curves[i];  // only who has the turn changes parts_
}

void Index::optimize(int threads, const Interrupt& interrupt) {
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  if (sealed_whole() == nullptr) seal(true, threads, interrupt);
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
  if (spill) watch.emplace(spill, parts_);  // only who has the turn changes parts_
  const Interrupt pause = [&] {
    if (interrupt) interrupt();
    if (spill) spill->breathe();
  };
  auto segment = sealed_whole();  // what is added or removed from now on is for the next save
  if (segment == nullptr) segment = seal(true, 0, pause, spill);
  Shape shape;
  std::shared_ptr<const RecallCurve> tuned;
  {
    const std::shared_lock lock(mutex_);
    shape = shape_;
    if (!parts_.empty()) tuned = parts_[0].tuned;
  }
  segment->write(path, shape, note, tuned != nullptr ? *tuned : segment->curve(), pause);
  const std::unique_lock lock(mutex_);
  note_ = note;
}

void Index::seal_in_background() {
  {
    const std::shared_lock lock(mutex_);
    if (fresh_.size() < kSealAfter) return;
  }
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
      seal(false, 0, stop);
    } catch (const std::exception&) {
      // Closing, no memory, or a damaged file: the rows stay fresh and are found. The next add tries again,
      // and optimize and save would meet the same error and tell it.
      sealed = false;
    }
    const std::scoped_lock done(sealer_mutex_);
    const std::shared_lock lock(mutex_);
    sealed =
        sealed && fresh_.size() >= kSealAfter;  // an add that came meanwhile started no sealer of its own
    sealer_runs_ = sealed;
  }
}

// The sealer may work for long, and only for this process: a fork does not wait for it, and the child, which
// has not got it, begins anew with its next add.
void Index::before_fork() {
  sealer_mutex_.lock();
  mutex_.lock_for_fork();
}

void Index::after_fork_in_parent() {
  mutex_.unlock_after_fork();
  sealer_mutex_.unlock();
}

void Index::after_fork_in_child() {
  mutex_.reset_after_fork();
  sealing_mutex_.reset_after_fork();
  new (&sealer_mutex_) std::mutex();
  new (&sealer_) std::thread();
  sealer_runs_ = false;
}

}  // namespace lookalike
