// Pieces of slabs: apart from each other, used again, given back from any thread.
#include "engine/base/slabs.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"

using namespace lookalike;

namespace {

constexpr std::size_t kRegion = 64 << 10;

}  // namespace

TEST(pieces_of_slabs_lie_apart_and_keep_what_was_written) {
  Slabs slabs(kRegion);
  std::mt19937 random(1);
  std::map<std::byte*, std::pair<std::size_t, int>> pieces;
  for (int i = 0; i < 5000; ++i) {
    if (!pieces.empty() && random() % 2 == 0) {
      const auto any = std::next(pieces.begin(), static_cast<std::ptrdiff_t>(random() % pieces.size()));
      slabs.give_back(any->first, any->second.first);
      pieces.erase(any);
      continue;
    }
    const std::size_t bytes = std::size_t{100} * (1 + random() % 4);
    auto* const piece = static_cast<std::byte*>(slabs.take(bytes));
    CHECK(reinterpret_cast<std::uintptr_t>(piece) % 64 == 0);
    std::memset(piece, i % 251, bytes);
    CHECK(pieces.emplace(piece, std::pair{bytes, i % 251}).second);
  }
  for (const auto& [piece, written] : pieces) {
    for (std::size_t i = 0; i < written.first; ++i) CHECK(piece[i] == std::byte(written.second));
    slabs.give_back(piece, written.first);
  }
}

TEST(a_piece_that_was_given_back_is_used_again) {
  Slabs slabs(kRegion);
  for (int i = 0; i < 10'000; ++i) slabs.give_back(slabs.take(400), 400);
  CHECK(slabs.bytes() <= kRegion, slabs.bytes());
}

TEST(regions_are_filled_one_after_the_other) {
  Slabs slabs(kRegion);
  std::map<std::byte*, std::size_t> pieces;
  const auto take = [&](std::size_t bytes) {
    auto* const piece = static_cast<std::byte*>(slabs.take(bytes));
    std::memset(piece, 1, bytes);
    CHECK(pieces.emplace(piece, bytes).second);
  };
  const auto has = [&](std::size_t regions) {  // under ASan each piece is by itself
    return slabs.bytes() == regions * kRegion || slabs.bytes() == 0;
  };
  for (std::size_t i = 0; i < 3 * kRegion / 1024; ++i) take(i % 2 == 0 ? 960 : 1088);
  CHECK(has(3), slabs.bytes());
  take(64);
  CHECK(has(4), slabs.bytes());
  for (const auto& [piece, bytes] : pieces) slabs.give_back(piece, bytes);
}

TEST(a_piece_larger_than_a_region_is_given) {
  Slabs slabs(1);
  auto* const piece = static_cast<std::byte*>(slabs.take(2 * kRegion));
  piece[2 * kRegion - 1] = std::byte{1};
  slabs.give_back(piece, 2 * kRegion);
}

TEST(any_thread_gives_pieces_back_while_one_takes) {
  Slabs slabs(kRegion);
  constexpr std::size_t kThreads = 3, kPieces = 3000;
  std::vector<std::atomic<int*>> handed(kThreads);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> others;
  for (std::size_t thread = 0; thread < kThreads; ++thread)
    others.emplace_back([&, thread] {
      for (std::size_t i = 0; i < kPieces;) {
        int* const piece = handed[thread].exchange(nullptr);
        if (piece == nullptr) {
          std::this_thread::yield();
          continue;
        }
        wrong += *piece != static_cast<int>(i++);
        slabs.give_back(piece, 64);
      }
    });
  std::vector<std::size_t> sent(kThreads);
  for (std::size_t all = 0; all < kThreads * kPieces;)
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      if (sent[thread] == kPieces || handed[thread] != nullptr) continue;
      auto* const piece = static_cast<int*>(slabs.take(64));
      *piece = static_cast<int>(sent[thread]++);
      handed[thread] = piece;
      ++all;
    }
  for (std::thread& other : others) other.join();
  CHECK(wrong == 0 && slabs.bytes() <= kRegion, wrong, slabs.bytes());
}

TEST(a_vector_in_slabs_keeps_them) {
  std::vector<int, InSlabs<int>> numbers{InSlabs<int>(std::make_shared<Slabs>(kRegion))};
  for (int i = 0; i < 1000; ++i) numbers.push_back(i);
  const auto copy = numbers;
  numbers.clear();
  CHECK(copy[999] == 999 && copy.get_allocator() == numbers.get_allocator());
}
