// Which rows may be found: kept through removals, and by a filter for each segment it met.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/index/filter.hpp"
#include "engine/rows/allowed.hpp"
#include "engine/sealing/builder.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

void check_counts(const Allowed& allowed, const std::vector<bool>& rows, const Copies& copies,
                  std::uint32_t originals) {
  Bits bits(rows.size(), false);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    CHECK(allowed[row] == rows[row], row);
    if (rows[row]) bits.set(row);
  }
  std::size_t findable = 0;
  for (std::uint32_t original = 0; original < originals; ++original) {
    const bool stands = rows[original] || copies.any(original, bits);
    CHECK(allowed.originals()[original] == stands, original);
    findable += std::size_t{stands};
  }
  CHECK(allowed.findable() == findable && allowed.count() == bits.count());
}

std::shared_ptr<const Segment> segment_of(std::span<const std::int64_t> ids) {
  const auto vectors = gaussian(ids.size(), 1);
  Rows rows;
  rows.ids.assign(ids.begin(), ids.end());
  rows.vectors.resize(vectors.size() * sizeof(float));
  std::memcpy(rows.vectors.data(), vectors.data(), rows.vectors.size());
  return build_segment(shape_of(Metric::euclidean), rows, std::nullopt, 1, kNever);
}

}  // namespace

TEST(an_original_may_be_found_while_it_or_a_copy_may) {
  std::mt19937 random(1);
  // 70 originals; copies behind them: 30 of the first, none of the next, and so on
  std::vector<std::uint32_t> starts{70};
  for (std::uint32_t original = 0; original < 70; ++original)
    starts.push_back(starts.back() + (original == 0 ? 30 : original % 3 == 0 ? original % 7 : 0));
  const std::uint32_t all = starts.back();
  for (const bool any : {true, false}) {
    const Copies copies = any ? Copies(Column<std::uint32_t>(starts)) : Copies();
    const std::uint32_t originals = any ? 70 : all;
    for (const unsigned one_in : {1U, 2U, 20U, 1000U}) {
      std::vector<bool> rows(all);
      Bits bits(all, false);
      for (std::uint32_t row = 0; row < all; ++row)
        if (random() % one_in == 0) rows[row] = true, bits.set(row);
      Allowed allowed(bits, copies);
      check_counts(allowed, rows, copies, originals);
      std::vector<std::uint32_t> order;
      for (std::uint32_t row = 0; row < all; ++row)
        if (rows[row]) order.push_back(row);
      std::vector<std::uint32_t> some;  // at once
      std::vector<bool> left = rows;
      for (const std::uint32_t row : order)
        if (random() % 2 == 0) some.push_back(row), left[row] = false;
      check_counts(allowed.without(some, copies), left, copies, originals);
      check_counts(allowed, rows, copies, originals);
      std::ranges::shuffle(order, random);
      for (const std::uint32_t row : order) {
        allowed = allowed.without({&row, 1}, copies);
        rows[row] = false;
        check_counts(allowed, rows, copies, originals);
      }
    }
  }
}

TEST(a_filter_asks_a_segment_once_and_after_a_removal_again) {
  std::vector<std::int64_t> ids, others;
  for (std::int64_t id = 0; id < 300; ++id) (id % 3 == 0 ? others : ids).push_back(id);
  const auto segment = segment_of(ids), other = segment_of(others);
  const auto live = [](const Segment& of) {
    return std::make_shared<const Allowed>(Bits(of.rows(), true), of.copies());
  };
  for (const std::int64_t every : {2, 5, 100}) {
    std::vector<std::int64_t> some{-7, 1LL << 60};
    for (std::int64_t id = 999; id >= 0; --id)
      if (id % every == 0) some.push_back(id), some.push_back(id);
    const Filter filter(some);
    auto there = live(*segment);
    const auto check = [&](const Segment& of, const Allowed& allowed, std::int64_t removed) {
      for (std::size_t row = 0; row < of.rows(); ++row)
        CHECK(allowed[row] == (of.id(row) % every == 0 && of.id(row) != removed), row);
    };
    const auto first = filter.among(segment, there), second = filter.among(other, nullptr);
    check(*segment, *first, -1);
    check(*other, *second, -1);
    CHECK(filter.among(segment, there) == first && filter.among(other, nullptr) == second);
    const std::uint32_t removed = *segment->find(100);
    const auto before = there;
    there = std::make_shared<const Allowed>(before->without({&removed, 1}, segment->copies()));
    check(*segment, *filter.among(segment, there), 100);
    check(*segment, *first, -1);                          // whoever still searches with it
    const std::uint32_t other_row = *segment->find(200);  // as many live, but others
    there = std::make_shared<const Allowed>(before->without({&other_row, 1}, segment->copies()));
    check(*segment, *filter.among(segment, there), 200);
    CHECK(filter.among(segment, there) != first && filter.among(other, nullptr) == second);
    CHECK(filter.admits(0) && filter.admits(every) && !filter.admits(every + 1) && filter.admits(-7));
  }
}

TEST(a_filter_forgets_a_segment_that_is_gone) {
  const std::vector<std::int64_t> ids{1, 2, 3}, two{2};
  const Filter filter(two);
  std::weak_ptr<const Allowed> known;
  {
    const auto segment = segment_of(ids);
    known = filter.among(segment, nullptr);
    CHECK(!known.expired());
  }
  const auto segment = segment_of(two);
  CHECK(filter.among(segment, nullptr)->count() == 1 && known.expired());
}
