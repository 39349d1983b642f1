// Heaps: rows that very many others equal.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "check.hpp"
#include "engine/index/filter.hpp"
#include "engine/index/index.hpp"
#include "engine/rows/copies.hpp"
#include "small_index.hpp"

using namespace lookalike;

TEST(the_largest_heaps_are_chosen) {
  Heaps heaps(1'000'000);
  constexpr std::uint32_t least = 1'000'000 / 1024;
  for (std::uint32_t original = 0; original < 100; ++original) heaps.add(original, least - 50 + original);
  std::vector<std::uint32_t> all(50);
  std::iota(all.begin(), all.end(), 50U);
  CHECK(std::move(heaps).take() == all);
  Heaps many(1000);
  for (std::uint32_t original = 200; original-- > 0;) many.add(original, 100 + original);
  const auto taken = std::move(many).take();
  CHECK(taken.size() == 64 && taken.front() == 136 && std::ranges::is_sorted(taken));
}

// However far its bucket is: of what was sealed and of what came later, as far as a filter lets it be found.
TEST(every_query_is_compared_with_the_originals_of_heaps) {
  constexpr std::size_t kRows = 20'000, kHeap = 300, kWide = 16;
  const auto rows = gaussian(kRows, 1, kWide), queries = gaussian(20, 2, kWide);
  std::vector<float> heap(kWide, 0.9F);
  const auto add_heap = [&](Index& index) {
    std::vector<float> copies;
    for (std::size_t i = 0; i < kHeap; ++i) copies.insert(copies.end(), heap.begin(), heap.end());
    return index.add(copies.data(), kHeap, nullptr, false);
  };
  Index index(shape_of(Metric::euclidean, 0, kWide));
  index.add(rows.data(), kRows, nullptr, false);
  const auto sealed = add_heap(index);
  index.optimize(2, kNever);
  for (float& value : heap) value = -value;
  const auto fresh = add_heap(index);
  const auto now = index.snapshot();
  const std::vector<std::int64_t> one{sealed.back(), fresh.back()};
  const Filter only(one);
  std::size_t unvisited = 0;
  for (std::size_t q = 0; q < 20; ++q)
    for (const std::int64_t id : one) {
      const float* const query = queries.data() + q * kWide;
      const SearchOptions options{.k = 10, .recall = 0.5, .only = {}};
      const Trace trace = now->explain(query, options, id).trace;
      CHECK(trace.reached == Reached::rerank || trace.reached == Reached::neighbours, q, id);
      unvisited += std::size_t{trace.bucket_rank > trace.visited};
      const auto ids = now->search(query, 1, {.k = 5, .recall = 0.5, .only = &only}, kNever).ids;
      CHECK(std::ranges::count(ids, -1) == 3, q);
      // a heap is met once, wherever it is met
      const auto equal = now->search(query, 1, {.k = kRows, .recall = 0.5, .only = {}}, kNever).ids;
      CHECK(std::set(equal.begin(), equal.end()).size() == kRows, q);
    }
  CHECK(unvisited > 10, unvisited);
}
