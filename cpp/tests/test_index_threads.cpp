// Searches while an index changes: what ThreadSanitizer is for.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "check.hpp"
#include "engine/index/index.hpp"
#include "segment_writer.hpp"
#include "small_index.hpp"

using namespace lookalike;

namespace {

bool is_long() {
  return std::getenv("LOOKALIKE_LONG") != nullptr;
}

}  // namespace

TEST(searching_while_adding_removing_sealing_and_saving) {
  const auto kept = gaussian(600, 4), passing = gaussian(600, 5);
  TemporaryPath temporary;
  Index index(shape_of(Metric::cosine, 12));
  index.add(kept.data(), 600, nullptr, false);
  index.save(temporary.path(), "", false, kNever);
  for (const bool mapped : {false, true}) {
    const auto opened = mapped ? std::make_unique<Index>(temporary.path()) : nullptr;
    Index& shared = mapped ? *opened : index;
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::int64_t> some(20);
    std::iota(some.begin(), some.end(), 0);
    const Filter first(some);
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 3; ++reader)
      readers.emplace_back([&, reader] {
        SearchOptions options{.k = 3, .exact = reader == 0, .max_distance = 10.0F, .threads = 2, .only = {}};
        if (reader == 1) options.only = &first;
        if (reader == 2) options.probes = 1;
        while (!done) {
          const SearchResult found = shared.search(kept.data(), 20, options, kNever);
          for (std::size_t i = 0; i < 20; ++i) wrong += found.ids[i * 3] != static_cast<std::int64_t>(i);
          wrong += !shared.contains(5) || shared.vector(5)[0] != kept[5 * kDim] || shared.size() < 600;
          wrong += shared.note().size() > 5 || shared.segments() > 2 || shared.ids().size() < 600;
        }
      });
    std::thread saver([&] {
      while (!done) shared.save(temporary.path() + "3", "other", false, kNever);
    });
    for (int round = 0; round < (is_long() ? 12 : 6); ++round) {
      const auto ids = shared.add(passing.data(), 300, nullptr, false);
      if (round % 3 == 0) shared.optimize(2, kNever);
      if (round % 4 == 0) shared.save(temporary.path() + "2", "note", false, kNever);
      shared.add(passing.data() + 300 * kDim, 100, ids.data(), true);
      shared.remove(ids);
    }
    done = true;
    for (std::thread& reader : readers) reader.join();
    saver.join();
    CHECK(wrong == 0, wrong);
    CHECK(shared.size() == 600);
  }
}

TEST(searching_while_rows_seal_themselves_in_the_background) {
  constexpr std::size_t kWide = 2, kRows = 18'000, kAtOnce = 2000;
  const auto vectors = gaussian(kRows, 6, kWide);
  Index index(shape_of(Metric::euclidean, 16, kWide));
  std::atomic<std::size_t> there{0};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (there < kRows) {
      if (there == 0) continue;
      const std::size_t row = there - 1;
      wrong += index.search(vectors.data() + row * kWide, 1, {.k = 1, .probes = 1, .only = {}}, kNever)
                   .distances[0] != 0.0F;
    }
  });
  for (std::size_t row = 0; row < kRows; row += kAtOnce) {
    index.add(vectors.data() + row * kWide, kAtOnce, nullptr, false);
    there = row + kAtOnce;
  }
  reader.join();
  CHECK(wrong == 0, wrong);
}

TEST(searching_the_lists_of_fresh_rows_while_rows_come_go_and_are_sealed) {
  const std::size_t count = is_long() ? 2000 : 1000;
  const auto first = gaussian(5000, 7), more = gaussian(count, 8);
  Index shared(shape_of(Metric::euclidean));
  shared.add(first.data(), 5000, nullptr, false);
  shared.optimize(1, kNever);
  std::atomic<bool> done{false};
  std::atomic<int> twice{0}, searched{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader)
    readers.emplace_back([&] {
      for (std::size_t i = 0; !done; i = (i + 37) % count, ++searched) {
        const auto found =
            shared.search(more.data() + i * kDim, 1, {.k = 10, .recall = 0.95, .only = {}}, kNever);
        if (std::set<std::int64_t>(found.ids.begin(), found.ids.end()).size() != 10) ++twice;
      }
    });
  for (std::size_t row = 0; row < count; row += 20) {
    const auto ids = shared.add(more.data() + row * kDim, 20, nullptr, false);
    shared.remove({ids.data(), 1});
    if (row % 500 == 0) shared.optimize(1, kNever);
  }
  while (searched < 100) std::this_thread::yield();
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(twice == 0 && shared.size() == 5000 + count - count / 20);
}
