// Routers: what they route to the same buckets, which fresh rows enter their lists, and when another is
// learned.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "check.hpp"
#include "engine/index/filter.hpp"
#include "engine/index/index.hpp"
#include "engine/router/fresh_lists.hpp"
#include "engine/sealing/builder.hpp"
#include "segment_writer.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kRows = 9000;
const FreshLists::Equal kNoneEqual = [](std::uint32_t, std::uint32_t) { return false; };

std::shared_ptr<const Segment> segment_of(const std::vector<float>& vectors, Shape shape) {
  const Intake intake(shape.metric, shape.store, shape.dim, shape.seed);
  Rows rows = intake.rows(vectors.data(), vectors.size() / shape.dim);
  for (std::size_t i = 0; i < vectors.size() / shape.dim; ++i)
    rows.ids.push_back(static_cast<std::int64_t>(i));
  return build_segment(shape, rows, std::nullopt, 1, kNever);
}

StoredRows rows_of(const std::vector<float>& vectors) {
  return {RowForm(Store::float32, Metric::euclidean, kDim),
          reinterpret_cast<const std::byte*>(vectors.data()), nullptr, vectors.size() / kDim};
}

// The sketches of a block, in one that has room for 32.
std::vector<std::uint8_t> wide(const FreshLists::Entries& block, const SketchLayout& layout) {
  if (!block.is_short) return {block.sketches, block.sketches + layout.block_bytes()};
  std::vector<std::uint8_t> bytes(layout.block_bytes());
  for (std::size_t i = 0; i < block.count; ++i)
    copy_sketch(layout, block.sketches, i, i, bytes.data(), SketchLayout::kShort);
  close_sketches(block.count, layout, bytes.data());
  return bytes;
}

// All (row, sketch) in these lists, by bucket.
std::vector<std::vector<std::pair<std::uint32_t, std::vector<std::uint8_t>>>> contents(
    const FreshLists& lists) {
  std::vector<std::vector<std::pair<std::uint32_t, std::vector<std::uint8_t>>>> all(
      lists.router()->buckets());
  for (std::uint32_t bucket = 0; bucket < all.size(); ++bucket)
    lists.visit(bucket, [&](const FreshLists::Entries& block) {
      const std::vector<std::uint8_t> sketches = wide(block, lists.router()->layout());
      for (std::uint32_t i = 0; i < block.count; ++i) all[bucket].emplace_back(block.rows[i], sketches);
    });
  return all;
}

// As long as an emulated processor with little else to give may take.
void wait_until_sealed(const Index& index) {
  for (int i = 0; i < 90'000 && index.snapshot()->fresh_rows() >= 16384; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

RouterHash hash_of(const Router& router) {
  return router_hash(RouterParts(router, kSpheres, router.curve()).parts());
}

double recall(const Snapshot& snapshot, const std::vector<float>& queries, std::size_t dim = kDim) {
  const std::size_t count = queries.size() / dim;
  const auto exact = snapshot.search(queries.data(), count, {.exact = true, .only = {}}, kNever);
  const auto found = snapshot.search(queries.data(), count, {.recall = 0.95, .only = {}}, kNever);
  std::size_t met = 0;
  for (std::size_t q = 0; q < count; ++q) {
    const std::set<std::int64_t> wanted(exact.ids.begin() + static_cast<std::ptrdiff_t>(q * 10),
                                        exact.ids.begin() + static_cast<std::ptrdiff_t>(q * 10 + 10));
    for (std::size_t i = 0; i < 10; ++i) met += wanted.count(found.ids[q * 10 + i]);
  }
  return static_cast<double>(met) / static_cast<double>(count * 10);
}

}  // namespace

TEST(a_version_of_fresh_lists_stays_as_it_is_while_others_are_made_of_it) {
  const auto segment = segment_of(gaussian(kRows, 1), shape_of(Metric::euclidean));
  FreshLists lists(segment->router());
  std::vector<std::pair<FreshLists, decltype(contents(lists))>> kept;
  for (unsigned i = 0; i < 12; ++i) {
    const auto more = gaussian(i % 3 == 0 ? 1 : 200, 10 + i);
    lists = lists.with(route_all(*segment->router(), rows_of(more)), more.size() / kDim, kNoneEqual);
    kept.emplace_back(lists, contents(lists));
  }
  for (const auto& [version, before] : kept) CHECK(contents(version) == before);
  std::set<std::uint32_t> rows;
  for (const auto& bucket : contents(lists))
    for (const auto& [row, sketch] : bucket) CHECK(rows.insert(row).second, row);
  for (const std::uint32_t row : lists.unlike()) CHECK(rows.insert(row).second, row);
  CHECK(rows.size() == lists.rows() && lists.unlike().size() < rows.size() / 20);
}

TEST(a_fresh_row_is_sketched_in_its_bucket_as_sealing_would) {
  const auto vectors = gaussian(kRows, 1);
  const auto segment = segment_of(vectors, shape_of(Metric::euclidean));
  std::vector<float> again;  // the rows of some buckets, in their order
  for (std::size_t row = 0; row < 300; ++row) {
    const float* const from = vectors.data() + static_cast<std::size_t>(segment->id(row)) * kDim;
    again.insert(again.end(), from, from + kDim);
  }
  const FreshLists lists =
      FreshLists(segment->router()).with(route_all(*segment->router(), rows_of(again)), 300, kNoneEqual);
  std::size_t compared = 0;
  for (std::uint32_t bucket = 0; bucket < segment->buckets(); ++bucket) {
    if (segment->sketches().first(bucket) + segment->sketches().count(bucket) > 300) break;
    std::uint32_t at = 0;
    lists.visit(bucket, [&](const FreshLists::Entries& block) {
      const std::uint8_t* const sealed =
          segment->sketches().blocks(bucket) +
          at / SketchLayout::kEntries * segment->router()->layout().block_bytes();
      for (std::uint32_t i = 0; i < block.count; ++i)
        CHECK(block.rows[i] == segment->sketches().first(bucket) + at + i, bucket);
      const std::vector<std::uint8_t> sketches = wide(block, segment->router()->layout());
      CHECK(std::equal(sketches.begin(), sketches.end(), sealed), bucket);
      at += block.count;
      ++compared;
    });
    CHECK(at == segment->sketches().count(bucket), bucket);
  }
  CHECK(compared > 1);
}

// What is merged is what all rows would be, routed and sketched anew.
THOROUGH_TEST(segments_of_one_router_are_merged_as_they_are) {
  for (const Family* family : families()) {
    Shape shape = shape_of(Metric::cosine);
    shape.family = family;
    shape.tables = family == &kSpheres ? 0 : 2;
    const auto first = gaussian(40'000, 1), more = gaussian(33'000, 2);
    Index index(shape);
    index.add(first.data(), 40'000, nullptr, false);
    index.optimize(1, kNever);
    const auto router = index.snapshot()->parts()[0].segment->router();
    for (std::size_t row = 0; row < 33'000; row += 500) {
      const auto ids = index.add(more.data() + row * kDim, 500, nullptr, false);
      if (row % 16'500 == 16'000) {
        wait_until_sealed(index);
        continue;
      }
      index.remove({ids.data(), 1});                                 // fresh
      index.add(more.data() + (row + 1) * kDim, 3, nullptr, false);  // copies
      if (row == 20'000) index.remove(std::vector<std::int64_t>{40'001, 40'002, 50'000});
    }
    const auto parts = index.snapshot()->parts();
    CHECK(parts.size() == 2 && parts[1].segment->router() == router, parts.size(), family->name);
    const Segment& merged = *parts[1].segment;
    CHECK(merged.rows() > 30'000 && merged.copies().starts().size() > 0, merged.rows());
    const Intake intake(shape.metric, shape.store, shape.dim, shape.seed);
    std::vector<float> vectors;
    std::vector<std::int64_t> ids;
    for (const std::uint32_t row : merged.by_id()) {
      ids.push_back(merged.id(row));
      const auto* const vector = reinterpret_cast<const float*>(merged.stored().row(row));
      vectors.insert(vectors.end(), vector, vector + kDim);
    }
    Rows rows = intake.rows(vectors.data(), ids.size());
    rows.ids.assign(ids.begin(), ids.end());
    const Carried none(router->tables(), ids.size());
    const auto anew = build_segment(shape, rows, Kept{router, &none}, 1, kNever);
    CHECK(std::equal(anew->ids(), anew->ids() + ids.size(), merged.ids()), family->name);
    CHECK(std::ranges::equal(anew->sketches().starts(), merged.sketches().starts()), family->name);
    CHECK(std::ranges::equal(anew->sketches().bytes(), merged.sketches().bytes()), family->name);
    CHECK(std::ranges::equal(anew->byte_rows().bytes(), merged.byte_rows().bytes()), family->name);
    CHECK(std::ranges::equal(anew->later_members(), merged.later_members()), family->name);
    for (std::uint32_t bucket = 0; bucket < merged.buckets(); ++bucket)  // removed rows may reach farther
      CHECK(merged.reach(bucket).radius >= anew->reach(bucket).radius &&
                merged.reach(bucket).left_out >= anew->reach(bucket).left_out,
            bucket);
  }
}

TEST(rows_unlike_all_that_a_router_knows_enter_no_bucket_and_are_found) {
  const auto vectors = gaussian(kRows, 1);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), kRows, nullptr, false);
  index.optimize(1, kNever);
  std::vector<float> far = gaussian(100, 2);
  for (float& value : far) value += 40.0F;
  const auto ids = index.add(far.data(), 100, nullptr, false);
  const auto now = index.snapshot();
  CHECK(now->lists().size() == 1 && now->lists()[0].lists->unlike().size() == 100);
  CHECK(recall(*now, far) == 1.0);
  const auto explained = now->explain(far.data(), {.k = 1, .only = {}}, ids[0]);
  CHECK(explained.trace.reached == Reached::neighbours && explained.stages.reranked >= 100);
}

TEST(a_router_is_kept_where_few_rows_are_unlike_what_it_knows) {
  const auto first = gaussian(20'000, 1), more = gaussian(16'500, 2), far = gaussian(30, 3);
  Index index(shape_of(Metric::euclidean));
  index.add(first.data(), 20'000, nullptr, false);
  index.optimize(1, kNever);
  const auto router = index.snapshot()->parts()[0].segment->router();
  for (std::size_t row = 0; row < 16'500; row += 500) {
    std::vector<float> rows(more.begin() + static_cast<std::ptrdiff_t>(row * kDim),
                            more.begin() + static_cast<std::ptrdiff_t>((row + 500) * kDim));
    if (row == 8000)
      for (std::size_t i = 0; i < far.size(); ++i) rows[i] = far[i] + 9.0F;
    index.add(rows.data(), 500, nullptr, false);
    if (row == 15'500) CHECK(index.snapshot()->lists().back().lists->unlike().size() < 200);
  }
  wait_until_sealed(index);
  const auto now = index.snapshot();
  CHECK(now->parts().size() == 2 && now->parts()[1].segment->router() == router, now->parts().size());
}

THOROUGH_TEST(rows_that_drift_leave_the_lists_and_their_sealing_learns_another_router) {
  const std::size_t dim = 16;
  const auto vectors = gaussian(20'000, 1, dim);
  Index index(shape_of(Metric::euclidean, 0, dim));
  index.add(vectors.data(), 20'000, nullptr, false);
  index.optimize(1, kNever);
  const auto router = index.snapshot()->parts()[0].segment->router();
  std::vector<float> drifting = gaussian(16'600, 2, dim);
  for (std::size_t i = 0; i < drifting.size(); ++i)
    drifting[i] += 2.0F * static_cast<float>(i) / static_cast<float>(drifting.size());
  const std::vector<float> latest(drifting.end() - 200 * static_cast<std::ptrdiff_t>(dim), drifting.end());
  for (std::size_t row = 0; row < 16'600; row += 200) {
    index.add(drifting.data() + row * dim, 200, nullptr, false);
    if (row % 4000 == 0)
      CHECK(recall(*index.snapshot(),
                   {drifting.begin() + static_cast<std::ptrdiff_t>(row * dim),
                    drifting.begin() + static_cast<std::ptrdiff_t>((row + 200) * dim)},
                   dim) > 0.93,
            row);
  }
  wait_until_sealed(index);
  const auto now = index.snapshot();
  CHECK(recall(*now, latest, dim) > 0.93);
  for (const Part& part : now->parts())
    if (part.segment->id(0) >= 20'000) CHECK(part.segment->router() != router);
}

TEST(a_few_rows_that_lie_farther_by_chance_have_not_drifted) {
  Index index(shape_of(Metric::euclidean, 0, 4));
  index.add(gaussian(6000, 1, 4).data(), 6000, nullptr, false);
  index.optimize(1, kNever);
  const auto router = index.snapshot()->parts()[0].segment->router();
  const auto drifted = [&](double times, std::size_t rows) {
    return router->drifted(times * double{router->mean_residual()} * static_cast<double>(rows), rows);
  };
  CHECK(!drifted(1.3, 100));
  CHECK(drifted(1.4, 100));
  CHECK(drifted(1.3, 1000));
  CHECK(!drifted(1.16, 16'000));
  CHECK(drifted(1.17, 16'000));
}

THOROUGH_TEST(rows_that_drift_are_told_from_those_that_they_are_merged_with) {
  const std::size_t dim = 16;
  Index index(shape_of(Metric::euclidean, 0, dim));
  index.add(gaussian(40'000, 1, dim).data(), 40'000, nullptr, false);
  index.optimize(1, kNever);
  const auto router = index.snapshot()->parts()[0].segment->router();
  const auto add = [&](unsigned seed, float scale) {
    std::vector<float> rows = gaussian(16'600, seed, dim);
    for (float& each : rows) each *= scale;
    for (std::size_t row = 0; row < 16'600; row += 200)
      index.add(rows.data() + row * dim, 200, nullptr, false);
    wait_until_sealed(index);
  };
  add(2, 1.0F);
  CHECK(index.snapshot()->parts().size() == 2 && index.snapshot()->parts()[1].segment->router() == router);
  add(3, 1.08F);
  for (const Part& part : index.snapshot()->parts())
    if (part.segment->id(0) >= 40'000) CHECK(part.segment->router() != router);
}

THOROUGH_TEST(segments_share_a_router_until_the_rows_outgrow_it) {
  const auto first = gaussian(20'000, 1), more = gaussian(16'500, 2), yet_more = gaussian(16'500, 3);
  const auto queries = gaussian(200, 4);
  Index index(shape_of(Metric::euclidean));
  index.add(first.data(), 20'000, nullptr, false);
  index.optimize(1, kNever);
  const auto router = index.snapshot()->parts()[0].segment->router();
  const auto add = [&](const std::vector<float>& rows) {
    for (std::size_t row = 0; row < 16'500; row += 500)
      index.add(rows.data() + row * kDim, 500, nullptr, false);
    wait_until_sealed(index);
  };
  add(more);
  auto now = index.snapshot();
  CHECK(now->parts().size() == 2 && now->parts()[1].segment->router() == router);
  CHECK(now->buckets() == router->buckets());
  CHECK(recall(*now, queries) > 0.94);
  add(yet_more);  // 53,000 are more than twice 20,000
  now = index.snapshot();
  CHECK(now->parts().size() == 1 && now->parts()[0].segment->router() != router);
  CHECK(now->parts()[0].segment->router()->rows() == now->parts()[0].segment->originals());
  CHECK(recall(*now, queries) > 0.94);
  CHECK(now->size() == 53'000);
}

// Rows are added, replaced and removed all the while.
TEST(what_comes_while_a_router_is_learned_from_many_rows_is_sealed_in_between) {
  constexpr std::size_t dim = 4, many = 65'536, step = 8192, meanwhile = 5 * step;
  constexpr std::size_t first = 2 * many + step;  // by then the first router is outgrown
  const auto vectors = gaussian(first + meanwhile, 5, dim);
  Index index(shape_of(Metric::euclidean, 64, dim));
  index.add(vectors.data(), many, nullptr, false);
  index.optimize(2, kNever);
  const auto router = [&] { return main_part(index.snapshot()->parts())->segment->router(); };
  const auto outgrown = router();
  for (std::size_t row = many; row < first; row += step) {
    wait_until_sealed(index);
    index.add(vectors.data() + row * dim, step, nullptr, false);
  }
  std::set<std::int64_t> gone;
  const auto remove = [&](std::size_t id) {
    const auto each = static_cast<std::int64_t>(id);
    index.remove({&each, 1});
    gone.insert(each);
  };
  for (std::size_t row = first; row < first + meanwhile; row += step) {
    index.add(vectors.data() + row * dim, step, nullptr, false);
    remove(row - first + 17);
    remove(row - step + 23);
    const auto replaced = static_cast<std::int64_t>(row - first + 19);
    index.add(vectors.data() + static_cast<std::size_t>(replaced) * dim, 1, &replaced, true);
  }
  bool in_between = router() != outgrown;  // on a machine that has learned by now
  for (int i = 0; i < 900'000 && (router() == outgrown || index.snapshot()->fresh_rows() >= 16384); ++i) {
    const auto now = index.snapshot();
    in_between = in_between || (main_part(now->parts())->segment->router() == outgrown &&
                                now->parts().size() > 2 && now->fresh_rows() < 16384);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(in_between && router() != outgrown && router()->rows() > many);
  CHECK(index.size() == first + meanwhile - gone.size());
  for (std::size_t row = 3; row < first + meanwhile; row += 4999) {
    const auto id = static_cast<std::int64_t>(row);
    CHECK(index.contains(id) != gone.contains(id), row);
    if (gone.contains(id)) continue;
    const auto found =
        index.search(vectors.data() + row * dim, 1, {.k = 1, .exact = true, .only = {}}, kNever);
    CHECK(found.ids[0] == id && found.distances[0] == 0.0F, row);
  }
  CHECK(recall(*index.snapshot(), gaussian(60, 6, dim), dim) > 0.94);
  for (const std::int64_t id : gone) CHECK(!index.contains(id), id);
  index.optimize(2, kNever);
  CHECK(index.size() == first + meanwhile - gone.size() && index.segments() == 1);
}

// Searched while they are added and sealed: those that come during a sealing, in small parts and in one too
// large for the lists, are in as many lists as there are, each once.
TEST(rows_that_come_while_others_are_sealed_are_found_once) {
  const std::size_t dim = 8;
  const auto first = gaussian(12'000, 1, dim), more = gaussian(38'000, 2, dim);
  Index index(shape_of(Metric::euclidean, 0, dim));
  index.add(first.data(), 12'000, nullptr, false);
  index.optimize(1, kNever);
  for (std::size_t row = 0; row < 38'000;) {
    const std::size_t count = row == 18'000 ? 17'000 : 500;
    const auto ids = index.add(more.data() + row * dim, count, nullptr, false);
    const auto now = index.snapshot();
    std::size_t end = 0;
    for (const Listed& listed : now->lists()) {
      CHECK(listed.begin >= end, row);
      end = listed.end();
    }
    CHECK(end <= now->fresh_rows() && now->lists().size() < 12, row, now->lists().size());
    const float* const query = more.data() + (row + count - 1) * dim;
    const auto found = now->search(query, 1, {.k = 20, .recall = 0.99, .only = {}}, kNever);
    CHECK(found.ids[0] == ids.back() && found.distances[0] == 0.0F, row);
    CHECK(std::set<std::int64_t>(found.ids.begin(), found.ids.end()).size() == 20, row);
    row += count;
  }
  wait_until_sealed(index);
  CHECK(index.size() == 50'000);
}

TEST(fresh_rows_that_were_removed_or_replaced_are_not_found_in_lists) {
  for (const Family* family : families()) {
    Shape shape = shape_of(Metric::cosine);
    shape.family = family;
    shape.tables = family == &kSpheres ? 0 : 3;
    const auto vectors = gaussian(kRows, 1), fresh = gaussian(600, 2), other = gaussian(1, 3);
    Index index(shape);
    index.add(vectors.data(), kRows, nullptr, false);
    index.optimize(1, kNever);
    const auto ids = index.add(fresh.data(), 600, nullptr, false);
    const std::size_t unlike = index.snapshot()->lists()[0].lists->unlike().size();
    CHECK(unlike < 30, unlike, family->name);
    CHECK(recall(*index.snapshot(), fresh) > 0.9);
    const auto found = index.search(fresh.data(), 600, {.k = 20, .recall = 0.99, .only = {}}, kNever);
    for (std::size_t q = 0; q < 600; ++q) {
      const auto begin = found.ids.begin() + static_cast<std::ptrdiff_t>(q * 20);
      CHECK(std::set<std::int64_t>(begin, begin + 20).size() == 20, q);  // none twice, whatever the tables
    }
    index.remove({ids.data(), 300});
    for (std::size_t i = 300; i < 600; ++i) index.add(other.data(), 1, &ids[i], true);
    const auto after = index.search(fresh.data(), 600, {.k = 1, .recall = 0.99, .only = {}}, kNever);
    for (std::size_t q = 0; q < 600; ++q) CHECK(after.distances[q] > 0.0F, q);
  }
}

THOROUGH_TEST(few_rows_of_a_router_are_searched_as_deep_as_it_takes) {
  const auto first = gaussian(34'000, 1, 16), more = gaussian(16'500, 2, 16), queries = gaussian(100, 3, 16);
  Index index(shape_of(Metric::euclidean, 0, 16));
  index.add(first.data(), 34'000, nullptr, false);
  index.optimize(1, kNever);
  const auto ids = index.add(more.data(), 16'500, nullptr, false);  // the router is kept
  wait_until_sealed(index);
  CHECK(index.snapshot()->parts().size() == 2);
  const Filter only(ids);
  const auto exact = index.search(queries.data(), 100, {.exact = true, .only = &only}, kNever);
  const auto found = index.search(queries.data(), 100, {.recall = 0.95, .only = &only}, kNever);
  std::size_t met = 0;
  for (std::size_t q = 0; q < 100; ++q) {
    const auto begin = exact.ids.begin() + static_cast<std::ptrdiff_t>(q * 10);
    const std::set<std::int64_t> wanted(begin, begin + 10);
    for (std::size_t i = 0; i < 10; ++i) met += wanted.count(found.ids[q * 10 + i]);
  }
  CHECK(met > 920, met);
}

THOROUGH_TEST(rows_longer_than_any_under_dot_are_found_before_and_after_their_sealing) {
  const std::size_t dim = 32;
  const auto first = gaussian(20'000, 1, dim), queries = gaussian(100, 3, dim);
  auto more = gaussian(16'500, 2, dim);
  for (std::size_t row = 0; row < 16'500; row += 250)
    for (std::size_t i = 0; i < dim; ++i) more[row * dim + i] *= 3.0F;
  Index index(shape_of(Metric::dot, 0, dim));
  index.add(first.data(), 20'000, nullptr, false);
  index.optimize(1, kNever);
  for (std::size_t row = 0; row < 16'000; row += 500) index.add(more.data() + row * dim, 500, nullptr, false);
  CHECK(index.snapshot()->lists()[0].lists->unlike().size() >= 64);
  CHECK(recall(*index.snapshot(), queries, dim) > 0.93);
  index.add(more.data() + 16'000 * dim, 500, nullptr, false);
  wait_until_sealed(index);
  CHECK(recall(*index.snapshot(), queries, dim) > 0.93);
}

TEST(many_copies_of_one_row_are_sealed_and_measured) {
  const auto first = gaussian(kRows, 1), queries = gaussian(50, 3);
  std::vector<float> copies;
  for (std::size_t i = 0; i < 17'000; ++i) copies.insert(copies.end(), first.begin(), first.begin() + kDim);
  Index index(shape_of(Metric::euclidean));
  index.add(first.data(), kRows, nullptr, false);
  index.optimize(1, kNever);
  index.add(copies.data(), 17'000, nullptr, false);
  wait_until_sealed(index);
  index.tune(queries.data(), 50, 1, kNever);
  CHECK(index.search(queries.data(), 50, {.k = 3, .only = {}}, kNever).ids[0] >= 0);
}

TEST(a_removed_fresh_row_is_not_met) {
  const auto first = gaussian(kRows, 1);
  Index index(shape_of(Metric::euclidean));
  index.add(first.data(), kRows, nullptr, false);
  index.optimize(1, kNever);
  const std::int64_t id = 100'000;
  for (int i = 0; i < 200; ++i) index.add(first.data(), 1, &id, i > 0);
  const auto found = index.search(first.data(), 1, {.k = 200, .probes = 1, .only = {}}, kNever);
  CHECK(std::count(found.ids.begin(), found.ids.end(), -1) == 0);
}

TEST(a_file_gives_back_the_router_that_was_written) {
  const auto vectors = gaussian(kRows, 1);
  Index index(shape_of(Metric::euclidean));
  index.add(vectors.data(), kRows, nullptr, false);
  TemporaryPath temporary;
  index.save(temporary.path(), "", false, kNever);
  const Index opened(temporary.path());
  const auto written = index.snapshot()->parts()[0].segment->router();
  const auto read = opened.snapshot()->parts()[0].segment->router();
  CHECK(hash_of(*written) == hash_of(*read) && written->mean_residual() == read->mean_residual());
  const auto other = segment_of(gaussian(kRows, 2), shape_of(Metric::euclidean))->router();
  CHECK(hash_of(*other) != hash_of(*read));
}

// Searched at once, of the snapshot that has them fresh.
TEST(a_large_add_is_in_lists_when_it_is_seen) {
  const std::size_t dim = 16;
  const auto first = gaussian(30'000, 1, dim), more = gaussian(40'000, 2, dim),
             queries = gaussian(100, 3, dim);
  Index index(shape_of(Metric::euclidean, 0, dim));
  index.add(first.data(), 30'000, nullptr, false);
  index.optimize(1, kNever);
  index.add(more.data(), 40'000, nullptr, false);
  const auto now = index.snapshot();
  if (now->fresh_rows() < 40'000) return;  // sealed already: this thread had to wait for long
  CHECK(recall(*now, queries, dim) > 0.93);
  const auto found = now->search(queries.data(), 100, {.recall = 0.95, .only = {}}, kNever);
  for (const Stages& stages : found.stages) CHECK(stages.reranked < 4000, stages.reranked);
  const std::size_t compared = now->explain(queries.data(), {.only = {}}, {}).compared_whole;
  CHECK(compared == 0, compared);
}

TEST(a_large_add_unlike_all_that_a_router_knows_is_in_no_list) {
  const auto first = gaussian(kRows, 1);
  auto more = gaussian(17'000, 2);
  for (float& value : more) value += 40.0F;
  Index index(shape_of(Metric::euclidean));
  index.add(first.data(), kRows, nullptr, false);
  index.optimize(1, kNever);
  const auto router = index.snapshot()->parts()[0].segment->router();
  index.add(more.data(), 17'000, nullptr, false);
  const auto now = index.snapshot();
  for (const Listed& listed : now->lists())
    if (listed.lists->router() == router) CHECK(listed.lists->unlike().empty());
  CHECK(recall(*now, std::vector<float>(more.begin(), more.begin() + 100 * kDim)) > 0.93);
}
