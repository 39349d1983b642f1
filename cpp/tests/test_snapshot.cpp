// Snapshots: what a search reads stays as it is, while others change the index, and goes when nobody reads
// it.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "engine/base/errors.hpp"
#include "engine/index/index.hpp"
#include "engine/rows/fresh_rows.hpp"
#include "segment_writer.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

struct Answers {
  std::vector<std::int64_t> ids, found;
  std::size_t size;

  static Answers of(const Snapshot& snapshot, const std::vector<float>& queries) {
    const auto found =
        snapshot.search(queries.data(), queries.size() / kDim, {.exact = true, .only = {}}, kNever);
    return {snapshot.ids(), found.ids, snapshot.size()};
  }
  bool operator==(const Answers&) const = default;
};

}  // namespace

TEST(a_snapshot_answers_as_before_whatever_is_added_removed_replaced_or_sealed) {
  const auto vectors = gaussian(12'000, 1), queries = gaussian(20, 2);
  const std::vector<float> far(kDim, 30.0F);
  Index index(shape_of(Metric::euclidean));
  std::vector<std::pair<std::shared_ptr<const Snapshot>, Answers>> kept;
  const auto keep = [&] {
    auto snapshot = index.snapshot();
    kept.emplace_back(snapshot, Answers::of(*snapshot, queries));
  };
  std::mt19937 random(3);
  std::set<std::int64_t> there;
  for (std::size_t row = 0; row < 12'000;) {
    const std::size_t count = std::min<std::size_t>(12'000 - row, random() % 7 == 0 ? 3000 : random() % 300);
    for (const std::int64_t id : index.add(vectors.data() + row * kDim, count, nullptr, false))
      there.insert(id);
    row += count;
    keep();
    for (int i = 0; i < 5; ++i) {
      const auto at = std::next(there.begin(), static_cast<std::ptrdiff_t>(random() % there.size()));
      const std::int64_t id = *at;
      if (i % 2 == 0)
        index.remove({&id, 1}), there.erase(at);
      else
        index.add(far.data(), 1, &id, true);
    }
    keep();
    if (random() % 8 == 0) index.optimize(1, kNever);
  }
  CHECK(index.ids() == std::vector<std::int64_t>(there.begin(), there.end()));
  for (const auto& [snapshot, before] : kept) CHECK(Answers::of(*snapshot, queries) == before);
}

TEST(what_only_an_old_snapshot_holds_goes_with_its_last_reader) {
  const auto vectors = gaussian(5000, 1);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), 5000, nullptr, false);
  index.optimize(1, kNever);
  auto one = index.snapshot(), other = one;
  const std::weak_ptr<const Segment> segment = one->parts()[0].segment;
  const std::weak_ptr<const Snapshot> whole = one;
  index.add(vectors.data(), 1, nullptr, false);
  CHECK(index.snapshot()->parts()[0].segment == segment.lock());  // shared, not copied
  index.optimize(1, kNever);
  one.reset();
  CHECK(!segment.expired() && !whole.expired());
  other.reset();
  CHECK(segment.expired() && whole.expired());
}

TEST(a_removal_shares_all_pages_but_its_own) {
  Bits all(40 * PagedBits::kPage, true);
  const auto before = std::make_shared<const Allowed>(all, Copies());
  const std::uint32_t row = 7 * PagedBits::kPage + 9;
  const Allowed after = before->without({&row, 1}, Copies());
  CHECK(after.rows().shared_with(before->rows()) == 39);
  CHECK((*before)[row] && !after[row]);
}

// The batch is held at its interrupt, in the middle: with a lock over the whole batch, and writers before
// readers who come later, neither the add nor the searches behind it would end.
TEST(searches_and_changes_go_on_while_a_batch_is_held_in_its_middle) {
  const auto vectors = gaussian(3000, 1);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), 3000, nullptr, false);
  std::atomic<bool> held{false}, go_on{false};
  const Interrupt gate = [&] {
    held = true;
    while (!go_on) std::this_thread::yield();
  };
  SearchResult found;
  std::thread batch([&] {
    found = index.search(vectors.data(), 3000, {.k = 2, .exact = true, .threads = 1, .only = {}}, gate);
  });
  while (!held) std::this_thread::yield();
  for (std::int64_t id = 0; id < 500; ++id) {
    index.add(vectors.data() + id * std::int64_t{kDim}, 1, nullptr, false);
    CHECK(index.search(vectors.data() + id * std::int64_t{kDim}, 1, {.k = 2, .only = {}}, kNever).ids[1] ==
          3000 + id);
    index.remove({&id, 1});
  }
  index.optimize(1, kNever);
  index.tune(vectors.data(), 10, 1, kNever);
  go_on = true;
  batch.join();
  for (std::size_t i = 0; i < 3000; ++i)
    CHECK(found.ids[2 * i] == static_cast<std::int64_t>(i), i);  // as of its begin
}

// What a search does is planned once for options of a kind; there are more kinds here than plans are kept.
TEST(every_search_of_many_kinds_at_once_is_answered_as_by_an_index_just_opened) {
  const auto vectors = gaussian(12'000, 1), queries = gaussian(20, 2);
  TemporaryPath path;
  {
    Index index(shape_of(Metric::euclidean, 64));
    index.add(vectors.data(), 12'000, nullptr, false);
    index.optimize(2, kNever);
    index.save(path.path(), "", false, kNever);
  }
  std::vector<SearchOptions> kinds;
  for (const std::size_t k : {1U, 2U, 10U, 300U})
    for (const double recall : {0.6, 0.9, 0.99})
      for (const std::uint32_t probes : {0U, 1U, 5U})
        for (const std::uint32_t rerank : {0U, 400U})
          kinds.push_back({.k = k, .recall = recall, .probes = probes, .rerank = rerank, .threads = 1});
  kinds.push_back({.k = 2, .recall = 0.9, .exact = true, .threads = 1});
  const auto counts = [](const SearchResult& result) {
    std::vector<std::uint32_t> all;
    for (const Stages& stages : result.stages)
      all.insert(all.end(), {stages.probes, stages.scanned, stages.candidates, stages.reranked});
    return all;
  };
  // NaN where so many neighbours were not measured
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  std::vector<SearchResult> expected;
  for (const SearchOptions& kind : kinds)
    expected.push_back(Index(path.path()).search(queries.data(), 20, kind, kNever));

  const Index index(path.path());
  std::atomic<int> others{0};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed)
    threads.emplace_back([&, seed] {
      std::vector<std::size_t> order(3 * kinds.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i % kinds.size();
      std::shuffle(order.begin(), order.end(), std::mt19937(seed));
      for (const std::size_t i : order) {
        const auto found = index.search(queries.data(), 20, kinds[i], kNever);
        others += int{found.ids != expected[i].ids || !same(found.recall(), expected[i].recall()) ||
                      counts(found) != counts(expected[i])};
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(others == 0);
}

TEST(fresh_rows_are_found_by_id_in_whatever_order_they_come) {
  std::mt19937 random(4);
  const RowForm form(Store::float32, Metric::euclidean, kDim);
  for (const bool ascending : {true, false}) {
    std::vector<std::int64_t> ids(500);
    std::iota(ids.begin(), ids.end(), 1000);
    if (!ascending) std::ranges::shuffle(ids, random);
    const auto rows_of = [&](std::size_t begin, std::size_t end) {
      Rows rows;
      rows.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                      ids.begin() + static_cast<std::ptrdiff_t>(end));
      rows.vectors.resize((end - begin) * form.bytes());
      return rows;
    };
    FreshRows chunk = FreshRows::with_room(form, 500);
    std::vector<FreshRows> versions;
    for (std::size_t begin = 0; begin < 500;) {
      const std::size_t end = std::min<std::size_t>(500, begin + 1 + random() % 50);
      chunk = chunk.continued(rows_of(begin, end), 0, end - begin);
      begin = end;
      versions.push_back(chunk);
    }
    CHECK(chunk.room() == 0);
    versions.push_back(chunk.closed());
    versions.push_back(FreshRows::of(rows_of(0, 500)));
    for (const FreshRows& version : versions) {
      for (std::uint32_t row = 0; row < 500; ++row)
        CHECK(version.find(ids[row]) == (row < version.size() ? std::optional(row) : std::nullopt), row);
      CHECK(!version.find(999) && !version.find(1500) && !version.find(-1));
      const std::vector<std::uint32_t> gone{0};
      const FreshRows left = version.without(gone);
      CHECK(!left.find(ids[0]) && left.live_count() + 1 == version.live_count() && version.find(ids[0]));
    }
  }
}

TEST(a_search_whose_time_is_over_says_how_far_it_came_and_leaves_nothing_behind) {
  constexpr std::size_t kRows = 20'000, kWide = 64, kQueries = 60;
  const auto vectors = gaussian(kRows, 1, kWide);
  Index index(shape_of(Metric::euclidean, 0, kWide));
  for (const bool sealed : {false, true}) {
    if (sealed)
      index.optimize(2, kNever);
    else
      index.add(vectors.data(), kRows, nullptr, false);
    for (const int threads : {1, 2})
      for (const bool exact : {true, false}) {
        SearchOptions options{.k = 2, .exact = exact, .threads = threads, .only = {}};
        const auto expected = index.search(vectors.data(), kQueries, options, kNever);
        options.timeout = 1e-9;
        CHECK_THROWS(TimeoutError, "of 60 queries were answered",
                     index.search(vectors.data(), kQueries, options, kNever));
        options.max_distance = 3.0F;
        CHECK_THROWS(TimeoutError, "of 60 queries",
                     index.range_search(vectors.data(), kQueries, options, kNever));
        options.max_distance = std::numeric_limits<float>::infinity();
        for (const double long_enough : {1e5, 1e300}) {
          options.timeout = long_enough;
          CHECK(index.search(vectors.data(), kQueries, options, kNever).ids == expected.ids);
        }
      }
    SearchOptions one{.exact = true, .threads = 1, .only = {}, .timeout = 1e-9};
    CHECK_THROWS(TimeoutError, "0 of 1 queries were answered, and",
                 index.search(vectors.data(), 1, one, kNever));
  }
}

TEST(an_interrupt_stops_all_threads_of_a_search_in_the_middle_of_a_block) {
  constexpr std::size_t kRows = 20'000, kWide = 64;
  const auto vectors = gaussian(kRows, 1, kWide);
  Index index(shape_of(Metric::euclidean, 0, kWide));
  index.add(vectors.data(), kRows, nullptr, false);
  const auto caller = std::this_thread::get_id();
  for (const int threads : {1, 2}) {
    const std::size_t queries = threads == 1 ? 50 : 5000;  // one block of queries, or many
    int calls = 0;
    const Interrupt interrupt = [&] {
      CHECK(std::this_thread::get_id() == caller);
      if (++calls == 3) throw std::runtime_error("Ctrl-C");
    };
    const SearchOptions options{.exact = true, .threads = threads, .only = {}};
    CHECK_THROWS(std::runtime_error, "Ctrl-C", index.search(vectors.data(), queries, options, interrupt));
    CHECK(calls == 3);
  }
}
