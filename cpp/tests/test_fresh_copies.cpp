// Equal fresh rows: one of them is in the lists, and the others are found with it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <vector>

#include "check.hpp"
#include "engine/index/filter.hpp"
#include "engine/index/index.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kWide = 16, kWanted = 10;

std::vector<float> repeated(const std::vector<float>& row, std::size_t times) {
  std::vector<float> rows;
  for (std::size_t i = 0; i < times; ++i) rows.insert(rows.end(), row.begin(), row.end());
  return rows;
}

std::unique_ptr<Index> sealed(const std::vector<float>& rows, std::size_t dim) {
  auto index = std::make_unique<Index>(shape_of(Metric::euclidean, 0, dim));
  index->add(rows.data(), rows.size() / dim, nullptr, false);
  index->optimize(1, kNever);
  return index;
}

}  // namespace

// Of a row among others, and of one as far from them as a router's rows hardly are on average, or at all.
TEST(many_equal_fresh_rows_cost_others_neither_recall_nor_time) {
  constexpr std::size_t count = 200;
  const auto index = sealed(gaussian(30'000, 1, kWide), kWide);
  for (const float length : {0.7F, 1.0F, 3.0F}) {
    auto row = gaussian(1, 2, kWide), queries = gaussian(count, 3, kWide);
    for (std::size_t i = 0; i < queries.size(); ++i) queries[i] = 0.7F * (row[i % kWide] + queries[i]);
    for (float& value : row) value *= length;
    const auto search = [&](bool exact) {
      return index->search(queries.data(), count, {.k = kWanted, .recall = 0.95, .exact = exact, .only = {}},
                           kNever);
    };
    const auto before = search(false);
    const auto hundred = repeated(row, 100);
    for (int i = 0; i < 50; ++i) index->add(hundred.data(), 100, nullptr, false);
    const auto exact = search(true), found = search(false);
    double met = 0.0, work = 0.0, work_before = 0.0;
    for (std::size_t q = 0; q < count; ++q) {
      for (std::size_t i = 0; i < kWanted; ++i)
        met += found.distances[q * kWanted + i] <= exact.distances[(q + 1) * kWanted - 1] ? 1.0 : 0.0;
      work += found.stages[q].scanned + 10 * found.stages[q].reranked;
      work_before += before.stages[q].scanned + 10 * before.stages[q].reranked;
    }
    CHECK(met > 0.96 * count * kWanted, length, met);
    CHECK(work < 1.2 * work_before, length, work, work_before);
  }
}

TEST(equal_fresh_rows_are_found_while_they_live) {
  const auto row = gaussian(1, 2), other = gaussian(200, 4), hundred = repeated(row, 100);
  const auto index = sealed(gaussian(9000, 1), kDim);
  std::set<std::int64_t> living;
  const auto add = [&](std::vector<std::int64_t> ids) {
    index->add(hundred.data(), ids.size(), ids.data(), true);
    living.insert(ids.begin(), ids.end());
  };
  const auto check = [&](int step) {
    const auto now = index->snapshot();
    const auto found = now->search(row.data(), 1, {.k = 300, .recall = 0.99, .only = {}}, kNever);
    std::vector<std::int64_t> equal;  // the smaller ids first
    for (std::size_t i = 0; i < 300; ++i)
      if (found.distances[i] == 0.0F) equal.push_back(found.ids[i]);
    const std::vector<std::int64_t> wanted(living.begin(), living.end());
    CHECK(equal == wanted, step, equal.size(), wanted.size());
    const auto few = now->search(row.data(), 1, {.k = 5, .recall = 0.99, .only = {}}, kNever);
    for (std::size_t i = 0; i < std::min<std::size_t>(5, wanted.size()); ++i)
      CHECK(few.ids[i] == wanted[i], step, i);
    const auto last = now->explain(row.data(), {.k = 300, .recall = 0.99, .only = {}}, *living.rbegin());
    CHECK(last.trace.reached == Reached::neighbours && last.trace.key == 0.0F, step);
    const std::vector<std::int64_t> one{*living.rbegin()};
    const Filter only(one);
    const auto alone = now->search(row.data(), 1, {.k = 5, .recall = 0.99, .only = &only}, kNever);
    CHECK(alone.ids[0] == one[0] && alone.ids[1] == -1, step);
  };
  add({20'040});
  add({20'039, 20'038, 20'050});
  check(0);
  for (std::int64_t id = 20'030; id > 20'000; --id) add({id});  // ids descend
  std::vector<std::int64_t> ids(100);
  std::iota(ids.begin(), ids.end(), 20'100);
  add(ids);
  check(1);
  CHECK(index->snapshot()->lists()[0].lists->copies().size() == living.size() - 1,
        index->snapshot()->lists()[0].lists->copies().size(), living.size());
  const std::vector<std::int64_t> gone{20'040, 20'150, 20'199};  // the one that is listed, too
  index->remove(gone);
  for (const std::int64_t id : gone) living.erase(id);
  check(2);
  for (std::int64_t id = 20'100; id < 20'120; ++id) {  // others take their places, and one comes back
    index->add(other.data() + (id - 20'100) * static_cast<std::int64_t>(kDim), 1, &id, true);
    living.erase(id);
  }
  add({20'040});
  check(3);
  const std::vector<std::int64_t> rest(living.begin(), std::prev(living.end()));
  index->remove(rest);
  for (const std::int64_t id : rest) living.erase(id);
  add({30'000, 30'001, 30'002, 30'003, 30'004});
  check(4);
  index->optimize(1, kNever);
  check(5);
}

// As do those of one large add, which is put into lists of its own, and those that another router lists anew.
TEST(equal_rows_of_a_large_add_are_listed_once) {
  const auto index = sealed(gaussian(30'000, 1), kDim);
  const auto before = index->snapshot();
  auto rows = gaussian(18'000, 2);
  for (std::size_t i = 0; i < 17'000 * kDim; ++i)
    if (i / kDim % 2 == 0) rows[i] = rows[i % kDim];
  index->add(rows.data(), 18'000, nullptr, false);
  const auto now = index->snapshot();
  for (const Listed& listed : now->lists())
    if (listed.lists->rows() == 18'000) CHECK(listed.lists->copies().size() > 8000);
  for (const auto& snapshot : {now, index->snapshot()}) {
    const auto found = snapshot->search(rows.data(), 1, {.k = 50, .recall = 0.99, .only = {}}, kNever);
    for (std::size_t i = 0; i < 50; ++i) {
      CHECK(found.ids[i] == static_cast<std::int64_t>(30'000 + 2 * i), i, found.ids[i]);
      CHECK(found.distances[i] == 0.0F, i);
    }
  }
  CHECK(before->size() == 30'000);
}
