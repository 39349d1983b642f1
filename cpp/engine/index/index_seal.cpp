// Sealing and saving: a segment is built of one snapshot and put in place of what it was built of, so that
// searches and changes go on meanwhile.
#include <algorithm>
#include <optional>
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

/// Rows to be sealed, ascending by id, and where each was.
struct Index::Harvest {
  std::shared_ptr<const Snapshot> from;
  Shape shape;
  Rows rows;
  std::vector<Place> sources;
  std::vector<bool> merged;  // by part
};

// Segments no larger than twice what is merged into them so far: a row is then copied O(log n) times in its
// life (Bentley & Saxe, J. Algorithms 1980), and segments are few.
//
// What is added from now on goes to new chunks, so that those there are can be taken away whole.
Index::Harvest Index::harvest(bool everything, const std::shared_ptr<Spill>& spill) {
  Harvest harvest;
  harvest.shape = setting_->shape;
  {
    const std::scoped_lock lock(write_mutex_);
    std::vector<FreshRows> fresh = now_->fresh();
    if (!fresh.empty()) fresh.back() = fresh.back().closed();
    publish(now_->parts(), std::move(fresh));
    harvest.from = now_;
    harvest.shape.next_id = next_id_;
  }
  const std::vector<Part>& parts = harvest.from->parts();
  const std::vector<FreshRows>& fresh = harvest.from->fresh();
  std::vector<std::pair<std::int64_t, Place>> living;  // by id
  for (std::uint32_t i = 0; i < fresh.size(); ++i)
    for (std::uint32_t row = 0; row < fresh[i].size(); ++row)
      if (fresh[i][row])
        living.emplace_back(fresh[i].id(row), Place{static_cast<std::uint32_t>(parts.size()) + i, row});
  harvest.merged.resize(parts.size());
  for (auto i = static_cast<std::uint32_t>(parts.size()); i-- > 0;) {
    const Part& part = parts[i];
    const bool worn = 2 * part.live_count() < part.segment->rows();
    if (!everything && !worn && part.live_count() > 2 * living.size()) continue;
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
    if (spill && rows.size() % kBreatheAfter == 0) spill->breathe();
  }
  return harvest;
}

std::shared_ptr<const Segment> Index::seal(bool everything, int threads, const Interrupt& interrupt,
                                           const std::shared_ptr<Spill>& spill) {
  Harvest harvest = this->harvest(everything, spill);
  auto segment = std::make_shared<const Segment>(harvest.shape, std::move(harvest.rows), threads, interrupt);
  publish_sealed(harvest, segment);
  return segment;
}

void Index::publish_sealed(const Harvest& harvest, const std::shared_ptr<const Segment>& segment) {
  const std::vector<Part>& before = harvest.from->parts();
  const std::vector<FreshRows>& fresh_before = harvest.from->fresh();
  const std::scoped_lock lock(write_mutex_);
  std::vector<Part> parts;
  bool same = true;  // no row was removed or replaced while the segment was built
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Part& part = now_->parts()[i];  // only who has the turn changes which there are
    if (!harvest.merged[i])
      parts.push_back(part);
    else
      same = same && part.live == before[i].live;
  }
  const std::vector<FreshRows>& fresh = now_->fresh();
  for (std::size_t i = 0; i < fresh_before.size(); ++i)
    same = same && fresh[i].live_count() == fresh_before[i].live_count();
  Part sealed{segment, nullptr, nullptr};
  if (!same) {  // both orders are by id
    Bits live(segment->rows(), false);
    for (std::size_t i = 0; i < harvest.sources.size(); ++i)
      if (now_->lives(harvest.sources[i])) live.set(segment->by_id()[i]);
    if (live.count() < live.size()) sealed.live = std::make_shared<const Allowed>(live, segment->copies());
  }
  if (sealed.live_count() > 0) parts.push_back(std::move(sealed));
  const auto sealed_chunks = static_cast<std::ptrdiff_t>(fresh_before.size());
  publish(std::move(parts), std::vector<FreshRows>(fresh.begin() + sealed_chunks, fresh.end()));
}

void Index::tune(const void* queries, std::size_t count, int threads, const Interrupt& interrupt) {
  const std::vector<float> scales = setting_->intake.check_queries(queries, count);
  if (count == 0) throw ArgumentError("tune needs queries; expected at least one, better a thousand");
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  std::vector<float> room;
  const QueryBlock block = setting_->intake.queries(queries, scales, 0, count, room);
  std::vector<std::shared_ptr<const RecallCurve>> curves;
  for (const Part& part : snapshot()->parts())
    curves.push_back(part.segment->hashed() ? std::make_shared<const RecallCurve>(
                                                  part.segment->measure(block, threads, interrupt))
                                            : nullptr);
  const std::scoped_lock lock(write_mutex_);
  std::vector<Part> parts = now_->parts();  // only who has the turn changes which there are
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].tuned = curves[i];
  publish(std::move(parts), now_->fresh());
}

void Index::optimize(int threads, const Interrupt& interrupt) {
  const WorkMutex::Turn turn(sealing_mutex_, interrupt);
  if (snapshot()->whole() == nullptr) seal(true, threads, interrupt);
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
  if (segment == nullptr) segment = seal(true, 0, pause, spill);
  Shape shape = setting_->shape;
  std::shared_ptr<const RecallCurve> tuned;
  {
    const std::scoped_lock lock(write_mutex_);
    shape.next_id = next_id_;
    if (!now_->parts().empty()) tuned = now_->parts()[0].tuned;
  }
  segment->write(path, shape, note, tuned != nullptr ? *tuned : segment->curve(), pause);
  const std::scoped_lock lock(write_mutex_);
  publish(now_->parts(), now_->fresh(), std::make_shared<const std::string>(note));
}

void Index::seal_in_background() {
  if (snapshot()->fresh_rows() < kSealAfter) return;
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
    // an add that came meanwhile started no sealer of its own
    sealed = sealed && snapshot()->fresh_rows() >= kSealAfter;
    sealer_runs_ = sealed;
  }
}

}  // namespace lookalike
