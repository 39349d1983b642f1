// Memory in unnamed files: zeros at first, kept when its pages are given back, refused where there is no
// room.
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "check.hpp"
#include "engine/base/array.hpp"
#include "engine/base/errors.hpp"
#include "segment_writer.hpp"

using namespace lookalike;

TEST(what_was_written_is_there_after_its_pages_were_given_back) {
  TemporaryPath temporary;
  const auto spill = std::make_shared<Spill>(temporary.path());
  constexpr std::size_t kCount = 3'000'000;
  Array<int> items(kCount, HugePages<int>(spill));
  for (std::size_t i = 0; i < kCount; i += 1000) CHECK(items[i] == 0);
  for (std::size_t i = 0; i < kCount; ++i) items[i] = static_cast<int>(i);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(12));
    spill->breathe();
    for (std::size_t i = 0; i < kCount; i += 777) CHECK(items[i] == static_cast<int>(i));
  }
  CHECK(std::filesystem::is_empty(std::filesystem::path(temporary.path()).parent_path()));
}

TEST(an_array_keeps_its_spill_when_it_is_moved_grown_and_swapped) {
  TemporaryPath temporary;
  const auto spill = std::make_shared<Spill>(temporary.path());
  Array<int> a(HugePages<int>{spill}), b;
  for (int i = 0; i < 10'000; ++i) a.push_back(i);
  b = std::move(a);
  CHECK(b.get_allocator().spill() == spill && b[9'999] == 9'999);
  Array<int> c(5, 7);
  std::swap(b, c);
  CHECK(c.get_allocator().spill() == spill && c.size() == 10'000);
  CHECK(b.get_allocator().spill() == nullptr && b[4] == 7);
}

TEST(a_folder_that_is_not_there_or_has_no_room_is_an_error) {
  Spill nowhere("/nowhere/at/all");
  CHECK_THROWS(WriteError, "No such file", nowhere.map(1));
  TemporaryPath temporary;
  Spill here(temporary.path());
  CHECK_THROWS(WriteError, "MiB while vectors are sealed", here.map(std::size_t{1} << 55));
  CHECK(std::filesystem::is_empty(std::filesystem::path(temporary.path()).parent_path()));
}
