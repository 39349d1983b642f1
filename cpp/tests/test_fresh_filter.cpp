// Filters beside fresh rows: these are found in the lists of the router, as sealed ones are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "check.hpp"
#include "engine/index/filter.hpp"
#include "engine/index/index.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kWide = 16, kSealed = 30'000, kFresh = 12'000, kQueries = 100, kWanted = 10;

struct Searched {
  double recall;    // by distances, against exact search
  double compared;  // exactly, for each query
};

Searched searched(const Snapshot& now, const std::vector<float>& queries, const Filter& only) {
  const auto exact =
      now.search(queries.data(), kQueries, {.k = kWanted, .exact = true, .only = &only}, kNever);
  const auto found =
      now.search(queries.data(), kQueries, {.k = kWanted, .recall = 0.95, .only = &only}, kNever);
  double met = 0.0, compared = 0.0;
  for (std::size_t q = 0; q < kQueries; ++q) {
    for (std::size_t i = 0; i < kWanted; ++i) {
      const std::size_t at = q * kWanted + i;
      CHECK(found.ids[at] < 0 || only.admits(found.ids[at]), found.ids[at]);
      met += found.distances[at] <= exact.distances[(q + 1) * kWanted - 1] ? 1.0 : 0.0;
    }
    compared += found.stages[q].reranked;
  }
  return {met / static_cast<double>(kQueries * kWanted), compared / static_cast<double>(kQueries)};
}

/// Ids from `begin` to `end` of which keep(id) is true.
template <class Keep>
Filter ids_where(std::size_t begin, std::size_t end, Keep keep) {
  std::vector<std::int64_t> ids;
  for (std::size_t id = begin; id < end; ++id)
    if (keep(id)) ids.push_back(static_cast<std::int64_t>(id));
  return Filter(ids);
}

}  // namespace

TEST(a_filter_finds_fresh_rows_in_lists_as_surely_as_sealed_ones) {
  const auto sealed = gaussian(kSealed, 1, kWide), fresh = gaussian(kFresh, 2, kWide);
  const auto queries = gaussian(kQueries, 3, kWide);
  Index index(shape_of(Metric::euclidean, 0, kWide));
  index.add(sealed.data(), kSealed, nullptr, false);
  index.optimize(1, kNever);
  for (std::size_t row = 0; row < kFresh; row += 400)
    index.add(fresh.data() + row * kWide, 400, nullptr, false);
  const std::size_t all = kSealed + kFresh;
  const auto first_of = [&](std::size_t id) {
    return id < kSealed ? sealed[id * kWide] : fresh[(id - kSealed) * kWide];
  };
  const auto now = index.snapshot();
  const auto check = [&](const char* which, const Filter& only, double most) {
    const auto [recall, compared] = searched(*now, queries, only);
    CHECK(recall > 0.93, which, recall, compared);
    CHECK(compared < most, which, recall, compared);
  };
  check("nearly all", ids_where(0, all, [](std::size_t id) { return id % 20 != 0; }), 1000);
  check("half", ids_where(0, all, [](std::size_t id) { return id % 7 < 3; }), 1000);
  check("one side", ids_where(0, all, [&](std::size_t id) { return first_of(id) > 0.5F; }), 3000);
  check("fresh", ids_where(kSealed, all, [](std::size_t) { return true; }), kFresh + 1);  // which is as fast
  check("sealed", ids_where(0, kSealed, [](std::size_t) { return true; }), 1000);
  check("few", ids_where(0, all, [](std::size_t id) { return id % 200 == 0; }), all / 200 + 1);
  check("few fresh", ids_where(kSealed, all, [](std::size_t id) { return id % 200 == 0; }), kFresh / 200 + 1);
  check("one", ids_where(0, all, [](std::size_t id) { return id == kSealed + 7; }), 2);
  check("none", ids_where(all, all + 9, [](std::size_t) { return true; }), 1);
}

// One filter, asked while rows are added, replaced, removed and sealed.
TEST(a_filter_follows_the_fresh_rows) {
  const auto vectors = gaussian(9000, 1), fresh = gaussian(3000, 2), query = gaussian(1, 3);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), 9000, nullptr, false);
  index.optimize(1, kNever);
  std::vector<std::int64_t> allowed;
  for (std::int64_t id = 0; id < 30'000; id += 3) allowed.push_back(id);
  const Filter only(allowed);
  std::set<std::int64_t> living;
  for (std::int64_t id = 0; id < 9000; id += 3) living.insert(id);
  const auto before = index.snapshot();
  const auto check = [&](int step) {
    const SearchOptions all{.k = 20'000, .exact = true, .only = &only};
    const auto found = index.search(query.data(), 1, all, kNever);
    std::set<std::int64_t> ids(found.ids.begin(), found.ids.end());
    ids.erase(-1);
    CHECK(ids == living, step, ids.size(), living.size());
    const auto within = index.range_search(query.data(), 1, all, kNever);
    CHECK(within.ids.size() == living.size(), step);
    const auto nearest = index.search(query.data(), 1, {.k = 5, .recall = 0.99, .only = &only}, kNever);
    for (const std::int64_t id : nearest.ids) CHECK(living.count(id) == 1, step, id);
    const auto old = before->search(query.data(), 1, all, kNever);
    CHECK(std::count(old.ids.begin(), old.ids.end(), -1) == 17'000, step);
  };
  const auto add = [&](std::size_t row, std::vector<std::int64_t> ids) {
    index.add(fresh.data() + row * kDim, ids.size(), ids.data(), true);
    for (const std::int64_t id : ids)
      if (id % 3 == 0) living.insert(id);
  };
  check(0);
  for (int i = 0; i < 70; ++i) {  // one by one, into the room of a chunk
    add(static_cast<std::size_t>(i), {20'000 - i});
    if (i % 10 == 0) check(i);
  }
  std::vector<std::int64_t> many(2000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = 8000 + static_cast<std::int64_t>(i);
  add(100, many);
  check(100);
  const std::vector<std::int64_t> gone{3, 8100, 8103, 20'000 - 2};  // 19,998 = 3 * 6,666
  index.remove(gone);
  for (const std::int64_t id : gone) living.erase(id);
  check(101);
  index.optimize(1, kNever);
  check(102);
  add(0, {1, 29'997, 6, 28'000});
  check(103);
}

TEST(an_explanation_counts_fresh_rows_that_are_nearer_whether_they_may_be_found_or_not) {
  const auto sealed = gaussian(kSealed, 1, kWide), fresh = gaussian(kFresh, 2, kWide);
  const auto query = gaussian(1, 3, kWide);
  Index index(shape_of(Metric::euclidean, 0, kWide));
  index.add(sealed.data(), kSealed, nullptr, false);
  index.optimize(1, kNever);
  index.add(fresh.data(), kFresh, nullptr, false);
  const auto now = index.snapshot();
  const auto probes = static_cast<std::uint32_t>(now->buckets()) - 1;
  const auto id = static_cast<std::int64_t>(kSealed + 8);
  const auto nearer = [&](const Filter* only) {
    return now->explain(query.data(), {.probes = probes, .only = only}, id).trace.nearer;
  };
  const Filter some = ids_where(0, kSealed + kFresh, [](std::size_t each) { return each % 2 == 0; });
  CHECK(nearer(nullptr) > 0);
  CHECK(nearer(&some) == nearer(nullptr), nearer(&some), nearer(nullptr));
}
